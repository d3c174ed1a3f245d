import type { StateCommit, StateReference, StateTree, StateVersion, TreeStore } from '../src/tree/index.ts'

/** A store in memory that keeps versions for a window, as a node does: one commit per height. */
export class MemoryTreeStore implements TreeStore {
  readonly pages = new Map<number, Uint8Array>()
  readonly values = new Map<number, Uint8Array>()
  readonly rootByHeight = new Map<number, StateReference>()
  height = 0
  #stale: { height: number; pages: readonly number[]; values: readonly number[] }[] = []

  readPage(id: number): Uint8Array | undefined {
    return this.pages.get(id)
  }

  readValue(id: number): Uint8Array | undefined {
    return this.values.get(id)
  }

  write(commit: StateCommit): void {
    for (const [id, bytes] of commit.pages) this.pages.set(id, bytes)
    for (const [id, bytes] of commit.values) this.values.set(id, bytes)
    this.height++
    this.rootByHeight.set(this.height, commit)
    this.#stale.push({ height: this.height, pages: commit.stalePages, values: commit.staleValues })
  }

  /** Deletes what no version from `oldestKept` on needs. */
  prune(oldestKept: number): void {
    for (const height of this.rootByHeight.keys()) if (height < oldestKept) this.rootByHeight.delete(height)
    for (const { pages, values } of this.#stale.filter(({ height }) => height <= oldestKept)) {
      for (const id of pages) this.pages.delete(id)
      for (const id of values) this.values.delete(id)
    }
    this.#stale = this.#stale.filter(({ height }) => height > oldestKept)
  }
}

export function commitTo(store: MemoryTreeStore, tree: StateTree, version: StateVersion): StateCommit {
  const commit = tree.commit(version)
  store.write(commit)
  tree.written(commit.nextId)
  return commit
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** The plain map's entries of a range, by key text, in bytewise order. Keys are latin-1 text. */
export function sliceOf(model: ReadonlyMap<string, Uint8Array>, start: string, end: string | null) {
  return [...model]
    .filter(([key]) => key >= start && (end === null || key < end))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key: latin(key), value }))
}

export function latin(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}
