/**
 * How the chain's messages travel: which kind and lane, and what goes around them.
 * Votes, certificates and proposals are gossip. Gossip suppresses a message that was seen before, but consensus sends
 * its state again on purpose (R9), also to those who got it the first time and then lost it; so each broadcast carries
 * a round number in front, and the same message of another round is another gossip message.
 * @module
 */
import {
  BLOCK_BYTES_MAX,
  concatBytes,
  isVoteKind,
  NOTARIZE,
  headerHash,
  sha256,
  TRANSACTION_BATCH_MAX,
  TRANSACTION_BYTES_MAX,
  TransactionBatch,
  bytesToHex,
  decode,
  fail,
  verifyCertificate,
  voteSignBytes,
} from '@althing/base'
import type { Epoch, Result, Verify } from '@althing/base'
import { decodeMessage, encodeMessage, isBodyOf, leaderOf } from '@althing/chain'
import type { ConsensusMessage } from '@althing/chain'
import type { KindSpec } from '@althing/network'

const ROUND_BYTES = 4
const CERTIFICATES_BYTES_MAX = 1_048_576
/** Bytes of the transactions in one message, unless its only one is larger. */
export const TRANSACTION_BATCH_BYTES = 131_072

export const MESSAGE_KINDS = {
  /** Gossip: votes and certificates. */
  votes: { id: 1, lane: 'critical', maxBytes: 65_536, gossip: 'flood' },
  /** Gossip: proposals, each with its block. */
  proposals: { id: 2, lane: 'high', maxBytes: BLOCK_BYTES_MAX + CERTIFICATES_BYTES_MAX, gossip: 'flood' },
  /** To one peer: status and questions, and answers that are small. */
  consensus: { id: 3, lane: 'critical', maxBytes: 65_536 },
  /** To one peer: blocks and runs of blocks. */
  blocks: { id: 4, lane: 'high', maxBytes: BLOCK_BYTES_MAX + CERTIFICATES_BYTES_MAX },
  /** Gossip: transactions, a few at a time. */
  transactions: {
    id: 5,
    lane: 'normal',
    maxBytes: TRANSACTION_BATCH_BYTES + TRANSACTION_BYTES_MAX + 4 * TRANSACTION_BATCH_MAX,
    gossip: 'tree',
  },
  /** To one peer: transactions that wait, told to one that has just connected. */
  waiting: {
    id: 6,
    lane: 'normal',
    maxBytes: TRANSACTION_BATCH_BYTES + TRANSACTION_BYTES_MAX + 4 * TRANSACTION_BATCH_MAX,
  },
} as const satisfies Record<string, KindSpec>

export type MessageKind = keyof typeof MESSAGE_KINDS

/** The kind for a message to one peer. */
export function directKind(message: ConsensusMessage): MessageKind {
  switch (message.kind) {
    case 'proposal':
    case 'block':
    case 'chain':
      return 'blocks'
    default:
      return 'consensus'
  }
}

/** The kind for a message to everyone; null when it is only for direct peers. */
export function gossipKind(message: ConsensusMessage): MessageKind | null {
  switch (message.kind) {
    case 'proposal':
      return 'proposals'
    case 'vote':
    case 'certificate':
      return 'votes'
    default:
      return null
  }
}

const ROUNDS_KEPT = 4_096

/** Numbers the broadcasts of each message. */
export class Rounds {
  readonly #roundByMessage = new Map<string, number>()

  wrap(message: ConsensusMessage): Uint8Array {
    const encoded = encodeMessage(message)
    const key = bytesToHex(sha256(encoded))
    const round = (this.#roundByMessage.get(key) ?? -1) + 1
    this.#roundByMessage.delete(key)
    this.#roundByMessage.set(key, round)
    if (this.#roundByMessage.size > ROUNDS_KEPT) {
      this.#roundByMessage.delete(this.#roundByMessage.keys().next().value!)
    }
    const prefix = new Uint8Array(ROUND_BYTES)
    new DataView(prefix.buffer).setUint32(0, round)
    return concatBytes(prefix, encoded)
  }
}

/** Names a gossip message, whatever its round. */
export function contentId(body: Uint8Array): string {
  return bytesToHex(sha256(body.subarray(ROUND_BYTES)))
}

export function unwrap(body: Uint8Array): Result<ConsensusMessage> {
  if (body.length <= ROUND_BYTES) return fail('MALFORMED', `a gossip message of ${body.length} bytes`)
  return decodeMessage(body.subarray(ROUND_BYTES))
}

/**
 * Whether an authority said this. The core judges it by itself all the same; the checks of signatures are remembered, so
 * none is made twice. What a proposal's signature does not cover is not looked at: see `isWhole`.
 */
export function isAuthentic(message: ConsensusMessage, epoch: Epoch, verify: Verify): boolean {
  switch (message.kind) {
    case 'vote': {
      const { vote } = message
      const authority = epoch.set[vote.signer]
      if (authority === undefined || vote.epoch !== epoch.epoch || !isVoteKind(vote.kind)) return false
      const signed = voteSignBytes(vote.kind, epoch.anchor, vote.epoch, vote.view, vote.hash)
      return verify(authority.key, signed, vote.signature)
    }
    case 'certificate':
      return verifyCertificate(message.certificate, epoch, verify).ok
    case 'proposal': {
      const { proposal } = message
      if (proposal.epoch !== epoch.epoch) return false
      const leader = epoch.set[leaderOf(proposal.view, epoch.set)]
      const hash = headerHash(proposal.block.header)
      const signed = voteSignBytes(NOTARIZE, epoch.anchor, proposal.epoch, proposal.view, hash)
      return leader !== undefined && verify(leader.key, signed, proposal.signature)
    }
    default:
      return false
  }
}

/**
 * Whether nobody on the way has changed what the signature of a proposal does not cover (R4). An authentic proposal that
 * is not whole counts as its leader's vote, and is not passed on.
 */
export function isWhole(message: ConsensusMessage, epoch: Epoch, verify: Verify): boolean {
  if (message.kind !== 'proposal') return true
  const { block, parentCertificate, nullCertificates } = message.proposal
  if (!isBodyOf(block)) return false
  return [...parentCertificate, ...nullCertificates].every((one) => verifyCertificate(one, epoch, verify).ok)
}

/** Cuts transactions into messages. */
export function transactionBatches(encoded: readonly Uint8Array[]): Uint8Array[] {
  const batches: Uint8Array[] = []
  let batch: Uint8Array[] = []
  let bytes = 0
  const finish = (): void => {
    if (batch.length > 0) batches.push(TransactionBatch.serialize(batch))
    batch = []
    bytes = 0
  }
  for (const one of encoded) {
    if (batch.length === TRANSACTION_BATCH_MAX || bytes + one.length > TRANSACTION_BATCH_BYTES) finish()
    batch.push(one)
    bytes += one.length
  }
  finish()
  return batches
}

export function readTransactionBatch(body: Uint8Array): Result<Uint8Array[]> {
  return decode(TransactionBatch, body, MESSAGE_KINDS.transactions.maxBytes)
}
