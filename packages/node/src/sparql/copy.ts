/**
 * A copy of the graphs in a thread, which is made anew when it is lost.
 * @module
 */
import type { IndexedBlock, GraphSource } from './source.ts'
import { StoreThread } from './store-thread.ts'
import type { ThreadResult } from './store-thread.ts'
import type { WorkerQuery } from './messages.ts'

/** `loading`: being built; `idle`: waits for queries; `busy`: answers one; `lost`: over, another takes its place. */
export type CopyState = 'loading' | 'idle' | 'busy' | 'lost'

export class GraphCopy {
  readonly #thread: StoreThread
  readonly #source: GraphSource
  /** Blocks that became final while the statements before them were being loaded. */
  #missed: IndexedBlock[] = []
  /** What it was built at; the blocks up to there are in it. */
  #builtHeight = -1
  state: CopyState = 'loading'
  /** Resolves when it is idle for the first time, or lost. */
  readonly built: Promise<void>

  constructor(file: URL, source: GraphSource, height: number) {
    this.#thread = new StoreThread(file)
    this.#source = source
    this.built = this.#build(height)
    void this.#thread.ended.then(() => (this.state = 'lost'))
  }

  /** Resolves with the reason. */
  get lost(): Promise<string> {
    return this.#thread.ended
  }

  apply(block: IndexedBlock): void {
    if (this.state === 'loading') this.#missed.push(block)
    else if (block.height > this.#builtHeight) this.#thread.apply(block)
  }

  async query(query: WorkerQuery): Promise<ThreadResult> {
    this.state = 'busy'
    const result = await this.#thread.query(query)
    if (result.kind === 'failed' && result.failure.reason === 'broken') {
      void this.end(`a query broke it: ${result.failure.message}`)
    }
    if (this.state === 'busy') this.state = 'idle'
    return result
  }

  end(reason: string): Promise<void> {
    this.state = 'lost'
    return this.#thread.end(reason)
  }

  async #build(height: number): Promise<void> {
    const reading = this.#source.read(height)
    if (reading === null) return this.end(`the state of height ${height} is not kept`)
    try {
      for (const piece of reading.statements) if (!(await this.#thread.load(piece))) return
    } catch (error) {
      // The state is no longer kept: blocks came faster than it could be read.
      return this.end(`reading height ${reading.height} failed: ${String(error)}`)
    }
    this.#thread.name(reading.names ?? [])
    this.#thread.loaded(reading.height)
    for (const block of reading.blocks) this.#thread.apply(block)
    // Of several blocks that are committed at once, all are in the state before the first is followed.
    for (const block of this.#missed) if (block.height > height) this.#thread.apply(block)
    this.#missed = []
    this.#builtHeight = height
    if (this.state === 'loading') this.state = 'idle'
  }
}
