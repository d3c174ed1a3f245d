/**
 * A page: a part of the trie of bounded size, stored under one id. Bytes: version (1), then the root node.
 *   0  short leaf  key suffix, value length (1 byte), value
 *   1  long leaf   key suffix, value id (u48), sha256(value)
 *   2  reference   page id (u48), hash of that page's root node
 *   3+ inner node  (2 + step to its branching bit) prefix suffix, hash (but not of the page's root: whoever refers to
 *                  the page has it), length of the left node (u16), left node, right node
 * Pages stay packed in memory: a node is read out of its page when it is visited, and what an update leaves alone is
 * copied into the next page as it stands.
 * @module
 */
import {
  assert,
  HASH_BYTES,
  KEY_BYTES_MAX,
  keyBit,
  prefixByteLength,
  prefixSuffixEnd,
  ROOT_EDGE,
  suffixStart,
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
const ROOT_OFFSET = 1
const ID_BYTES = 6
const LENGTH_BYTES = 2

/** Two leaves with the longest keys and an inner node above them fit. */
export const PAGE_BYTES_FLOOR = 2048
/** Bounds the recursion of what reads a page. */
export const PAGE_BYTES_CEILING = 16 * 1024
export const REFERENCE_BYTES = 1 + ID_BYTES + HASH_BYTES

const NO_KEY = new Uint8Array(0)
/** Shared by all readers here: none is in use while another one is made. */
const path = new Uint8Array(KEY_BYTES_MAX)

/** A node, with all below it in the same page, that is still in the form in which it is stored. */
export class PackedNode {
  readonly kind = 'packed'
  readonly parentBits: number
  readonly #page: Uint8Array
  readonly #start: number
  readonly #end: number
  readonly #parentKey: Uint8Array
  readonly #side: Side

  constructor(
    page: Uint8Array,
    start: number,
    end: number,
    parentBits: number,
    parentKey: Uint8Array,
    side: Side,
  ) {
    this.#page = page
    this.#start = start
    this.#end = end
    this.parentBits = parentBits
    this.#parentKey = parentKey
    this.#side = side
  }

  /** What it takes in a page, below a node with the same branching bit. */
  get bytes(): Uint8Array {
    return this.#page.subarray(this.#start, this.#end)
  }

  get length(): number {
    return this.#end - this.#start
  }

  get isInner(): boolean {
    return this.#page[this.#start]! > REFERENCE
  }

  get hash(): Hash {
    const reader = new TrieReader(this.#page, this.#start, path)
    const head = reader.varint()
    if (head < REFERENCE) return hashNode(this.unpack())
    reader.skip(head === REFERENCE ? ID_BYTES : innerSuffixLength(this.parentBits, head))
    const hash = reader.hash()
    if (reader.failed) throw damaged()
    return hash
  }

  /** The only leaf here that can have this key, or the page where to look further. @throws as `unpack`. */
  follow(key: Uint8Array): Leaf | PageReference {
    const reader = this.#openReader()
    let { parentBits } = this
    let side = this.#side
    while (!reader.failed) {
      const head = reader.varint()
      if (head <= REFERENCE) return readEnd(reader, head, parentBits, side)
      const bits = reader.prefix(parentBits, side, head - REFERENCE)
      if (parentBits !== ROOT_EDGE) reader.skip(HASH_BYTES)
      const leftLength = reader.u16()
      side = keyBit(key, bits)
      if (side === 1) reader.skip(leftLength)
      reader.followEdge(bits, side)
      parentBits = bits
    }
    throw damaged()
  }

  /** The node in the form in which it can be changed. @throws {StateError} `STATE_CORRUPT`. */
  unpack(): LoadedNode | PageReference {
    const { parentBits } = this
    const reader = this.#openReader()
    const head = reader.varint()
    if (head <= REFERENCE) {
      const node = readEnd(reader, head, parentBits, this.#side)
      if (reader.offset !== this.#end) throw damaged()
      return node
    }
    const bits = reader.prefix(parentBits, this.#side, head - REFERENCE)
    const key = path.slice(0, prefixByteLength(bits))
    const hash = parentBits === ROOT_EDGE ? null : reader.hash()
    const left = reader.offset + LENGTH_BYTES
    const right = left + reader.u16()
    if (reader.failed || right >= this.#end) throw damaged()
    const inner = new Inner(
      bits,
      key,
      new PackedNode(this.#page, left, right, bits, key, 0),
      new PackedNode(this.#page, right, this.#end, bits, key, 1),
    )
    inner.hash = hash
    return inner
  }

  #openReader(): TrieReader {
    const { parentBits } = this
    const reader = new TrieReader(this.#page, this.#start, path)
    if (parentBits !== ROOT_EDGE) {
      const known = prefixByteLength(parentBits)
      for (let i = 0; i < known; i++) path[i] = this.#parentKey[i]!
      reader.followEdge(parentBits, this.#side)
    }
    return reader
  }
}

/** What a part of the tree refers to in the store. */
export interface StoredItems {
  readonly pages: Set<number>
  readonly values: Set<number>
}

/** All of a page. @throws {StateError} `STATE_CORRUPT` when these are not the bytes of a page. */
export function openPage(bytes: Uint8Array): PackedNode {
  if (bytes[0] !== PAGE_VERSION || bytes.length > PAGE_BYTES_CEILING) throw damaged()
  return new PackedNode(bytes, ROOT_OFFSET, bytes.length, ROOT_EDGE, NO_KEY, 0)
}

/** The root node of a page. @throws as `openPage`. */
export function openRoot({ page, hash }: PageReference, bytes: Uint8Array): LoadedNode {
  const root = openPage(bytes).unpack()
  if (root.kind === 'page') throw damaged()
  root.hash = hash
  if (root.kind === 'inner') root.page = page
  return root
}

/** Adds what a page refers to. */
export function collectFromPage(bytes: Uint8Array, items: StoredItems): void {
  collect(new TrieReader(bytes, ROOT_OFFSET, path), ROOT_EDGE, items)
}

/** Adds what a packed node and those below it refer to. */
export function collectFromPacked(node: PackedNode, items: StoredItems): void {
  collect(new TrieReader(node.bytes, 0, path), node.parentBits, items)
}

function collect(reader: TrieReader, parentBits: number, items: StoredItems): void {
  const head = reader.varint()
  if (reader.failed) throw damaged()
  if (head === REFERENCE) {
    items.pages.add(readId(reader))
    reader.skip(HASH_BYTES)
  } else if (head === SHORT_LEAF) {
    reader.skip(reader.varint())
    reader.skip(reader.byte())
  } else if (head === LONG_LEAF) {
    reader.skip(reader.varint())
    items.values.add(readId(reader))
    reader.skip(HASH_BYTES)
  } else {
    const hashBytes = parentBits === ROOT_EDGE ? 0 : HASH_BYTES
    reader.skip(innerSuffixLength(parentBits, head) + hashBytes + LENGTH_BYTES)
    collect(reader, parentBits + head - REFERENCE, items)
    collect(reader, parentBits + head - REFERENCE, items)
  }
}

function innerSuffixLength(parentBits: number, head: number): number {
  return prefixSuffixEnd(parentBits, parentBits + head - REFERENCE) - suffixStart(parentBits)
}

/** A node that has no other one below it in its page. */
function readEnd(reader: TrieReader, head: number, parentBits: number, side: Side): Leaf | PageReference {
  let node: Leaf | PageReference
  if (head === REFERENCE) node = new PageReference(readId(reader), reader.hash())
  else {
    const key = path.slice(0, reader.key(parentBits, side))
    if (head === SHORT_LEAF) node = new Leaf(key, reader.copy(reader.byte()))
    else node = new Leaf(key, null, readId(reader), reader.hash())
  }
  if (reader.failed) throw damaged()
  return node
}

function readId(reader: TrieReader): number {
  let id = 0
  for (let i = 0; i < ID_BYTES; i++) id = id * 256 + reader.byte()
  return id
}

function damaged(): StateError {
  return new StateError('STATE_CORRUPT', 'a state page is damaged; delete the state and sync again')
}

/** An upper bound of the bytes that a leaf takes in a page. */
export function leafBytes(leaf: Leaf, parentBits: number): number {
  const isShort = leaf.value !== null && leaf.value.length <= INLINE_VALUE_BYTES_MAX
  const suffix = leaf.key.length - suffixStart(parentBits)
  return 3 + suffix + (isShort ? 1 + leaf.value!.length : ID_BYTES + HASH_BYTES)
}

/** An upper bound of the bytes that an inner node, without its children, takes as the root of a page. */
export function rootBytes(inner: Inner): number {
  return 4 + LENGTH_BYTES + prefixByteLength(inner.bits)
}

/** An upper bound of the bytes that an inner node, without its children, takes below another one. */
export function innerBytes(inner: Inner, parentBits: number): number {
  return 3 + LENGTH_BYTES + prefixByteLength(inner.bits) - suffixStart(parentBits) + HASH_BYTES
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
    if (node.kind === 'inner') this.#inner(node, parentBits)
    else if (node.kind === 'packed') {
      assert(node.parentBits === parentBits, 'a packed node is copied only below the same branching bit')
      writer.bytes(node.bytes)
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

  #inner(node: Inner, parentBits: number): void {
    const writer = this.#writer
    writer.varint(REFERENCE + node.bits - parentBits)
    writer.prefix(parentBits, node.bits, node.key)
    if (parentBits !== ROOT_EDGE) writer.bytes(hashNode(node))
    const lengthAt = writer.length
    writer.byte(0)
    writer.byte(0)
    this.#node(node.left, node.bits)
    writer.setU16(lengthAt, writer.length - lengthAt - LENGTH_BYTES)
    this.#node(node.right, node.bits)
  }

  #id(id: number): void {
    assert(Number.isSafeInteger(id) && id > 0 && id < 2 ** 48, `id ${id} must be from 1 to 2^48 - 1`)
    for (let shift = 40; shift >= 0; shift -= 8) this.#writer.byte(Math.floor(id / 2 ** shift) % 256)
  }
}
