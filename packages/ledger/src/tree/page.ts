/**
 * A page: a part of the trie of bounded size, stored under one id. Bytes: version (1), then the root node.
 *   0  short leaf  key suffix, value length (1 byte), value
 *   1  long leaf   key suffix, value id (u48), sha256(value)
 *   2  reference   page id (u48), hash of that page's root node
 *   3+ inner node  (2 + step to its branching bit) prefix suffix, hash (but not of the page's root: whoever refers to
 *                  the page has it), left node, right node
 * @module
 */
import {
  assert,
  HASH_BYTES,
  prefixByteLength,
  ROOT_EDGE,
  TrieReader,
  TrieWriter,
  type Hash,
  type Side,
} from '@althing/base'
import {
  hashNode,
  Inner,
  INLINE_VALUE_BYTES_MAX,
  Leaf,
  PageReference,
  type LoadedNode,
  type Node,
} from './node.ts'
import { StateError } from './state-error.ts'

const PAGE_VERSION = 1
const SHORT_LEAF = 0
const LONG_LEAF = 1
const REFERENCE = 2

/** Two leaves with the longest keys and an inner node above them fit. */
export const PAGE_BYTES_FLOOR = 2048
export const REFERENCE_BYTES = 1 + 6 + HASH_BYTES

/** An upper bound of the bytes that a leaf takes in a page. */
export function leafBytes(leaf: Leaf, parentBits: number): number {
  const suffix = leaf.key.length - (((parentBits + 1) / 9) | 0)
  const isShort = leaf.value !== null && leaf.value.length <= INLINE_VALUE_BYTES_MAX
  return 3 + suffix + (isShort ? 1 + leaf.value!.length : 6 + HASH_BYTES)
}

/** An upper bound of the bytes that an inner node, without its children, takes as the root of a page. */
export function rootBytes(inner: Inner): number {
  return 4 + prefixByteLength(inner.bits)
}

/** An upper bound of the bytes that an inner node, without its children, takes below another one. */
export function innerBytes(inner: Inner, parentBits: number): number {
  return 2 + prefixByteLength(inner.bits) - (((parentBits + 1) / 9) | 0) + 1 + HASH_BYTES
}

/** Encodes a node and what is below it, up to the references. */
export class PageEncoder {
  readonly #writer = new TrieWriter(4096)

  encode(root: LoadedNode): Uint8Array {
    this.#writer.reset()
    this.#writer.byte(PAGE_VERSION)
    this.#node(root, ROOT_EDGE)
    return this.#writer.finish()
  }

  #node(node: Node, parentBits: number): void {
    const writer = this.#writer
    if (node.kind === 'inner') {
      writer.varint(REFERENCE + node.bits - parentBits)
      writer.prefix(parentBits, node.bits, node.key)
      if (parentBits !== ROOT_EDGE) writer.bytes(hashNode(node))
      this.#node(node.left, node.bits)
      this.#node(node.right, node.bits)
    } else if (node.kind === 'page') {
      writer.byte(REFERENCE)
      this.#id(node.page)
      writer.bytes(node.hash)
    } else if (node.valueId === 0) {
      writer.byte(SHORT_LEAF)
      writer.key(parentBits, node.key)
      writer.byte(node.value!.length)
      writer.bytes(node.value!)
    } else {
      writer.byte(LONG_LEAF)
      writer.key(parentBits, node.key)
      this.#id(node.valueId)
      writer.bytes(node.valueHash!)
    }
  }

  #id(id: number): void {
    assert(Number.isSafeInteger(id) && id > 0 && id < 2 ** 48, `id ${id} must be from 1 to 2^48 - 1`)
    for (let shift = 40; shift >= 0; shift -= 8) this.#writer.byte(Math.floor(id / 2 ** shift) % 256)
  }
}

/** @throws {StateError} `STATE_CORRUPT` when these are not the bytes of a page. */
export function decodePage(id: number, hash: Hash, bytes: Uint8Array): LoadedNode {
  const reader = new TrieReader(bytes)
  const isKnown = reader.byte() === PAGE_VERSION
  const root = isKnown ? readNode(reader, ROOT_EDGE, 0, id) : null
  if (root === null || root.kind === 'page' || reader.failed || !reader.atEnd) {
    throw new StateError('STATE_CORRUPT', `state page ${id} is damaged; delete the state and sync again`)
  }
  root.hash = hash
  return root
}

/** Recursion is bounded by the size of a page. @param page the page's id at its root, 0 below. */
function readNode(reader: TrieReader, parentBits: number, side: Side, page: number): Node | null {
  const head = reader.varint()
  if (reader.failed) return null
  if (head === REFERENCE) return new PageReference(readId(reader), reader.hash())
  if (head < REFERENCE) {
    const key = reader.path.slice(0, reader.key(parentBits, side))
    if (head === SHORT_LEAF) return new Leaf(key, reader.copy(reader.byte()))
    return new Leaf(key, null, readId(reader), reader.hash())
  }
  const bits = reader.prefix(parentBits, side, head - REFERENCE)
  const hash = parentBits === ROOT_EDGE ? null : reader.hash()
  reader.followEdge(bits, 0)
  const left = readNode(reader, bits, 0, 0)
  reader.followEdge(bits, 1)
  const right = readNode(reader, bits, 1, 0)
  if (left === null || right === null) return null
  const inner = new Inner(
    bits,
    keyOf(left) ?? keyOf(right) ?? reader.path.slice(0, prefixByteLength(bits)),
    left,
    right,
  )
  inner.hash = hash
  inner.page = page
  return inner
}

/** A key below the node: its own prefix need not be copied then. */
function keyOf(node: Node): Uint8Array | null {
  return node.kind === 'page' ? null : node.key
}

function readId(reader: TrieReader): number {
  let id = 0
  for (let i = 0; i < 6; i++) id = id * 256 + reader.byte()
  return id
}
