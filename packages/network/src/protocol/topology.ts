/**
 * The graph of the whole network, put together from what nodes report of their links (PT-11). Pure.
 * M1  a link counts when both of its ends report it, or one of them is this node: a node can lie about its own links only, and not even
 *     there alone
 * M2  of two latencies that are reported the larger counts: nobody draws traffic to itself with a small one
 * M3  of a node's reports the newest counts; so many are taken as `perNode` says, and each is forgotten `ttlMs` after it came
 * M4  a report whose time is further than `ttlMs + skewMs` in the past, or `skewMs` in the future, is not taken: who is gone cannot be
 *     kept alive by repeating what it once said
 * M5  at most `nodesMax` nodes are remembered
 * @module
 */
import type { NodeType } from './hello.ts'
import type { LinkReport, ReportedLink } from './link-report.ts'
import { firstHops } from './routes.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Rate } from './token-bucket.ts'

export interface TopologyLimits {
  readonly nodesMax: number
  readonly ttlMs: number
  readonly skewMs: number
  /** Reports of one node that are taken. */
  readonly perNode: Rate
}

export const TOPOLOGY_LIMITS: TopologyLimits = {
  nodesMax: 2048,
  ttlMs: 180_000,
  skewMs: 120_000,
  perNode: { perSecond: 0.5, burst: 5 },
}

export interface NodeInMap {
  readonly peer: string
  /** This and the next two are null as long as only the link to it is known. */
  readonly nodeType: NodeType | null
  readonly software: string | null
  readonly protocolVersion: number | null
  /** `healthy`: at least half of its links are; `disconnected`: it has none that counts. */
  readonly health: 'healthy' | 'degraded' | 'disconnected'
  readonly links: number
}

export interface LinkInMap {
  /** Peer ids, `a` before `b`. */
  readonly a: string
  readonly b: string
  /** A round trip; null when none of the two knows it. */
  readonly latencyMs: number | null
  readonly health: ReportedLink['health']
}

export interface NetworkMap {
  readonly nodes: readonly NodeInMap[]
  readonly links: readonly LinkInMap[]
}

export type Refusal = 'known' | 'too soon' | 'clock' | 'full' | 'own'

interface Kept {
  readonly report: LinkReport
  readonly encoded: Uint8Array
  readonly linkByPeer: ReadonlyMap<string, ReportedLink>
  readonly takenMs: number
  readonly bucket: TokenBucket
}

export class Topology {
  readonly #localPeer: string
  readonly #limits: TopologyLimits
  readonly #keptByPeer = new Map<string, Kept>()
  #map: NetworkMap | null = null
  #hops: ReadonlyMap<string, string> | null = null

  constructor(localPeer: string, limits: TopologyLimits) {
    this.#localPeer = localPeer
    this.#limits = limits
  }

  /** @returns why a report is not wanted; null when it is, if its signature holds. */
  refusal(report: Pick<LinkReport, 'peer' | 'seq'>, nowMs: number, wallMs: number): Refusal | null {
    const { ttlMs, skewMs, nodesMax } = this.#limits
    if (report.peer === this.#localPeer) return 'own'
    const known = this.#keptByPeer.get(report.peer)
    if (known !== undefined && report.seq <= known.report.seq) return 'known'
    if (report.seq > wallMs + skewMs || report.seq < wallMs - ttlMs - skewMs) return 'clock'
    if (known === undefined) return this.#keptByPeer.size >= nodesMax ? 'full' : null
    return known.bucket.tokens(nowMs) < 1 ? 'too soon' : null
  }

  /** Of the newest report of a node; undefined when there is none. */
  seqOf(peer: string): number | undefined {
    return this.#keptByPeer.get(peer)?.report.seq
  }

  /** A report that was not refused, and whose signature holds; or our own. */
  take(report: LinkReport, encoded: Uint8Array, nowMs: number): void {
    const bucket = this.#keptByPeer.get(report.peer)?.bucket ?? new TokenBucket(this.#limits.perNode, nowMs)
    bucket.take(1, nowMs)
    const linkByPeer = new Map(report.links.map((link) => [link.peer, link]))
    linkByPeer.delete(report.peer)
    this.#keptByPeer.set(report.peer, { report, encoded, linkByPeer, takenMs: nowMs, bucket })
    this.#changed()
  }

  /** Forgets reports that were not renewed. */
  expire(nowMs: number): void {
    for (const [peer, { takenMs }] of this.#keptByPeer) {
      if (peer === this.#localPeer || nowMs - takenMs < this.#limits.ttlMs) continue
      this.#keptByPeer.delete(peer)
      this.#changed()
    }
  }

  /** Of all nodes with a report. */
  peers(): Iterable<string> {
    return this.#keptByPeer.keys()
  }

  /** A node's report, as it was signed. */
  encoded(peer: string): Uint8Array | undefined {
    return this.#keptByPeer.get(peer)?.encoded
  }

  /** The neighbour with which the shortest way to `peer` begins; null when none is known. */
  nextHop(peer: string): string | null {
    this.#hops ??= firstHops(this.#localPeer, this.map().links)
    return this.#hops.get(peer) ?? null
  }

  map(): NetworkMap {
    this.#map ??= this.#build()
    return this.#map
  }

  #changed(): void {
    this.#map = null
    this.#hops = null
  }

  #build(): NetworkMap {
    const links = [...this.#links()]
    const tallyByPeer = new Map<string, { all: number; healthy: number }>()
    for (const { a, b, health } of links) {
      for (const end of [a, b]) {
        const tally = tallyByPeer.get(end) ?? { all: 0, healthy: 0 }
        tally.all++
        if (health === 'healthy') tally.healthy++
        tallyByPeer.set(end, tally)
      }
    }
    const peers = new Set([...this.#keptByPeer.keys(), ...tallyByPeer.keys()])
    const nodes = [...peers].toSorted().map((peer): NodeInMap => {
      const {
        nodeType = null,
        software = null,
        protocolVersion = null,
      } = this.#keptByPeer.get(peer)?.report ?? {}
      const { all, healthy } = tallyByPeer.get(peer) ?? { all: 0, healthy: 0 }
      const health = all === 0 ? 'disconnected' : healthy * 2 >= all ? 'healthy' : 'degraded'
      return { peer, nodeType, software, protocolVersion, health, links: all }
    })
    return { nodes, links }
  }

  /** Each link that counts, once. */
  *#links(): Generator<LinkInMap> {
    for (const [peer, { linkByPeer }] of this.#keptByPeer) {
      for (const [other, near] of linkByPeer) {
        const far = this.#keptByPeer.get(other)?.linkByPeer.get(peer)
        if (far === undefined && peer !== this.#localPeer) continue // M1
        const [a, b] = peer < other ? [peer, other] : [other, peer]
        // Of a link that both report, the report of `a` is the one that yields it.
        if (far !== undefined && peer !== a) continue
        yield {
          a,
          b,
          latencyMs: larger(near.latencyMs, far?.latencyMs ?? null), // M2
          health: near.health === 'degraded' || far?.health === 'degraded' ? 'degraded' : 'healthy',
        }
      }
    }
  }
}

function larger(x: number | null, y: number | null): number | null {
  if (x === null || y === null) return x ?? y
  return Math.max(x, y)
}
