/**
 * What this node knows of the consensus, put together for the explanation and the API.
 * @module
 */
import { bytesToHex, Certificate } from '@althing/base'
import type { Clock } from '@althing/base'
import type { Consensus, ConsensusView } from '@althing/chain'
import type { ConsensusReport } from '@althing/client'
import type { Network, PeerView } from '@althing/network'
import type { NodeConfig } from '../config/index.ts'
import type { Statistics } from '../statistics.ts'
import type { ClockOffsets } from './clock-offsets.ts'
import { explainWaiting } from './explain.ts'
import type { AuthorityLink, Explanation } from './explain.ts'
import type { ConsensusLinks } from './links.ts'

export interface ReportPorts {
  readonly config: NodeConfig
  readonly clock: Clock
  readonly core: Pick<Consensus, 'view'>
  readonly network: Network
  readonly links: Pick<ConsensusLinks, 'authorityOf'>
  readonly clockOffsets: Pick<ClockOffsets, 'of'>
  readonly statistics: Pick<Statistics, 'sinceFinalMs'>
  readonly intervalMs: number
  readonly idleIntervalMs: number
  /** This node's own authority in a set; null when it is none. */
  readonly selfIn: (view: ConsensusView) => number | null
  /** It has an authority's key, whether or not the present set has it too. */
  readonly hasKey: boolean
}

/** A refusal is of late when it is not older. */
const STRANGER_MS_MAX = 60_000
const STRANGERS_TOLD_MAX = 3
const STRANGE: ReadonlySet<string> = new Set(['network-mismatch', 'genesis-mismatch', 'version-mismatch'])

export function consensusReport(ports: ReportPorts): ConsensusReport {
  const { core, clock, clockOffsets, statistics } = ports
  const view = core.view({ monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() })
  const self = ports.selfIn(view)
  const peers = ports.network.peers()
  const links = linksOf(peers, ports)
  const ends = endsOf(ports)
  const sinceFinalMs = statistics.sinceFinalMs(clock.monotonicMs())
  const told = explain(ports, { view, self, peers, linkByIndex: links, ends, sinceFinalMs })
  return {
    state: told.state,
    text: told.text,
    advice: told.advice,
    epoch: view.epoch,
    view: view.view,
    leader: view.leader,
    idle: view.idle,
    halted: view.halted,
    halt_proof: view.haltProof.map((one) => Buffer.from(Certificate.serialize(one)).toString('base64')),
    observer: ports.hasKey ? view.observer : null,
    finalized_height: view.finalizedHeight,
    finalized_hash: bytesToHex(view.finalizedHash),
    head_height: view.headHeight,
    since_final_ms: sinceFinalMs === null ? null : Math.round(sinceFinalMs),
    quorum_weight: view.quorumWeight,
    weight_heard: told.weightHeard,
    authorities: view.authorities.map((one) => {
      const link = links.get(one.index) ?? null
      return {
        index: one.index,
        public_key: bytesToHex(one.key),
        weight: one.weight,
        self: one.index === self,
        silent_ms: one.silentMs === null ? null : Math.round(one.silentMs),
        missing: told.missing.includes(one.index),
        voted_notarize: one.votedNotarize,
        voted_nullify: one.votedNullify,
        voted_finalize: one.votedFinalize,
        link: link && {
          peer_id: link.peer,
          address: link.address,
          relayed: link.isRelayed,
          latency_ms: link.latencyMs === null ? null : Math.round(link.latencyMs * 100) / 100,
        },
        last_end: ends.get(one.index) ?? null,
        clock_offset_ms: one.index === self ? 0 : offsetOf(link === null ? null : clockOffsets.of(link.peer)),
        clock_wrong: told.wrongClocks.includes(one.index),
      }
    }),
  }
}

function explain(
  { config, intervalMs, idleIntervalMs, network, clock, links }: ReportPorts,
  seen: {
    readonly view: ConsensusView
    readonly self: number | null
    readonly peers: readonly PeerView[]
    readonly linkByIndex: ReadonlyMap<number, AuthorityLink>
    readonly ends: ReadonlyMap<number, string>
    readonly sinceFinalMs: number | null
  },
): Explanation {
  const { consensus } = config
  const twins = seen.peers.filter(({ id }) => seen.self !== null && links.authorityOf(id) === seen.self)
  const strangers = network
    .stats()
    .errors.filter(
      ({ type, code, lastAtMs }) =>
        type === 'refused' && STRANGE.has(code) && clock.wallMs() - lastAtMs < STRANGER_MS_MAX,
    )
    .slice(-STRANGERS_TOLD_MAX)
    .map(({ peer, example }) => `${peer ?? 'unknown'}: ${example}`)
  return explainWaiting({
    ...seen,
    links: seen.linkByIndex,
    intervalMs,
    idleIntervalMs,
    timeoutMs: consensus.timeoutMs,
    driftMs: consensus.clockDriftMs,
    twins: twins.map(({ id, remoteAddress }) => `${id} at ${remoteAddress}`),
    strangers,
    claimedHeight: seen.peers.reduce((highest, peer) => Math.max(highest, peer.finalizedHeight), 0),
  })
}

/** Of several links to one authority, the one with the shortest way. */
function linksOf(
  peers: readonly PeerView[],
  { links, clockOffsets }: ReportPorts,
): Map<number, AuthorityLink> {
  const byIndex = new Map<number, AuthorityLink>()
  for (const { id, remoteAddress, latencyMs } of peers) {
    const index = links.authorityOf(id)
    const before = index === null ? undefined : byIndex.get(index)
    if (index === null || (before !== undefined && (before.latencyMs ?? 0) <= (latencyMs ?? 0))) continue
    byIndex.set(index, {
      peer: id,
      address: remoteAddress,
      isRelayed: remoteAddress.includes('/p2p-circuit'),
      latencyMs,
      clock: clockOffsets.of(id),
    })
  }
  return byIndex
}

/** How the last link to each authority without one ended. */
function endsOf({ network, links }: ReportPorts): Map<number, string> {
  const byIndex = new Map<number, string>()
  for (const { id, session, lastEnd } of network.knownPeers()) {
    const index = session === null && lastEnd !== null ? links.authorityOf(id) : null
    if (index === null || lastEnd === null) continue
    byIndex.set(index, END_TEXTS[lastEnd.reason.code] ?? `it ended, ${lastEnd.reason.code}`)
  }
  return byIndex
}

const END_TEXTS: Readonly<Record<string, string>> = {
  'shutting-down': 'its node was stopped',
  'link-lost': 'the link broke without a word, as when a process is killed or a cable is pulled',
  silent: 'the link was up, but nothing came any more',
  requested: 'it was disconnected by hand',
  banned: 'it is banned',
}

function offsetOf(clock: { readonly offsetMs: number } | null): number | null {
  return clock === null ? null : Math.round(clock.offsetMs)
}
