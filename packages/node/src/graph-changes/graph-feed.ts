/**
 * Tells whoever asks what final blocks change in the graphs.
 * F1  a listener gets what fits its pattern in the order of heights, one thing at a time; a promise that it returns is
 *     waited for
 * F2  no listener holds up the node or another listener: what it has not taken yet waits in bounded room, and beyond that it is
 *     told which heights it missed
 * F3  a listener that throws is told nothing any more
 * @module
 */
import { assert } from '@althing/base'
import type { Log } from '@althing/base'
import type { IndexedBlock } from '../sparql/source.ts'
import { changesOfBlock, charactersOf, fittingPart } from './pattern.ts'
import type { GraphChanged, GraphPattern } from './pattern.ts'

/** Some of what changed at these heights, both included, was not told: `changesSince` or a query has it. */
export interface GraphChangesMissed {
  readonly kind: 'graphChangesMissed'
  readonly fromHeight: number
  readonly toHeight: number
}

export type GraphListener = (event: GraphChanged | GraphChangesMissed) => void | Promise<void>

export interface ChangeSource {
  /** Of the newest final block. */
  readonly height: number
  /** What the blocks after `from`, up to `to`, changed in all graphs; null when it is not remembered. */
  changes(from: number, to: number): readonly IndexedBlock[] | null
}

export interface ChangesPage {
  readonly changes: readonly GraphChanged[]
  /** All changes up to this height are here or before. */
  readonly height: number
}

/** What waits for one listener, in characters of statements. */
const WAITING_CHARACTERS_MAX = 8_388_608
const LISTENERS_MAX = 1_024
/** Of one page, unless a single block has more. */
const PAGE_CHARACTERS_MAX = 1_048_576
/** Heights that are looked through for one page. */
const PAGE_HEIGHTS_MAX = 4_096

export class GraphFeed {
  readonly #source: ChangeSource
  readonly #log: Log
  readonly #listeners = new Set<Listening>()
  readonly #waiters = new Set<{ readonly pattern: GraphPattern; readonly wake: () => void }>()

  constructor(source: ChangeSource, log: Log) {
    this.#source = source
    this.#log = log
  }

  /** @returns how to stop listening; what waits is not told any more then. */
  subscribe(pattern: GraphPattern, listener: GraphListener): () => void {
    assert(this.#listeners.size < LISTENERS_MAX, `more than ${LISTENERS_MAX} listen to graphs`)
    const listening = new Listening(pattern, listener, (error) => {
      this.#listeners.delete(listening)
      this.#log.warn('a listener to graphs threw, and is told nothing any more', { error: String(error) })
    })
    this.#listeners.add(listening)
    return () => {
      this.#listeners.delete(listening)
      listening.stop()
    }
  }

  /** Block `height` is final, and the source knows it. @param emit told all, at once; null when nobody listens there. */
  follow(height: number, emit: ((event: GraphChanged) => void) | null): void {
    if (emit === null && this.#listeners.size + this.#waiters.size === 0) return
    const [block] = this.#source.changes(height - 1, height) ?? []
    if (block === undefined) return
    for (const change of changesOfBlock(block)) {
      emit?.(change)
      for (const listening of this.#listeners) listening.note(change)
      for (const { pattern, wake } of this.#waiters) if (fittingPart(change, pattern) !== null) wake()
    }
  }

  /**
   * What fits of the blocks after `from`: as much as fits in a page, which may be nothing. Ask again from its height.
   * @returns null when `from` is above the newest height, or what followed it is no longer remembered.
   */
  changesSince(from: number, pattern: GraphPattern): ChangesPage | null {
    const changes: GraphChanged[] = []
    let characters = 0
    const to = Math.min(this.#source.height, from + PAGE_HEIGHTS_MAX)
    if (from > to) return null
    for (let at = from + 1; at <= to; at++) {
      const [block] = this.#source.changes(at - 1, at) ?? []
      if (block === undefined) return null
      const fitting = changesOfBlock(block).flatMap((change) => fittingPart(change, pattern) ?? [])
      const more = fitting.reduce((sum, change) => sum + charactersOf(change), 0)
      if (changes.length > 0 && characters + more > PAGE_CHARACTERS_MAX) return { changes, height: at - 1 }
      changes.push(...fitting)
      characters += more
    }
    return { changes, height: to }
  }

  /** Resolves when something that fits becomes final, and after `ms` at the latest. */
  next(pattern: GraphPattern, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
        resolve()
      }
      const waiter = { pattern, wake }
      const timer = setTimeout(wake, ms).unref()
      this.#waiters.add(waiter)
    })
  }

  /** Who waits in `next`. */
  get waiting(): number {
    return this.#waiters.size
  }

  /** Nobody is told anything any more. */
  stop(): void {
    for (const listening of this.#listeners) listening.stop()
    this.#listeners.clear()
    for (const { wake } of this.#waiters) wake()
  }
}

class Listening {
  readonly #pattern: GraphPattern
  readonly #listener: GraphListener
  readonly #failed: (error: unknown) => void
  #waiting: (GraphChanged | GraphChangesMissed)[] = []
  #characters = 0
  #isTelling = false
  #isStopped = false

  constructor(pattern: GraphPattern, listener: GraphListener, failed: (error: unknown) => void) {
    this.#pattern = pattern
    this.#listener = listener
    this.#failed = failed
  }

  note(change: GraphChanged): void {
    const fitting = fittingPart(change, this.#pattern)
    if (fitting === null) return
    const characters = charactersOf(fitting)
    const last = this.#waiting.at(-1)
    if (last?.kind === 'graphChangesMissed' || this.#characters + characters > WAITING_CHARACTERS_MAX) {
      this.#miss(last, change.height)
    } else {
      this.#waiting.push(fitting)
      this.#characters += characters
    }
    void this.#tell()
  }

  stop(): void {
    this.#isStopped = true
    this.#waiting = []
  }

  /** From the first that has no room on, until all that waits was taken. */
  #miss(last: GraphChanged | GraphChangesMissed | undefined, height: number): void {
    const isMissing = last?.kind === 'graphChangesMissed'
    const fromHeight = isMissing ? last.fromHeight : height
    if (isMissing) this.#waiting.pop()
    this.#waiting.push({ kind: 'graphChangesMissed', fromHeight, toHeight: height })
  }

  async #tell(): Promise<void> {
    if (this.#isTelling) return
    this.#isTelling = true
    try {
      // Not in the course of the block that is being committed.
      await new Promise((resolve) => setImmediate(resolve))
      for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
        if (event.kind === 'graphChanged') this.#characters -= charactersOf(event)
        await this.#listener(event)
        if (this.#isStopped) return
      }
    } catch (error) {
      this.stop()
      this.#failed(error)
    } finally {
      this.#isTelling = false
    }
  }
}
