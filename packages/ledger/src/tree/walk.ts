/**
 * Reading a range of the trie in key order: its entries, and the proof that they are all.
 * @module
 */
import {
  assert,
  compareBytes,
  isEdgeOutside,
  PROOF_VERSION,
  ROOT_EDGE,
  successor,
  TrieWriter,
} from '@althing/base'
import type { KeyRange, Side } from '@althing/base'
import { hashNode, hashValue, resolve, type Inner, type Leaf, type Node, type NodeSource } from './node.ts'

export interface StateEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** A node still to be visited. */
interface Edge {
  readonly node: Node
  readonly parent: Inner | null
  readonly side: Side
}

/** The leaves of the range, in key order. */
export function* leavesOf(
  source: NodeSource,
  root: Node | null,
  range: KeyRange,
): Generator<Leaf, void, undefined> {
  const open: Edge[] = root === null ? [] : [{ node: root, parent: null, side: 0 }]
  for (let edge = open.pop(); edge !== undefined; edge = open.pop()) {
    if (isOutside(edge, range)) continue
    const node = resolve(source, edge.node)
    if (node.kind === 'inner') pushChildren(open, node)
    else if (isInRange(node.key, range)) yield node
  }
}

export interface ProofLimits {
  /** At least 1. */
  readonly entriesMax: number
  /** Keys and values together; a first entry that is larger is proved alone. */
  readonly bytesMax: number
}

/** See `verifyRange` of base for the bytes and for what they prove. */
export function proveNode(
  source: NodeSource,
  root: Node | null,
  range: KeyRange,
  limits: ProofLimits,
): Uint8Array {
  const last = findLastWithin(source, root, range, limits)
  const covered = last === null ? range : { start: range.start, end: successor(last) }
  const writer = new TrieWriter()
  writer.byte(PROOF_VERSION)
  writer.byte(last === null ? 0 : 1)
  if (last !== null) {
    writer.varint(last.length)
    writer.bytes(last)
  }
  const open: Edge[] = root === null ? [] : [{ node: root, parent: null, side: 0 }]
  for (let edge = open.pop(); edge !== undefined; edge = open.pop()) {
    if (isOutside(edge, covered)) {
      writer.bytes(hashNode(edge.node))
      continue
    }
    const node = resolve(source, edge.node)
    const parentBits = edge.parent?.bits ?? ROOT_EDGE
    if (node.kind === 'inner') {
      writer.varint(node.bits - parentBits)
      writer.prefix(parentBits, node.bits, node.key)
      pushChildren(open, node)
    } else {
      writer.byte(0)
      writer.key(parentBits, node.key)
      writeValue(writer, source, node, covered)
    }
  }
  return writer.finish()
}

function writeValue(writer: TrieWriter, source: NodeSource, leaf: Leaf, range: KeyRange): void {
  if (!isInRange(leaf.key, range)) {
    writer.bytes(hashValue(leaf))
    return
  }
  const value = source.readValue(leaf)
  writer.varint(value.length)
  writer.bytes(value)
}

/** The last key of the range that the limits allow; null when they allow all. */
function findLastWithin(
  source: NodeSource,
  root: Node | null,
  range: KeyRange,
  limits: ProofLimits,
): Uint8Array | null {
  assert(limits.entriesMax >= 1, `entriesMax ${limits.entriesMax} must be at least 1`)
  let entries = 0
  let bytes = 0
  let last: Uint8Array | null = null
  for (const leaf of leavesOf(source, root, range)) {
    entries++
    bytes += leaf.key.length + source.readValue(leaf).length
    if (last !== null && (entries > limits.entriesMax || bytes > limits.bytesMax)) return last
    last = leaf.key
  }
  return null
}

function pushChildren(open: Edge[], node: Inner): void {
  open.push({ node: node.right, parent: node, side: 1 }, { node: node.left, parent: node, side: 0 })
}

function isOutside({ parent, side }: Edge, range: KeyRange): boolean {
  return parent !== null && isEdgeOutside(parent.key, parent.bits, side, range)
}

function isInRange(key: Uint8Array, range: KeyRange): boolean {
  return compareBytes(key, range.start) >= 0 && (range.end === null || compareBytes(key, range.end) < 0)
}
