/**
 * Tells the network which links this node has, passes on what others tell of theirs, and draws the map (PT-11).
 * A node reports every 30 s, and 2 s after its links changed. Reports go on to every neighbour that offers the service and is not known to
 * have them, the newest of a node only, so that a slow neighbour gets fewer and never a backlog.
 * @module
 */
import { signerOf } from '#platform'
import type { Signer } from '@althing/base'
import type { Message, NetworkTopology, PeerView } from '../network-types.ts'
import { keyOfPeerId } from '../protocol/peer-id.ts'
import {
  decodeReport,
  decodeReports,
  encodeReports,
  reportHead,
  REPORT_LINKS_MAX,
  REPORTS_BYTES_MAX,
  REPORTS_MAX,
  signReport,
} from '../protocol/link-report.ts'
import type { LinkReport, ReportedLink } from '../protocol/link-report.ts'
import { Topology, TOPOLOGY_LIMITS } from '../protocol/topology.ts'
import type { NodeInMap } from '../protocol/topology.ts'
import { TokenBucket } from '../protocol/token-bucket.ts'
import type { Service, ServiceHost, ServiceSpec } from '../service.ts'

const REPORTS = 'topology-reports'
const REPORT_INTERVAL_MS = 30_000
const CHANGE_DELAY_MS = 2000
/** What came meanwhile leaves in one message: with many neighbours later, so that a node sends at most 50 such messages a second. */
const FLUSH_INTERVAL_MS = { min: 200, perNeighbour: 20, max: 5000 }
const EXPIRY_INTERVAL_MS = 10_000
/** Reports of one neighbour whose signature is looked at; more are left alone, and come again within half a minute. */
const CHECKS_PER_NEIGHBOUR = { perSecond: 200, burst: 2048 }

export const topologySpec: ServiceSpec<TopologyService> = {
  feature: 'topology',
  kinds: { [REPORTS]: { id: 190, lane: 'low', maxBytes: REPORTS_BYTES_MAX, compress: false } },
  create: (host) => new TopologyService(host),
}

export class TopologyService implements Service {
  readonly #host: ServiceHost
  readonly #signer: Signer
  readonly #topology: Topology
  readonly #checksByNeighbour = new Map<string, TokenBucket>()
  /** By neighbour, all that have an id that a report can name: the nodes whose report it is still to get. */
  readonly #owedByNeighbour = new Map<string, Set<string>>()
  #reportedLinks = ''
  /** When the links were compared with the last report. */
  #lookedMs = -Infinity
  #reportedMs = -Infinity
  #seq = 0
  #flushedMs = -Infinity
  #expiredMs = -Infinity

  constructor(host: ServiceHost) {
    this.#host = host
    this.#signer = signerOf(host.config.identity)
    this.#topology = new Topology(host.peerId, TOPOLOGY_LIMITS)
  }

  /** The neighbour with which the shortest way to `peer` begins; null when none is known. */
  nextHop(peer: string): string | null {
    return this.#topology.nextHop(peer)
  }

  view(): NetworkTopology {
    const { nodes, links } = this.#topology.map()
    const count = (health: NodeInMap['health']) => nodes.filter((node) => node.health === health).length
    return {
      totalNodes: nodes.length,
      healthyPeers: count('healthy'),
      degradedPeers: count('degraded'),
      disconnectedPeers: count('disconnected'),
      averageLatencyMs: average(links.map(({ latencyMs }) => latencyMs).filter((ms) => ms !== null)),
      networkVersion: mostFrequent(nodes.map(({ software }) => software).filter((text) => text !== null)),
      nodes,
      links,
    }
  }

  peerOpened(peer: PeerView): void {
    if (keyOfPeerId(peer.id) === null) return
    const owed = new Set(this.#topology.peers())
    owed.delete(peer.id)
    this.#owedByNeighbour.set(peer.id, owed)
    this.#checksByNeighbour.set(peer.id, new TokenBucket(CHECKS_PER_NEIGHBOUR, this.#now()))
    this.#host.wakeBy(this.#now())
  }

  peerClosed(peer: string): void {
    this.#owedByNeighbour.delete(peer)
    this.#checksByNeighbour.delete(peer)
    this.#host.wakeBy(this.#now())
  }

  received({ from, body }: Message): void {
    const reports = decodeReports(body)
    if (!reports.ok) return this.#host.penalise(from, `link reports: ${reports.fault.message}`)
    for (const encoded of reports.value) this.#take(from, encoded)
    this.#host.wakeBy(this.#flushMs)
  }

  get #flushMs(): number {
    const { min, perNeighbour, max } = FLUSH_INTERVAL_MS
    return this.#flushedMs + Math.min(max, Math.max(min, perNeighbour * this.#owedByNeighbour.size))
  }

  #take(from: string, encoded: Uint8Array): void {
    const head = reportHead(encoded)
    if (head !== null && this.#isKnown(head)) {
      if (head.seq === this.#topology.seqOf(head.peer)) this.#owedByNeighbour.get(from)?.delete(head.peer)
      return
    }
    const decoded = decodeReport(encoded)
    if (!decoded.ok) return this.#host.penalise(from, `a link report: ${decoded.fault.message}`)
    const { report, isSigned } = decoded.value
    const { config } = this.#host
    if (this.#topology.refusal(report, this.#now(), config.clock.wallMs()) !== null) return
    if (!this.#mayCheck(from)) return
    // Who passes a report on has verified it, so that a forged one is the fault of its sender.
    if (!isSigned(config.genesisHash, config.verify)) {
      return this.#host.penalise(from, `a link report that ${report.peer} did not sign`)
    }
    this.#spread(report, encoded)
    this.#owedByNeighbour.get(from)?.delete(report.peer)
  }

  #mayCheck(neighbour: string): boolean {
    const checks = this.#checksByNeighbour.get(neighbour)
    if (checks === undefined || checks.tokens(this.#now()) < 1) return false
    checks.take(1, this.#now())
    return true
  }

  #isKnown({ peer, seq }: Pick<LinkReport, 'peer' | 'seq'>): boolean {
    return seq <= (this.#topology.seqOf(peer) ?? -1)
  }

  #spread(report: LinkReport, encoded: Uint8Array): void {
    this.#topology.take(report, encoded, this.#now())
    for (const [neighbour, owed] of this.#owedByNeighbour) {
      if (neighbour !== report.peer) owed.add(report.peer)
    }
  }

  tick(nowMs: number): number {
    if (nowMs >= this.#expiredMs + EXPIRY_INTERVAL_MS) {
      this.#expiredMs = nowMs
      this.#topology.expire(nowMs)
    }
    if (nowMs >= this.#lookedMs + CHANGE_DELAY_MS) this.#report(nowMs)
    if (nowMs >= this.#flushMs) this.#flush(nowMs)
    const isOwing = this.#owedByNeighbour.values().some((owed) => owed.size > 0)
    return Math.min(isOwing ? this.#flushMs : Infinity, this.#lookedMs + CHANGE_DELAY_MS)
  }

  /** Signs a new report when the links changed or the last one is old. */
  #report(nowMs: number): void {
    this.#lookedMs = nowMs
    const { config } = this.#host
    const links = this.#links()
    const text = links.map(({ peer, health, latencyMs }) => `${peer} ${health} ${latencyMs === null}`).join()
    if (text === this.#reportedLinks && nowMs < this.#reportedMs + REPORT_INTERVAL_MS) return
    this.#reportedLinks = text
    this.#reportedMs = nowMs
    this.#seq = Math.max(this.#seq + 1, config.clock.wallMs())
    const report: LinkReport = {
      peer: this.#host.peerId,
      seq: this.#seq,
      nodeType: config.nodeType,
      software: config.software,
      protocolVersion: config.versions.max,
      links,
    }
    const encoded = signReport(report, config.genesisHash, this.#signer)
    if (config.linkReports) this.#spread(report, encoded)
    else this.#topology.take(report, encoded, nowMs)
  }

  #links(): ReportedLink[] {
    return this.#host
      .peers()
      .filter(({ id }) => this.#owedByNeighbour.has(id))
      .slice(0, REPORT_LINKS_MAX)
      .map(({ id, latencyMs, health }) => ({
        peer: id,
        latencyMs,
        health: health === 'healthy' ? 'healthy' : 'degraded',
      }))
  }

  #flush(nowMs: number): void {
    this.#flushedMs = nowMs
    for (const [neighbour, owed] of this.#owedByNeighbour) {
      if (owed.size === 0 || !this.#host.keepsUp(neighbour)) continue
      const peers = [...owed].slice(0, REPORTS_MAX)
      const reports = peers
        .map((peer) => this.#topology.encoded(peer))
        .filter((encoded) => encoded !== undefined)
      if (reports.length > 0 && !this.#host.send(neighbour, REPORTS, encodeReports(reports))) continue
      for (const peer of peers) owed.delete(peer)
    }
  }

  #now(): number {
    return this.#host.config.clock.monotonicMs()
  }
}

function average(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}

function mostFrequent(texts: readonly string[]): string | null {
  const timesByText = new Map<string, number>()
  for (const text of texts) timesByText.set(text, (timesByText.get(text) ?? 0) + 1)
  const [first] = [...timesByText].toSorted(([, x], [, y]) => y - x)
  return first?.[0] ?? null
}
