/**
 * A final block as the network carries it (decision 013): its transactions are the block's, and its header is a `FinalHeader`, which proves by
 * itself that the block is final.
 * @module
 */
import { bytesToHex, FinalHeader, headerHash, hexToBytes } from '@althing/base'
import type { Block, BlockHash, Certificate, Header } from '@althing/base'
import type { Block as TravellingBlock, BlockInfo } from '@althing/network'

/** What makes a block final. */
export interface FinalityProof {
  /** Headers from the block on to the one that the certificate is of; empty when it is of the block itself. */
  readonly path: readonly Header[]
  readonly finalization: Certificate
}

/** @param proof null for block 0. */
export function travellingBlock(block: Block, proof: FinalityProof | null): TravellingBlock {
  const { header, nextSet, transactions } = block
  const path = [...(proof?.path ?? [])]
  const finalization = proof === null ? [] : [proof.finalization]
  return { header: FinalHeader.serialize({ header, nextSet, path, finalization }), transactions }
}

/** The block as the chain knows it. */
export function chainBlock({ header, nextSet }: FinalHeader, transactions: readonly Uint8Array[]): Block {
  return { header, transactions: [...transactions], nextSet }
}

/** The names by which the network knows a block. */
export function infoOf(header: Header, hash: BlockHash = headerHash(header)): BlockInfo {
  return { id: bytesToHex(hash), parentId: bytesToHex(header.parent), height: header.height }
}

/** @returns null for what is the id of no block and no transaction. */
export function hashOfId(id: string): Uint8Array | null {
  return /^[0-9a-f]{64}$/.test(id) ? hexToBytes(id) : null
}
