/**
 * Pages in memory, bounded in bytes, over the store. Pages and values of a commit are held until they can be read
 * from the store.
 * @module
 */
import { assert } from '@althing/base'
import type { Leaf, LoadedNode, NodeSource, PageReference } from './node.ts'
import { openPage, openRoot } from './page.ts'
import { StateError } from './state-error.ts'

/** Where pages and long values were written. Both reads are synchronous; the bytes are not changed afterwards. */
export interface TreeStore {
  readPage(id: number): Uint8Array | undefined
  readValue(id: number): Uint8Array | undefined
}

interface CachedPage {
  readonly bytes: Uint8Array
  isUsed: boolean
}

/** What holding a page costs besides its bytes, about. */
const PAGE_OVERHEAD_BYTES = 300

export class PageCache implements NodeSource {
  readonly #store: TreeStore
  readonly #bytesMax: number
  /** In the order in which the clock's hand passes. */
  readonly #cachedById = new Map<number, CachedPage>()
  #bytes = 0
  readonly #unwrittenPageById = new Map<number, Uint8Array>()
  readonly #unwrittenValueById = new Map<number, Uint8Array>()

  constructor(store: TreeStore, bytesMax: number) {
    this.#store = store
    this.#bytesMax = bytesMax
  }

  load(reference: PageReference): LoadedNode {
    return openRoot(reference, this.readPage(reference.page))
  }

  follow(reference: PageReference, key: Uint8Array): Leaf | PageReference {
    return openPage(this.readPage(reference.page)).follow(key)
  }

  readPage(id: number): Uint8Array {
    const cached = this.#cachedById.get(id)
    if (cached !== undefined) {
      cached.isUsed = true
      return cached.bytes
    }
    const unwritten = this.#unwrittenPageById.get(id)
    if (unwritten !== undefined) return unwritten
    const bytes = this.#store.readPage(id)
    if (bytes === undefined) throw missing('page', id)
    this.#add(id, bytes)
    return bytes
  }

  readValue(leaf: Leaf): Uint8Array {
    if (leaf.value !== null) return leaf.value
    const value = this.#unwrittenValueById.get(leaf.valueId) ?? this.#store.readValue(leaf.valueId)
    if (value === undefined) throw missing('value', leaf.valueId)
    return value
  }

  holdPage(id: number, bytes: Uint8Array): void {
    this.#unwrittenPageById.set(id, bytes)
  }

  holdValue(id: number, value: Uint8Array): void {
    this.#unwrittenValueById.set(id, value)
  }

  /** From now on the store has all pages and values with ids below `nextId`. */
  release(nextId: number): void {
    for (const [id, bytes] of this.#unwrittenPageById) {
      if (id >= nextId) break
      this.#unwrittenPageById.delete(id)
      this.#add(id, bytes)
    }
    for (const id of this.#unwrittenValueById.keys()) {
      if (id >= nextId) break
      this.#unwrittenValueById.delete(id)
    }
  }

  /** Forgets a page that only older versions need. */
  drop(id: number): void {
    const cached = this.#cachedById.get(id)
    if (cached === undefined) return
    this.#cachedById.delete(id)
    this.#bytes -= cached.bytes.length + PAGE_OVERHEAD_BYTES
  }

  /** Second chance: a page that was used since the hand last passed stays for another round. */
  #add(id: number, bytes: Uint8Array): void {
    assert(!this.#cachedById.has(id), `page ${id} must be cached once`)
    this.#cachedById.set(id, { bytes, isUsed: true })
    this.#bytes += bytes.length + PAGE_OVERHEAD_BYTES
    for (const [oldestId, oldest] of this.#cachedById) {
      if (this.#bytes <= this.#bytesMax) return
      this.#cachedById.delete(oldestId)
      if (oldest.isUsed) this.#cachedById.set(oldestId, { bytes: oldest.bytes, isUsed: false })
      else this.#bytes -= oldest.bytes.length + PAGE_OVERHEAD_BYTES
    }
  }
}

function missing(what: 'page' | 'value', id: number): StateError {
  return new StateError('STATE_CORRUPT', `state ${what} ${id} is missing; delete the state and sync again`)
}
