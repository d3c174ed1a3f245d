/**
 * What urgent messages wait, on an idle link and while bulk fills it.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Network } from '@althing/network'
import { spreadOf } from '../percentiles.ts'
import type { Spread } from '../percentiles.ts'
import { BULK_BYTES, REQUEST_BYTES } from './wire.ts'

export interface UrgentReport {
  /** Round trips, in milliseconds. */
  readonly idle: Spread
  readonly underBulk: Spread
  readonly bulkBytesPerSecond: number
}

const URGENT_EVERY_MS = 10
/** Until the window of bulk has found its size. */
const BULK_STARTS_MS = 1000

/** @param seconds of each of the two. */
export async function measureUrgent(network: Network, peer: string, seconds: number): Promise<UrgentReport> {
  const idle = await roundTrips(network, peer, seconds)
  const bulk = new Bulk(network, peer)
  await sleep(BULK_STARTS_MS)
  const before = bulk.bytes
  const startMs = performance.now()
  const underBulk = await roundTrips(network, peer, seconds)
  const bulkBytesPerSecond = ((bulk.bytes - before) * 1000) / (performance.now() - startMs)
  await bulk.stop()
  return { idle, underBulk, bulkBytesPerSecond }
}

async function roundTrips(network: Network, peer: string, seconds: number): Promise<Spread> {
  const times: number[] = []
  for (const endMs = performance.now() + seconds * 1000; performance.now() < endMs;) {
    const startMs = performance.now()
    await network.request(peer, 'urgent', new Uint8Array(REQUEST_BYTES))
    times.push(performance.now() - startMs)
    await sleep(URGENT_EVERY_MS)
  }
  return spreadOf(times)
}

/** Keeps the low lane to a peer full. */
class Bulk {
  readonly #done: Promise<void>
  /** Handed over; at most one full lane of it has not arrived. */
  bytes = 0
  #stopped = false

  constructor(network: Network, peer: string) {
    this.#done = this.#run(network, peer)
  }

  async #run(network: Network, peer: string): Promise<void> {
    const body = new Uint8Array(BULK_BYTES)
    // Random, so that compression has nothing to gain.
    for (let at = 0; at < body.length; at += 65_536) crypto.getRandomValues(body.subarray(at, at + 65_536))
    while (!this.#stopped) {
      if (network.send(peer, 'bulk', body) === 'queued') this.bytes += body.length
      await network.sendReady(peer, 'low')
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#done
  }
}
