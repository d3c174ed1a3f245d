/**
 * The fuzzer: mutates inputs that reached something new, and keeps those that reach more.
 * @module
 */
import { Coverage } from './coverage.ts'
import { Dice, mutate } from './mutate.ts'

/** What is fuzzed: `packages/<name>/fuzz/*.fuzz.ts` export `targets`, by name. */
export interface Target {
  /** Valid inputs, from which everything starts. */
  readonly seeds: () => readonly Uint8Array[]
  /** Throws when a property is broken. Whatever the input, it must return otherwise. */
  readonly run: (bytes: Uint8Array) => void
  /** Of an input; 4,096 unless told. */
  readonly bytesMax?: number
}

export interface FuzzOptions {
  readonly seed: number
  /** Kept inputs of earlier runs. */
  readonly corpus: readonly Uint8Array[]
  /** Asked after each batch. */
  readonly isOver: (executions: number) => boolean
  /** What is to be reached: scripts by URL. */
  readonly isOurs: (url: string) => boolean
  /** Called before each run: who watches can tell what hangs. */
  readonly running?: (bytes: Uint8Array) => void
}

export interface FuzzReport {
  readonly executions: number
  /** That were reached, and that were reached in all their parts. */
  readonly functions: number
  readonly wholeFunctions: number
  /** Those that reached something new, seeds not counted. */
  readonly found: readonly Uint8Array[]
  readonly failure: { readonly input: Uint8Array; readonly error: unknown } | null
}

/** Coverage is asked for so many runs together; only a batch with news is looked at one by one. */
const BATCH = 256
const BYTES_MAX = 4_096

export function fuzz(target: Target, options: FuzzOptions): FuzzReport {
  const { seed, corpus, isOver, isOurs, running } = options
  const dice = new Dice(seed)
  const coverage = new Coverage(isOurs)
  const kept: Uint8Array[] = [...target.seeds(), ...corpus]
  const found: Uint8Array[] = []
  let executions = 0
  const runAll = (inputs: readonly Uint8Array[]): void => {
    for (const input of inputs) {
      executions++
      running?.(input)
      try {
        target.run(input)
      } catch (error) {
        throw new Broken(input, error)
      }
    }
  }
  /** Runs them together, and looks closer at those among which something new was reached. */
  const explore = (inputs: readonly Uint8Array[]): void => {
    runAll(inputs)
    const news = coverage.news()
    if (news.size === 0) return
    if (inputs.length === 1) {
      coverage.learn(news)
      found.push(inputs[0]!)
      kept.push(inputs[0]!)
      return
    }
    const middle = inputs.length >> 1
    explore(inputs.slice(0, middle))
    explore(inputs.slice(middle))
    // What only the whole reached, as filling a cache does, is no merit of one.
    coverage.learn(news)
  }

  let failure: FuzzReport['failure'] = null
  try {
    runAll(kept)
    coverage.learn(coverage.news())
    while (!isOver(executions)) {
      explore(
        Array.from({ length: BATCH }, () =>
          mutate(pickRecent(kept, dice), dice, kept, target.bytesMax ?? BYTES_MAX),
        ),
      )
    }
  } catch (error) {
    if (!(error instanceof Broken)) throw error
    failure = { input: error.input, error: error.cause }
  } finally {
    coverage.stop()
  }
  return {
    executions,
    functions: coverage.functions,
    wholeFunctions: coverage.wholeFunctions,
    found,
    failure,
  }
}

class Broken extends Error {
  readonly input: Uint8Array

  constructor(input: Uint8Array, cause: unknown) {
    super('a property is broken', { cause })
    this.input = input
  }
}

/** Newer inputs are deeper: half of the picks are among the last 16. */
function pickRecent(kept: readonly Uint8Array[], dice: Dice): Uint8Array {
  return dice.roll(2) === 0 ? dice.pick(kept) : dice.pick(kept.slice(-16))
}
