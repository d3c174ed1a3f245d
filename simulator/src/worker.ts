/**
 * Runs the batches of seeds that the main thread hands out.
 * @module
 */
import { parentPort } from 'node:worker_threads'
import * as chain from '@althing/chain'
import { runCampaign } from './campaign.ts'
import type { Campaign } from './campaign.ts'

parentPort!.on('message', (campaign: Campaign) => parentPort!.postMessage(runCampaign(chain, campaign)))
