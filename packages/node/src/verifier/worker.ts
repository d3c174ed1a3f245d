/**
 * A worker thread that checks signatures. Asked with one packed batch at a time, it answers with one byte per check.
 * @module
 */
import { parentPort } from 'node:worker_threads'
import { assert } from '@althing/base'
import { verifyNative } from '../crypto/ed25519.ts'
import { unpackChecks } from './packing.ts'
import type { BatchAnswer, BatchQuestion } from './packing.ts'

const port = parentPort
assert(port !== null, 'the verifier runs in a worker thread')

port.on('message', ({ id, packed }: BatchQuestion) => {
  const checks = unpackChecks(packed)
  const valid = new Uint8Array(checks.length)
  for (const [i, { publicKey, message, signature }] of checks.entries()) {
    valid[i] = verifyNative(publicKey, message, signature) ? 1 : 0
  }
  const answer: BatchAnswer = { id, valid }
  port.postMessage(answer, [valid.buffer])
})
