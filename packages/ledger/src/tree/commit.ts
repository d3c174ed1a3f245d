/**
 * Turns what is new in a version of the tree into pages, and finds what the version before it no longer shares.
 * The new part is cut from below into pages that are as full as they can be (after Kundu and Misra, "A linear tree
 * partitioning algorithm", 1977): a node that outgrows a page gives away its heavier child.
 * C1  a page that the new version shares with the old one is neither written nor stale
 * C2  a page is stale when the old version reaches it and the new one does not; the same for values
 * @module
 */
import { assert, ROOT_EDGE, ZERO_HASH, type Hash } from '@althing/base'
import {
  hashNode,
  hashValue,
  Inner,
  INLINE_VALUE_BYTES_MAX,
  PageReference,
  type Leaf,
  type Node,
} from './node.ts'
import { innerBytes, leafBytes, PageEncoder, REFERENCE_BYTES, rootBytes } from './page.ts'
import type { PageCache } from './page-cache.ts'

/** Where a committed version starts. */
export interface StateReference {
  /** The page of the root node; 0 when the state is empty. */
  readonly rootPage: number
  /** The state root. */
  readonly root: Hash
}

/** What to write and what may be deleted later. Ids only grow, and each list is in the order of its ids. */
export interface StateCommit extends StateReference {
  readonly pages: readonly (readonly [id: number, bytes: Uint8Array])[]
  readonly values: readonly (readonly [id: number, bytes: Uint8Array])[]
  /** Deletable as soon as no version before this one is kept. */
  readonly stalePages: readonly number[]
  /** Deletable as soon as no version before this one is kept. */
  readonly staleValues: readonly number[]
  /** To be stored with the root, and given to the tree when it is opened again. */
  readonly nextId: number
}

/** What a version shares with the pages that are stored. */
interface Shared {
  readonly pages: Set<number>
  readonly values: Set<number>
}

/** @param before the version committed last. @param after a version that was made from it; its hashes are known. */
export function commitNode(
  cache: PageCache,
  before: Node | null,
  after: Node | null,
  firstId: number,
  pageBytesMax: number,
): StateCommit {
  const { stalePages, staleValues } = findStale(cache, before, findShared(after))
  for (const id of stalePages) cache.drop(id)
  const writer = new PageCutter(cache, firstId, pageBytesMax)
  const reference = after === null ? null : writer.cut(after)
  const { pages, values, nextId } = writer
  const root = { rootPage: reference?.page ?? 0, root: reference?.hash ?? ZERO_HASH }
  return { ...root, pages, values, stalePages, staleValues, nextId }
}

/** The pages on which the new part stands, and the values of leaves in it that are stored already. */
function findShared(root: Node | null): Shared {
  const shared: Shared = { pages: new Set(), values: new Set() }
  const open: Node[] = root === null ? [] : [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const page = storedPage(node)
    if (page !== 0) shared.pages.add(page)
    else if (node.kind === 'inner') open.push(node.right, node.left)
    else if (node.kind === 'leaf' && node.valueId !== 0) shared.values.add(node.valueId)
  }
  return shared
}

function findStale(
  cache: PageCache,
  root: Node | null,
  shared: Shared,
): { stalePages: number[]; staleValues: number[] } {
  const stalePages: number[] = []
  const staleValues: number[] = []
  const open: Node[] = root === null ? [] : [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const page = storedPage(node)
    if (page !== 0) {
      if (shared.pages.has(page)) continue
      stalePages.push(page)
    }
    const loaded = node.kind === 'page' ? cache.load(node) : node
    if (loaded.kind === 'inner') open.push(loaded.right, loaded.left)
    else if (loaded.valueId !== 0 && !shared.values.has(loaded.valueId)) staleValues.push(loaded.valueId)
  }
  return { stalePages: stalePages.toSorted(ascending), staleValues: staleValues.toSorted(ascending) }
}

function ascending(a: number, b: number): number {
  return a - b
}

/** The page of which the node is the root, or 0. */
function storedPage(node: Node): number {
  return node.kind === 'leaf' ? 0 : node.page
}

/** An inner node whose children are being cut. */
interface OpenNode {
  readonly node: Inner
  readonly parentBits: number
  /** -1 until known; what the left child takes in the page of this node. */
  leftBytes: number
}

class PageCutter {
  readonly pages: [number, Uint8Array][] = []
  readonly values: [number, Uint8Array][] = []
  nextId: number
  readonly #cache: PageCache
  readonly #pageBytesMax: number
  readonly #encoder = new PageEncoder()

  constructor(cache: PageCache, firstId: number, pageBytesMax: number) {
    this.#cache = cache
    this.nextId = firstId
    this.#pageBytesMax = pageBytesMax
  }

  /** Writes all that is new below and including `root`. */
  cut(root: Node): PageReference {
    const stored = asReference(root)
    if (stored.kind === 'page') return stored
    this.#measure(stored)
    return this.#write(stored)
  }

  /** Cuts off what does not fit into the page of `root`. Parents wait in `open` until both children are measured. */
  #measure(root: Leaf | Inner): void {
    const open: OpenNode[] = []
    let node: Node = root
    let parentBits = ROOT_EDGE
    for (;;) {
      let bytes: number
      if (node.kind === 'inner') {
        node.left = asReference(node.left)
        node.right = asReference(node.right)
        open.push({ node, parentBits, leftBytes: -1 })
        parentBits = node.bits
        node = node.left
        continue
      } else if (node.kind === 'leaf') bytes = this.#measureLeaf(node, parentBits)
      else bytes = REFERENCE_BYTES

      let parent = open.at(-1)
      while (parent !== undefined && parent.leftBytes !== -1) {
        bytes = this.#measureInner(parent, bytes)
        open.pop()
        parent = open.at(-1)
      }
      if (parent === undefined) return
      parent.leftBytes = bytes
      parentBits = parent.node.bits
      node = parent.node.right
    }
  }

  #measureLeaf(leaf: Leaf, parentBits: number): number {
    if (leaf.value !== null && leaf.valueId === 0 && leaf.value.length > INLINE_VALUE_BYTES_MAX) {
      hashValue(leaf)
      leaf.valueId = this.nextId++
      this.values.push([leaf.valueId, leaf.value])
      this.#cache.holdValue(leaf.valueId, leaf.value)
      leaf.value = null
    }
    return leafBytes(leaf, parentBits)
  }

  /** @returns what the node and the children that stay with it take in the page of its parent. */
  #measureInner({ node, parentBits, leftBytes }: OpenNode, rightBytes: number): number {
    let left = leftBytes
    let right = rightBytes
    const own = Math.max(innerBytes(node, parentBits), rootBytes(node))
    while (own + left + right > this.#pageBytesMax) {
      if (node.left.kind === 'inner' && (left >= right || node.right.kind !== 'inner')) {
        node.left = this.#write(node.left)
        left = REFERENCE_BYTES
      } else {
        assert(node.right.kind === 'inner', 'a node with two leaves must fit into a page')
        node.right = this.#write(node.right)
        right = REFERENCE_BYTES
      }
    }
    return innerBytes(node, parentBits) + left + right
  }

  #write(root: Leaf | Inner): PageReference {
    const id = this.nextId++
    const bytes = this.#encoder.encode(root)
    assert(
      bytes.length <= this.#pageBytesMax,
      `page of ${bytes.length} bytes, at most ${this.#pageBytesMax} allowed`,
    )
    this.pages.push([id, bytes])
    this.#cache.holdPage(id, root, bytes.length)
    if (root.kind === 'inner') root.page = id
    return new PageReference(id, hashNode(root))
  }
}

/** The node itself, or a reference to the page that it is the root of. */
function asReference(node: Node): Node {
  return node.kind === 'inner' && node.page !== 0 ? new PageReference(node.page, hashNode(node)) : node
}
