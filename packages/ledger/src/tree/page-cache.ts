/**
 * Decoded pages, bounded by memory, over the store. Pages and values of a commit are held until they can be read
 * from the store.
 * @module
 */
import { assert } from '@althing/base'
import type { Leaf, LoadedNode, NodeSource, PageReference } from './node.ts'
import { decodePage } from './page.ts'
import { StateError } from './state-error.ts'

/** Where pages and long values were written. Both reads are synchronous. */
export interface TreeStore {
  readPage(id: number): Uint8Array | undefined
  readValue(id: number): Uint8Array | undefined
}

interface CachedPage {
  readonly root: LoadedNode
  /** Encoded size. */
  readonly bytes: number
  isUsed: boolean
}

/** What a decoded page occupies, in multiples of its encoded bytes: 8 to 14 were measured, more for shorter entries. */
const DECODED_PER_ENCODED = 12

export class PageCache implements NodeSource {
  readonly #store: TreeStore
  readonly #encodedBytesMax: number
  /** In the order in which the clock's hand passes. */
  readonly #cachedById = new Map<number, CachedPage>()
  #encodedBytes = 0
  readonly #unwrittenPageById = new Map<number, CachedPage>()
  readonly #unwrittenValueById = new Map<number, Uint8Array>()

  constructor(store: TreeStore, cacheBytesMax: number) {
    this.#store = store
    this.#encodedBytesMax = cacheBytesMax / DECODED_PER_ENCODED
  }

  load({ page, hash }: PageReference): LoadedNode {
    const cached = this.#cachedById.get(page) ?? this.#unwrittenPageById.get(page)
    if (cached !== undefined) {
      cached.isUsed = true
      return cached.root
    }
    const bytes = this.#store.readPage(page)
    if (bytes === undefined) throw missing('page', page)
    const root = decodePage(page, hash, bytes)
    this.#add(page, { root, bytes: bytes.length, isUsed: false })
    return root
  }

  readValue(leaf: Leaf): Uint8Array {
    if (leaf.value !== null) return leaf.value
    const value = this.#unwrittenValueById.get(leaf.valueId) ?? this.#store.readValue(leaf.valueId)
    if (value === undefined) throw missing('value', leaf.valueId)
    return value
  }

  holdPage(id: number, root: LoadedNode, bytes: number): void {
    this.#unwrittenPageById.set(id, { root, bytes, isUsed: true })
  }

  holdValue(id: number, value: Uint8Array): void {
    this.#unwrittenValueById.set(id, value)
  }

  /** From now on the store has all pages and values with ids below `nextId`. */
  release(nextId: number): void {
    for (const [id, page] of this.#unwrittenPageById) {
      if (id >= nextId) break
      this.#unwrittenPageById.delete(id)
      this.#add(id, page)
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
    this.#encodedBytes -= cached.bytes
  }

  /** Second chance: a page that was used since the hand last passed stays for another round. */
  #add(id: number, page: CachedPage): void {
    assert(!this.#cachedById.has(id), `page ${id} must be cached once`)
    this.#cachedById.set(id, page)
    this.#encodedBytes += page.bytes
    while (this.#encodedBytes > this.#encodedBytesMax && this.#cachedById.size > 1) {
      const [oldestId, oldest] = this.#cachedById.entries().next().value!
      this.#cachedById.delete(oldestId)
      if (oldest.isUsed) {
        oldest.isUsed = false
        this.#cachedById.set(oldestId, oldest)
      } else this.#encodedBytes -= oldest.bytes
    }
  }
}

function missing(what: 'page' | 'value', id: number): StateError {
  return new StateError('STATE_CORRUPT', `state ${what} ${id} is missing; delete the state and sync again`)
}
