/**
 * A copy of the graphs in a process, which is made anew when it is lost.
 * @module
 */
import type { IndexedBlock, GraphSource } from './source.ts'
import { StoreProcess } from './store-process.ts'
import type { StoreResult } from './store-process.ts'
import type { WorkerQuery } from './messages.ts'

/** `loading`: being built; `idle`: waits for queries; `busy`: answers one; `lost`: over, another takes its place. */
export type CopyState = 'loading' | 'idle' | 'busy' | 'lost'

export class GraphCopy {
  readonly #store: StoreProcess
  readonly #source: GraphSource
  /** Blocks that became final while the statements before them were being loaded. */
  #missed: IndexedBlock[] = []
  /** What it was built at; the blocks up to there are in it. */
  #builtHeight = -1
  /** Blocks were sent since the last answer. */
  #isBehind = false
  state: CopyState = 'loading'
  /** Resolves when it is idle for the first time, or lost. */
  readonly built: Promise<void>

  constructor(file: URL, source: GraphSource, height: number) {
    this.#store = new StoreProcess(file)
    this.#source = source
    this.built = this.#build(height)
    void this.#store.ended.then(() => (this.state = 'lost'))
  }

  /** Resolves with the reason. */
  get lost(): Promise<string> {
    return this.#store.ended
  }

  /** Null when it is lost, or the system does not tell. */
  memoryBytes(): Promise<number | null> {
    return this.#store.memoryBytes()
  }

  apply(block: IndexedBlock): void {
    if (this.state === 'loading') this.#missed.push(block)
    else if (block.height > this.#builtHeight) {
      this.#isBehind = true
      this.#store.apply(block)
    }
  }

  /** @param begun called when the copy has taken all blocks before, and turns to the query. */
  async query(query: WorkerQuery, begun: () => void): Promise<StoreResult> {
    this.state = 'busy'
    while (this.#isBehind) {
      this.#isBehind = false
      await this.#store.load('')
    }
    begun()
    const result = await this.#store.query(query)
    if (result.kind === 'failed' && result.failure.reason === 'broken') {
      void this.end(`a query broke it: ${result.failure.message}`)
    }
    if (this.state === 'busy') this.state = 'idle'
    return result
  }

  end(reason: string): Promise<void> {
    this.state = 'lost'
    return this.#store.end(reason)
  }

  async #build(height: number): Promise<void> {
    const reading = this.#source.read(height)
    if (reading === null) return this.end(`the state of height ${height} is not kept`)
    try {
      for (const piece of reading.statements) if (!(await this.#store.load(piece))) return
    } catch (error) {
      // The state is no longer kept: blocks came faster than it could be read.
      return this.end(`reading height ${reading.height} failed: ${String(error)}`)
    }
    this.#store.name(reading.names ?? [])
    this.#store.loaded(reading.height)
    for (const block of reading.blocks) this.#store.apply(block)
    // Of several blocks that are committed at once, all are in the state before the first is followed.
    for (const block of this.#missed) if (block.height > height) this.#store.apply(block)
    this.#missed = []
    this.#builtHeight = height
    if (this.state === 'loading') this.state = 'idle'
  }
}
