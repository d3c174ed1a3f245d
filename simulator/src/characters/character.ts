/**
 * What a host that breaks the rules does with messages. A character sits between the process of an authority, which
 * follows the rules, and the network; it signs with that authority's own key only.
 * @module
 */
import { voteSignBytes } from '@althing/base'
import type { Hash, Signer, Vote, VoteKind } from '@althing/base'
import type { ConsensusMessage } from '@althing/chain'
import type { Process } from '../process.ts'
import type { Prng } from '../prng.ts'

/** What is sent in place of a message, to the same host. */
export interface Sent {
  readonly message: ConsensusMessage
  /** How long it is held back; 0 when absent. */
  readonly delayMs?: number
}

/** What a character sends on its own account. */
export interface Addressed {
  readonly to: number
  readonly message: ConsensusMessage
}

/** Who a character is in the present epoch of its process. */
export interface Seat {
  readonly process: Process
  /** In the authority set. */
  readonly index: number
}

export interface Character {
  /** What leaves for host `to` in place of `message`. */
  outgoing(seat: Seat, to: number, message: ConsensusMessage): readonly Sent[]
  /** What it sends on its own when `message` comes in. @param hosts how many there are. */
  incoming(seat: Seat, message: ConsensusMessage, hosts: number): readonly Addressed[]
}

/** The part of the world that characters act with. */
export interface CharacterTools {
  readonly signer: Signer
  readonly prng: Prng
}

/** A vote of this seat, whatever the rules say about it. */
export function signAnyVote(
  { process, index }: Seat,
  signer: Signer,
  kind: VoteKind,
  view: number,
  hash: Hash,
): Vote {
  const { anchor, epoch } = process.epoch
  const signature = signer.sign(voteSignBytes(kind, anchor, epoch, view, hash))
  return { kind, epoch, anchor, view, hash, signer: index, signature }
}
