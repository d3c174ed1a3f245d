/**
 * Who gets which gossip message (PO-2). Pure.
 * G1  a message is judged once, by the first copy that comes
 * G2  only an accepted message is relayed, to everyone who is not known to have it: a line of nodes works
 * G3  nothing is sent to a peer that sent it to us, or that we sent it to
 * G4  memory is bounded: one filter for all, one smaller one per peer
 * @module
 */
import { hashOf } from '@althing/base'
import { RecentSet } from './recent-set.ts'

export interface GossipLimits {
  readonly seenMax: number
  readonly seenMs: number
  readonly knownPerPeerMax: number
}

const ID_BYTES = 16

/** The first 16 bytes of SHA-256(kind ‖ body), one character a byte. */
export function gossipId(kind: number, body: Uint8Array): string {
  return String.fromCharCode(...hashOf(Uint8Array.of(kind), body).subarray(0, ID_BYTES))
}

export class Gossip {
  readonly #limits: GossipLimits
  readonly #seen: RecentSet
  readonly #knownByPeer = new Map<string, RecentSet>()

  constructor(limits: GossipLimits, nowMs: number) {
    this.#limits = limits
    this.#seen = new RecentSet({ countMax: limits.seenMax, ageMs: limits.seenMs }, nowMs)
  }

  peerOpened(peer: string, nowMs: number): void {
    const { knownPerPeerMax, seenMs } = this.#limits
    this.#knownByPeer.set(peer, new RecentSet({ countMax: knownPerPeerMax, ageMs: seenMs }, nowMs))
  }

  peerClosed(peer: string): void {
    this.#knownByPeer.delete(peer)
  }

  /** A copy came from `peer`. @returns whether it is new and has to be judged. */
  received(peer: string, id: string, nowMs: number): boolean {
    this.#knownByPeer.get(peer)?.add(id, nowMs)
    return this.#seen.add(id, nowMs)
  }

  /** We made it ourselves. @returns whether it is new. */
  published(id: string, nowMs: number): boolean {
    return this.#seen.add(id, nowMs)
  }

  /** The peers that are to get an accepted message, which are counted as having it from now on. */
  relayTo(id: string, nowMs: number): string[] {
    const peers: string[] = []
    for (const [peer, known] of this.#knownByPeer) if (known.add(id, nowMs)) peers.push(peer)
    return peers
  }
}
