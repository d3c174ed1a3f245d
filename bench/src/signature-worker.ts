/**
 * A thread that checks Ed25519 signatures as a node does, for as long as it is told, and answers how many a second.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { nativeSigner, verifyNative } from 'althing'

const SIGNED = 256
/** About what the signature of a transaction with a 200-byte entry covers. */
const MESSAGE_BYTES = 340

const { seconds } = workerData as { readonly seconds: number }
const signer = nativeSigner(new Uint8Array(32).fill(7))
const checks = Array.from({ length: SIGNED }, (_, i) => {
  const message = new Uint8Array(MESSAGE_BYTES).fill(i)
  return { message, signature: signer.sign(message) }
})

/** In the order: ready, told to begin, the answer. */
parentPort!.once('message', () => {
  const startMs = performance.now()
  let done = 0
  while (performance.now() - startMs < seconds * 1000) {
    for (const { message, signature } of checks) {
      if (!verifyNative(signer.publicKey, message, signature)) throw new Error('a true signature was refused')
    }
    done += SIGNED
  }
  parentPort!.postMessage((done * 1000) / (performance.now() - startMs))
})
parentPort!.postMessage('ready')
