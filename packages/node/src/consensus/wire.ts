/**
 * How the messages of the consensus travel: which kind and lane, and what goes around them.
 * Votes, certificates and proposals are gossip. Gossip suppresses a message that was seen before, but consensus sends
 * its state again on purpose (R9), also to those who got it the first time and then lost it; so each broadcast carries
 * a round number in front, and the same message of another round is another gossip message.
 * @module
 */
import {
  BLOCK_BYTES_MAX,
  concatBytes,
  NOTARIZE,
  headerHash,
  sha256,
  bytesToHex,
  fail,
  verifyCertificate,
  verifyEvidence,
  verifyVote,
  voteSignBytes,
} from '@althing/base'
import type { Epoch, Result, Verify } from '@althing/base'
import { decodeMessage, encodeMessage, isBodyOf, leaderOf } from '@althing/chain'
import type { ConsensusMessage } from '@althing/chain'
import type { KindSpec } from '@althing/network'
import { CLOCK_KIND } from './clock-offsets.ts'

const ROUND_BYTES = 4
const CERTIFICATES_BYTES_MAX = 1_048_576

export const MESSAGE_KINDS = {
  /** Gossip: votes, certificates and evidence. */
  votes: { id: 1, lane: 'critical', maxBytes: 65_536, gossip: 'flood' },
  /** Gossip: proposals, each with its block. */
  proposals: { id: 2, lane: 'high', maxBytes: BLOCK_BYTES_MAX + CERTIFICATES_BYTES_MAX, gossip: 'flood' },
  /** To one peer: status and questions, and answers that are small. */
  consensus: { id: 3, lane: 'critical', maxBytes: 65_536 },
  /** To one peer: blocks. */
  blocks: { id: 4, lane: 'high', maxBytes: BLOCK_BYTES_MAX + CERTIFICATES_BYTES_MAX },
  /** To one peer: what time it is there. */
  clock: CLOCK_KIND,
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
    case 'evidence':
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
    case 'vote':
      return verifyVote(message.vote, epoch, verify).ok
    case 'evidence':
      return verifyEvidence(message.evidence, epoch, verify).ok
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
