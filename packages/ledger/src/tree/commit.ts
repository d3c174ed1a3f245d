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
  INLINE_VALUE_BYTES_MAX,
  PageReference,
  type Inner,
  type Leaf,
  type Node,
} from './node.ts'
import {
  collectFromPacked,
  collectFromPage,
  innerBytes,
  leafBytes,
  PageEncoder,
  REFERENCE_BYTES,
  rootBytes,
  type PackedNode,
  type StoredItems,
} from './page.ts'
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

type StaleItems = Pick<StateCommit, 'stalePages' | 'staleValues'>

/**
 * @param beforePage the root page of the version committed last, or 0.
 * @param after a version that was made from it; its hashes are known.
 */
export function commitNode(
  cache: PageCache,
  beforePage: number,
  after: Node | null,
  firstId: number,
  pageBytesMax: number,
): StateCommit {
  const { stalePages, staleValues } = findStale(cache, beforePage, findShared(after))
  for (const id of stalePages) cache.drop(id)
  const writer = new PageCutter(cache, firstId, pageBytesMax)
  const reference = after === null ? null : writer.cut(after)
  const { pages, values, nextId } = writer
  const root = { rootPage: reference?.page ?? 0, root: reference?.hash ?? ZERO_HASH }
  return { ...root, pages, values, stalePages, staleValues, nextId }
}

/** The pages on which the new part stands, and the values of leaves in it that are stored already. */
function findShared(root: Node | null): StoredItems {
  const shared: StoredItems = { pages: new Set(), values: new Set() }
  const open: Node[] = root === null ? [] : [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind === 'packed') collectFromPacked(node, shared)
    else if (node.kind === 'leaf') {
      if (node.valueId !== 0) shared.values.add(node.valueId)
    } else if (node.page !== 0) shared.pages.add(node.page)
    else if (node.kind === 'inner') open.push(node.right, node.left)
  }
  return shared
}

/** What the version before reaches beyond what is shared. */
function findStale(cache: PageCache, rootPage: number, shared: StoredItems): StaleItems {
  const reached: StoredItems = { pages: new Set(), values: new Set() }
  if (rootPage !== 0) reached.pages.add(rootPage)
  // A set also yields what is added to it on the way.
  for (const page of reached.pages) {
    if (!shared.pages.has(page)) collectFromPage(cache.readPage(page), reached)
  }
  return {
    stalePages: without(reached.pages, shared.pages),
    staleValues: without(reached.values, shared.values),
  }
}

function without(ids: ReadonlySet<number>, shared: ReadonlySet<number>): number[] {
  return [...ids].filter((id) => !shared.has(id)).toSorted((a, b) => a - b)
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
    const settled = settle(root, ROOT_EDGE)
    if (settled.kind === 'page') return settled
    assert(settled.kind !== 'packed', 'a root hangs on no edge')
    this.#measure(settled)
    return this.#write(settled)
  }

  /** Cuts off what does not fit into the page of `root`. Parents wait in `open` until both children are measured. */
  #measure(root: Leaf | Inner): void {
    const open: OpenNode[] = []
    let node: Node = root
    let parentBits = ROOT_EDGE
    for (;;) {
      let bytes: number
      if (node.kind === 'inner') {
        node.left = settle(node.left, node.bits)
        node.right = settle(node.right, node.bits)
        open.push({ node, parentBits, leftBytes: -1 })
        parentBits = node.bits
        node = node.left
        continue
      } else if (node.kind === 'leaf') bytes = this.#measureLeaf(node, parentBits)
      else bytes = node.kind === 'packed' ? node.length : REFERENCE_BYTES

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
      if (canCut(node.left) && (left >= right || !canCut(node.right))) {
        node.left = this.#cutBelow(node.left)
        left = REFERENCE_BYTES
      } else {
        assert(canCut(node.right), 'a node with two leaves must fit into a page')
        node.right = this.#cutBelow(node.right)
        right = REFERENCE_BYTES
      }
    }
    return innerBytes(node, parentBits) + left + right
  }

  /** A packed node is measured only now: as the root of a page it tells its whole prefix, and may outgrow it. */
  #cutBelow(node: Inner | PackedNode): PageReference {
    return node.kind === 'packed' ? this.cut(node) : this.#write(node)
  }

  #write(root: Leaf | Inner): PageReference {
    const id = this.nextId++
    const bytes = this.#encoder.encode(root)
    assert(
      bytes.length <= this.#pageBytesMax,
      `page of ${bytes.length} bytes, at most ${this.#pageBytesMax} allowed`,
    )
    this.pages.push([id, bytes])
    this.#cache.holdPage(id, bytes)
    if (root.kind === 'inner') root.page = id
    return new PageReference(id, hashNode(root))
  }
}

/** The node in the form in which it can be written below a node that branches at `parentBits`. */
function settle(node: Node, parentBits: number): Node {
  if (node.kind === 'inner' && node.page !== 0) return new PageReference(node.page, hashNode(node))
  return node.kind === 'packed' && node.parentBits !== parentBits ? node.unpack() : node
}

function canCut(node: Node): node is Inner | PackedNode {
  return node.kind === 'inner' || (node.kind === 'packed' && node.isInner)
}
