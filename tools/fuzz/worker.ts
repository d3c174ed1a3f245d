/**
 * Runs one target in a thread of its own, so that an input that never returns can be told and ended.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { fuzz } from './engine.ts'
import type { FuzzReport, Target } from './engine.ts'

/** The input that runs is copied here before it does: its length, then its bytes. */
export interface FuzzJob {
  readonly file: string
  readonly name: string
  readonly seed: number
  readonly seconds: number
  readonly corpus: readonly Uint8Array[]
  readonly current: SharedArrayBuffer
}

export interface FuzzAnswer extends Omit<FuzzReport, 'failure'> {
  readonly failure: { readonly input: Uint8Array; readonly message: string } | null
}

const job = workerData as FuzzJob
const { targets } = (await import(job.file)) as { readonly targets: Readonly<Record<string, Target>> }
const runs = new Int32Array(job.current, 0, 1)
const length = new Int32Array(job.current, 4, 1)
const bytes = new Uint8Array(job.current, 8)
const endMs = performance.now() + job.seconds * 1000

const { failure, ...report } = fuzz(targets[job.name]!, {
  seed: job.seed,
  corpus: job.corpus,
  isOver: () => performance.now() >= endMs,
  isOurs: (url) => /\/packages\/[^/]+\/src\/|\/@chainsafe\/ssz\//.test(url),
  running(input) {
    length[0] = input.length
    bytes.set(input)
    Atomics.add(runs, 0, 1)
  },
})
const answer: FuzzAnswer = {
  ...report,
  failure: failure === null ? null : { input: failure.input, message: messageOf(failure.error) },
}
parentPort!.postMessage(answer)

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
