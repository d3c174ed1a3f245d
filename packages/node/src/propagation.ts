/**
 * When each peer had a block (PO-10): from the blocks that come from it, and what it says of its own height.
 * A peer says its height at most every quarter of a second, so that finer times mean little. What a peer had before it connected is not
 * known. Bounded: the latest `HEIGHTS_MAX` heights.
 * @module
 */
import type { Log } from '@althing/base'
import type { NetworkEvent, Status } from '@althing/network'

export const HEIGHTS_MAX = 256
/** A peer may be so many heights further than this node; what it says of later ones is left out. */
const AHEAD_MAX = 16

/** Times are milliseconds of the wall clock; null: not yet. */
export interface Sighting {
  /** It has the block, or a later one. */
  hasMs: number | null
  /** It has it as final. */
  finalMs: number | null
}

export interface Propagation {
  readonly height: number
  readonly here: Readonly<Sighting>
  readonly sightingByPeer: ReadonlyMap<string, Readonly<Sighting>>
}

interface HeightRecord extends Propagation {
  readonly here: Sighting
  readonly sightingByPeer: Map<string, Sighting>
  isLogged: boolean
}

interface Setup {
  readonly wallMs: () => number
  readonly log: Log
}

type Claim = Pick<Status, 'height' | 'finalizedHeight'>

export class BlockPropagation {
  readonly #setup: Setup
  readonly #byHeight = new Map<number, HeightRecord>()
  readonly #claimByPeer = new Map<string, Claim>()
  #highest = 0
  #latestSpreadMs: number | null = null

  constructor(setup: Setup) {
    this.#setup = setup
  }

  /** This node has a block that is notarized, or final. */
  arrived(height: number, as: 'notarized' | 'final'): void {
    if (height <= this.#highest - HEIGHTS_MAX) return
    const record = this.#record(height)
    record.here.hasMs ??= this.#setup.wallMs()
    if (as === 'final') record.here.finalMs ??= this.#setup.wallMs()
    this.#logWhenEverywhere(record)
    if (height <= this.#highest) return
    this.#highest = height
    for (const old of this.#byHeight.keys()) if (old <= height - HEIGHTS_MAX) this.#byHeight.delete(old)
  }

  /** A peer sent a block: it has it. */
  sent(peer: string, height: number): void {
    if (this.#claimByPeer.has(peer)) this.#mark(peer, 'hasMs', height - 1, height)
  }

  observe(event: NetworkEvent): void {
    switch (event.kind) {
      case 'peerConnected':
        this.#claimByPeer.set(event.peer.id, event.peer)
        return
      case 'peerDisconnected':
        this.#claimByPeer.delete(event.peer)
        return
      case 'peerStatus':
        return this.#claimed(event.peer, event.status)
      default:
        return
    }
  }

  /** Of the latest block that all peers have: from the first that had it to the last; null before there is one. */
  get latestSpreadMs(): number | null {
    return this.#latestSpreadMs
  }

  /** Undefined for a height that is not known here yet, or no longer. */
  at(height: number): Propagation | undefined {
    return this.#byHeight.get(height)
  }

  #claimed(peer: string, status: Claim): void {
    const before = this.#claimByPeer.get(peer)
    if (before === undefined) return
    this.#claimByPeer.set(peer, status)
    this.#mark(peer, 'hasMs', before.height, status.height)
    this.#mark(peer, 'finalMs', before.finalizedHeight, status.finalizedHeight)
  }

  #mark(peer: string, what: keyof Sighting, above: number, upTo: number): void {
    const from = Math.max(above, this.#highest - HEIGHTS_MAX) + 1
    for (let height = from; height <= Math.min(upTo, this.#highest + AHEAD_MAX); height++) {
      const record = this.#record(height)
      const sighting = record.sightingByPeer.get(peer) ?? { hasMs: null, finalMs: null }
      record.sightingByPeer.set(peer, sighting)
      sighting.hasMs ??= this.#setup.wallMs()
      sighting[what] ??= this.#setup.wallMs()
      this.#logWhenEverywhere(record)
    }
  }

  #record(height: number): HeightRecord {
    const known = this.#byHeight.get(height)
    if (known !== undefined) return known
    const made: HeightRecord = {
      height,
      here: { hasMs: null, finalMs: null },
      sightingByPeer: new Map(),
      isLogged: false,
    }
    this.#byHeight.set(height, made)
    return made
  }

  #logWhenEverywhere(record: HeightRecord): void {
    const { height, here, sightingByPeer, isLogged } = record
    if (isLogged || here.hasMs === null) return
    for (const peer of this.#claimByPeer.keys()) if (!sightingByPeer.has(peer)) return
    record.isLogged = true
    const times = [here, ...sightingByPeer.values()].map(({ hasMs }) => hasMs).filter((ms) => ms !== null)
    const spreadMs = Math.max(...times) - Math.min(...times)
    this.#latestSpreadMs = spreadMs
    this.#setup.log.debug('all peers have the block', { height, peers: sightingByPeer.size, spreadMs })
  }
}
