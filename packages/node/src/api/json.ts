/**
 * What the node serves, as JSON. Bytes are base64; hashes, ids and keys lower-case hexadecimal.
 * @module
 */
import {
  Block,
  bytesToHex,
  Certificate,
  Genesis,
  hashToHex,
  Header,
  isZeroHash,
  transactionId,
} from '@althing/base'
import type { TransactionId } from '@althing/base'
import type {
  AccountJson,
  BlockJson,
  GenesisJson,
  KvJson,
  StateProofJson,
  TransactionJson,
} from '@althing/client'
import type {
  ApiBackend,
  ServedAccount,
  ServedBlock,
  ServedKv,
  ServedProof,
  ServedTransaction,
} from './backend.ts'

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

export function genesisJson({
  genesis,
  networkId,
  header,
  hash,
}: ReturnType<ApiBackend['genesis']>): GenesisJson {
  return {
    network_id: networkId,
    genesis_hash: hashToHex(hash),
    genesis: base64(Genesis.serialize(genesis)),
    header: base64(Header.serialize(header)),
  }
}

export function blockJson({ block, hash, finalization }: ServedBlock): BlockJson {
  const { header } = block
  return {
    height: header.height,
    hash: hashToHex(hash),
    version: header.version,
    epoch: header.epoch,
    parent: hashToHex(header.parent),
    view: header.view,
    proposer: header.proposer,
    timestamp: header.timestamp,
    tx_root: hashToHex(header.txRoot),
    state_root: hashToHex(header.stateRoot),
    next_set: isZeroHash(header.nextSet) ? null : hashToHex(header.nextSet),
    transactions: block.transactions.map((encoded) => hashToHex(transactionId(encoded))),
    finalization: finalization === undefined ? null : base64(Certificate.serialize(finalization)),
    block: base64(Block.serialize(block)),
  }
}

export function accountJson(id: Uint8Array, { nonce, pendingNonce, balance }: ServedAccount): AccountJson {
  return { account: bytesToHex(id), nonce, pending_nonce: pendingNonce, balance: balance.toString() }
}

export function transactionJson(id: TransactionId, served: ServedTransaction | undefined): TransactionJson {
  const nowhere = { id: hashToHex(id), height: null, block_hash: null, index: null, fault: null }
  if (served === undefined) return { ...nowhere, status: 'unknown' }
  switch (served.kind) {
    case 'pending':
      return { ...nowhere, status: 'pending' }
    case 'rejected':
      return { ...nowhere, status: 'rejected', fault: served.fault }
    case 'final':
      return {
        id: hashToHex(id),
        status: served.receipt.ok ? 'final' : 'failed',
        height: served.height,
        block_hash: hashToHex(served.blockHash),
        index: served.index,
        fault: served.receipt.fault ?? null,
      }
  }
}

/** @param key as it was asked for. */
export function kvJson(key: string, { entry, height, proof }: ServedKv): KvJson {
  return {
    key,
    exists: entry !== undefined,
    value: entry === undefined ? null : base64(entry.value),
    owner: entry === undefined ? null : bytesToHex(entry.owner),
    height,
    proof: proof === undefined ? null : proofJson(proof),
  }
}

export function proofJson({ header, certificate, state }: ServedProof): StateProofJson {
  return {
    header: base64(Header.serialize(header)),
    certificate: certificate === undefined ? null : base64(Certificate.serialize(certificate)),
    state: base64(state),
  }
}
