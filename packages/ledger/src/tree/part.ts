/**
 * Parts of the trie for `readSubtreePart` of base, which says what their bytes are.
 * @module
 */
import {
  equalBytes,
  keyBit,
  PART_CLOSED,
  PART_LEAF,
  PART_LEAF_VALUE,
  placeBelow,
  TrieWriter,
} from '@althing/base'
import type { SubtreePlace } from '@althing/base'
import { hashNode, hashValue, resolve, type Inner, type Node, type NodeSource } from './node.ts'

export interface PartLimits {
  /** Inner nodes above each other that are told. */
  readonly levels: number
  /** Values too; else their hashes. */
  readonly isWhole: boolean
  /** What follows when the part has become so long is closed. */
  readonly bytesMax: number
}

/** @returns null when no key starts so. */
export function partOf(
  source: NodeSource,
  root: Node | null,
  place: SubtreePlace,
  limits: PartLimits,
): Uint8Array | null {
  const node = nodeAt(source, root, place)
  if (node === null) return null
  const writer = new TrieWriter()
  writeNode(
    writer,
    source,
    node,
    place.bits - 1,
    limits,
    limits.isWhole ? Number.POSITIVE_INFINITY : limits.levels,
  )
  return writer.finish()
}

/** The node above all keys of the place. */
function nodeAt(source: NodeSource, root: Node | null, { bits, key }: SubtreePlace): Node | null {
  let node = root
  while (node !== null) {
    const opened = resolve(source, node)
    if (opened.kind === 'leaf' || opened.bits >= bits) return isBelow(opened.key, key, bits) ? node : null
    node = keyBit(key, opened.bits) === 0 ? opened.left : opened.right
  }
  return null
}

/** Whether a node's key starts with the first `bits` bits of `key`. An inner node's key may end after its own bits. */
function isBelow(nodeKey: Uint8Array, key: Uint8Array, bits: number): boolean {
  return equalBytes(placeBelow(nodeKey, bits - 1, keyBit(nodeKey, bits - 1)).key, key)
}

function writeNode(
  writer: TrieWriter,
  source: NodeSource,
  node: Node,
  parentBits: number,
  limits: PartLimits,
  levels: number,
): void {
  const opened = levels === 0 || writer.length >= limits.bytesMax ? null : resolve(source, node)
  if (opened === null) {
    writer.varint(PART_CLOSED)
    writer.bytes(hashNode(node))
  } else if (opened.kind === 'leaf') {
    writer.varint(limits.isWhole ? PART_LEAF_VALUE : PART_LEAF)
    writer.key(parentBits, opened.key)
    if (!limits.isWhole) return writer.bytes(hashValue(opened))
    const value = source.readValue(opened)
    writer.varint(value.length)
    writer.bytes(value)
  } else {
    writeInner(writer, source, opened, parentBits, limits, levels - 1)
  }
}

function writeInner(
  writer: TrieWriter,
  source: NodeSource,
  { bits, key, left, right }: Inner,
  parentBits: number,
  limits: PartLimits,
  levels: number,
): void {
  writer.varint(PART_CLOSED + bits - parentBits)
  writer.prefix(parentBits, bits, key)
  writeNode(writer, source, left, bits, limits, levels)
  writeNode(writer, source, right, bits, limits, levels)
}
