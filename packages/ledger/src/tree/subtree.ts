/**
 * The part of the trie below a prefix: its hash, and the proof that it is that. See `verifySubtree` of base for the bytes.
 * @module
 */
import { keyBit, placeOf, ROOT_EDGE, SUBTREE_PROOF_VERSION, TrieWriter, ZERO_HASH } from '@althing/base'
import type { Hash } from '@althing/base'
import { hashNode, hashValue, resolve, type Node, type NodeSource } from './node.ts'

export function subtreeOf(
  source: NodeSource,
  root: Node | null,
  prefix: Uint8Array,
): { readonly hash: Hash; readonly proof: Uint8Array } {
  const writer = new TrieWriter()
  writer.byte(SUBTREE_PROOF_VERSION)
  let edge = root
  let parentBits = ROOT_EDGE
  while (edge !== null) {
    const node = resolve(source, edge)
    if (node.kind === 'leaf') {
      writer.byte(0)
      writer.key(parentBits, node.key)
      writer.bytes(hashValue(node))
      const isWithin = prefix.every((byte, index) => node.key[index] === byte)
      return { hash: isWithin ? hashNode(node) : ZERO_HASH, proof: writer.finish() }
    }
    writer.varint(node.bits - parentBits)
    writer.prefix(parentBits, node.bits, node.key)
    parentBits = node.bits
    const place = placeOf(node.key, node.bits, prefix)
    if (place !== 'around') {
      writer.bytes(hashNode(node.left))
      writer.bytes(hashNode(node.right))
      return { hash: place === 'within' ? hashNode(node) : ZERO_HASH, proof: writer.finish() }
    }
    const isLeft = keyBit(prefix, node.bits) === 0
    writer.bytes(hashNode(isLeft ? node.right : node.left))
    edge = isLeft ? node.left : node.right
  }
  return { hash: ZERO_HASH, proof: writer.finish() }
}
