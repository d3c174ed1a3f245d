/**
 * Nodes of the state trie in memory.
 * N1  what a node stands for (its entries, and so its hash) never changes once an update has ended
 * N2  a child may be replaced by a reference to the page that holds it, and a long value by its id: same meaning
 * @module
 */
import { innerHash, keyBit, leafHash, sha256, type Hash } from '@althing/base'
import type { PackedNode } from './page.ts'

/** Values of up to so many bytes stand in the leaf; longer ones are stored apart, under an id. */
export const INLINE_VALUE_BYTES_MAX = 64

export class Leaf {
  readonly kind = 'leaf'
  readonly key: Uint8Array
  /** Null when it is stored under `valueId` and was not read. */
  value: Uint8Array | null
  /** 0 when the value is short or not stored yet. */
  valueId: number
  /** Kept for long values only. */
  valueHash: Hash | null
  hash: Hash | null = null

  constructor(key: Uint8Array, value: Uint8Array | null, valueId = 0, valueHash: Hash | null = null) {
    this.key = key
    this.value = value
    this.valueId = valueId
    this.valueHash = valueHash
  }
}

export class Inner {
  readonly kind = 'inner'
  /** The branching bit: how many bits all keys below have in common. */
  readonly bits: number
  /** Any key that starts with the common bits, or at least the bytes that these cover. */
  readonly key: Uint8Array
  left: Node
  right: Node
  hash: Hash | null = null
  /** The page of which this node is the root; 0 when it is inside one or not stored. */
  page = 0
  /** The update that made this node, and may still change it. */
  readonly update: number

  constructor(bits: number, key: Uint8Array, left: Node, right: Node, update = 0) {
    this.bits = bits
    this.key = key
    this.left = left
    this.right = right
    this.update = update
  }
}

/** A subtree that is stored as a page. */
export class PageReference {
  readonly kind = 'page'
  readonly page: number
  readonly hash: Hash

  constructor(page: number, hash: Hash) {
    this.page = page
    this.hash = hash
  }
}

export type LoadedNode = Leaf | Inner
export type Node = LoadedNode | PageReference | PackedNode

/** Where the parts of the tree that are not in memory come from. */
export interface NodeSource {
  load(reference: PageReference): LoadedNode
  /** The only leaf of the page that can have this key, or the page where to look further. */
  follow(reference: PageReference, key: Uint8Array): Leaf | PageReference
  readValue(leaf: Leaf): Uint8Array
}

export function resolve(source: NodeSource, node: Node): LoadedNode {
  const opened = node.kind === 'packed' ? node.unpack() : node
  return opened.kind === 'page' ? source.load(opened) : opened
}

/** The only leaf that can have this key. */
export function findLeaf(source: NodeSource, root: Node, key: Uint8Array): Leaf {
  let node = root
  while (node.kind !== 'leaf') {
    if (node.kind === 'inner') node = keyBit(key, node.bits) === 0 ? node.left : node.right
    else node = node.kind === 'packed' ? node.follow(key) : source.follow(node, key)
  }
  return node
}

/** The hash of a subtree; computes and keeps the hashes that are missing in it. */
export function hashNode(root: Node): Hash {
  if (root.kind === 'leaf') return hashLeaf(root)
  if (root.kind !== 'inner' || root.hash !== null) return root.hash!
  const open: Inner[] = [root]
  for (let node = open.at(-1); node !== undefined; node = open.at(-1)) {
    const { left, right } = node
    if (left.kind === 'inner' && left.hash === null) open.push(left)
    else if (right.kind === 'inner' && right.hash === null) open.push(right)
    else {
      node.hash = innerHash(node.key, node.bits, hashNode(left), hashNode(right))
      open.pop()
    }
  }
  return hashNode(root)
}

function hashLeaf(leaf: Leaf): Hash {
  return (leaf.hash ??= leafHash(leaf.key, hashValue(leaf)))
}

/** The hash of a leaf's value. */
export function hashValue(leaf: Leaf): Hash {
  if (leaf.valueHash !== null) return leaf.valueHash
  const hash = sha256(leaf.value!)
  if (leaf.value!.length > INLINE_VALUE_BYTES_MAX) leaf.valueHash = hash
  return hash
}
