/**
 * How much may wait for its signature checks: the verifier pool takes whatever it is handed, so who takes something in
 * from peers asks here first. One peer cannot use up what the others need. Pure.
 * @module
 */
import { assert } from '@althing/base'

export interface CheckLimits {
  /** Of all peers together. */
  readonly bytesMax: number
  readonly peerBytesMax: number
}

export class CheckBudget {
  readonly #limits: CheckLimits
  readonly #bytesByPeer = new Map<string, number>()
  #bytes = 0

  constructor(limits: CheckLimits) {
    this.#limits = limits
  }

  /** @returns false when that is too much for now; else `give` is due when it has been checked. */
  take(peer: string, bytes: number): boolean {
    const ofPeer = (this.#bytesByPeer.get(peer) ?? 0) + bytes
    if (ofPeer > this.#limits.peerBytesMax || this.#bytes + bytes > this.#limits.bytesMax) return false
    this.#bytesByPeer.set(peer, ofPeer)
    this.#bytes += bytes
    return true
  }

  give(peer: string, bytes: number): void {
    const ofPeer = (this.#bytesByPeer.get(peer) ?? 0) - bytes
    assert(ofPeer >= 0, `${peer} gives back ${-ofPeer} bytes more than it took`)
    this.#bytes -= bytes
    if (ofPeer === 0) this.#bytesByPeer.delete(peer)
    else this.#bytesByPeer.set(peer, ofPeer)
  }
}
