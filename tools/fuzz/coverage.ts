/**
 * What of our code has run, as V8 counts it: for each function the parts that never did.
 * @module
 */
import { Session } from 'node:inspector'
import type { Profiler } from 'node:inspector'

/** Offsets in a script, the end excluded. */
type Part = readonly [start: number, end: number]

/** The parts that have not run, by function. A function that has not run at all is not in it. */
export type Unreached = ReadonlyMap<string, readonly Part[]>

export class Coverage {
  readonly #session = new Session()
  readonly #isOurs: (url: string) => boolean
  readonly #unreached = new Map<string, readonly Part[]>()

  /** @param isOurs which scripts count, by URL. */
  constructor(isOurs: (url: string) => boolean) {
    this.#isOurs = isOurs
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  get functions(): number {
    return this.#unreached.size
  }

  /** Functions of which every part has run. */
  get wholeFunctions(): number {
    return [...this.#unreached.values()].filter((parts) => parts.length === 0).length
  }

  /** @returns what is left of the functions that reached further since the last call than ever before. */
  news(): Unreached {
    const news = new Map<string, readonly Part[]>()
    for (const { scriptId, url, functions } of this.#take()) {
      if (!this.#isOurs(url)) continue
      for (const { ranges } of functions) {
        const [whole] = ranges
        if (whole!.count === 0) continue
        const key = `${scriptId}:${whole!.startOffset}:${whole!.endOffset}`
        const missed = ranges.flatMap(({ count, startOffset, endOffset }): Part[] =>
          count === 0 ? [[startOffset, endOffset]] : [],
        )
        const before = this.#unreached.get(key)
        const left = before === undefined ? missed : intersection(before, missed)
        if (before === undefined || lengthOf(left) < lengthOf(before)) news.set(key, left)
      }
    }
    return news
  }

  learn(news: Unreached): void {
    for (const [key, parts] of news) this.#unreached.set(key, parts)
  }

  stop(): void {
    this.#session.disconnect()
  }

  #take(): readonly Profiler.ScriptCoverage[] {
    let result: readonly Profiler.ScriptCoverage[] = []
    // The inspector answers before `post` returns when it inspects its own thread.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error !== null) throw error
      result = answer.result
    })
    return result
  }
}

function intersection(some: readonly Part[], others: readonly Part[]): Part[] {
  return some.flatMap(([start, end]) =>
    others.flatMap(([from, to]): Part[] => {
      const common: Part = [Math.max(start, from), Math.min(end, to)]
      return common[0] < common[1] ? [common] : []
    }),
  )
}

function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, [start, end]) => sum + end - start, 0)
}
