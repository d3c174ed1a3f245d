/**
 * What users see of traffic: counts of the node, and the limits as they are now.
 * @module
 */
import type { Clock } from '@althing/base'
import type { PeerLink } from './peer-link.ts'
import { CONTROL } from './protocol/control.ts'
import type { KindTable } from './protocol/kinds.ts'
import type { Lane } from './protocol/lane.ts'
import type { Step, StepView } from './protocol/steps.ts'
import type { KindCount, NodeTraffic, PeerMove } from './protocol/traffic.ts'
import type { TrafficLimits } from './protocol/traffic-limits.ts'

/** Messages of one kind in one lane. */
export interface KindTraffic {
  /** Of the application or a service; `session.ping` and the like for the session's own. */
  readonly kind: string
  readonly lane: Lane
  readonly messages: number
  /** Of bodies, without frames and before compression. */
  readonly bytes: number
}

export interface LimitsView {
  readonly configured: TrafficLimits
  /** What may be sent to each peer now, besides critical messages; bytes a second. */
  readonly bytesPerSecondByPeer: Readonly<Record<string, number>>
  /** What may be on its way to each, besides critical messages, in bytes; peers that credit nothing are left out. */
  readonly windowBytesByPeer: Readonly<Record<string, number>>
  /** Peers that wait for their turn with the budget of the node. */
  readonly waitingPeers: number
  /** How often a link was read no further because its peer sent more than it may; of the sessions that there are. */
  readonly slowed: number
  /** The last 32 moves, oldest first; wall clock. */
  readonly moves: readonly PeerMove[]
}

export interface TrafficView {
  readonly steps: Readonly<Record<Step, StepView>>
  readonly sent: readonly KindTraffic[]
  readonly received: readonly KindTraffic[]
  /** On the wire, without what encryption adds. */
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly limits: LimitsView
}

const CONTROL_NAMES = new Map<number, string>(
  Object.entries(CONTROL).map(([name, kind]) => [kind, `session.${name}`]),
)

export function trafficView(
  traffic: NodeTraffic<PeerLink>,
  links: Iterable<PeerLink>,
  { kinds, clock }: { readonly kinds: KindTable; readonly clock: Clock },
): TrafficView {
  const wallOffsetMs = clock.wallMs() - clock.monotonicMs()
  const named = ({ kind, ...count }: Readonly<KindCount>): KindTraffic => ({
    ...count,
    kind: kinds.byId.get(kind)?.name ?? CONTROL_NAMES.get(kind) ?? `kind ${kind}`,
  })
  const open = [...links]
  const {
    messagesPerSecond,
    messagesBurst,
    bytesPerSecond,
    laneMultipliers,
    nodeMultiplier,
    adaptiveLimits,
  } = traffic.limits
  return {
    steps: traffic.steps.view(),
    sent: traffic.sentByKind.map(named),
    received: traffic.receivedByKind.map(named),
    bytesSent: traffic.bytesSent,
    bytesReceived: traffic.bytesReceived,
    limits: {
      configured: {
        messagesPerSecond,
        messagesBurst,
        bytesPerSecond,
        laneMultipliers,
        nodeMultiplier,
        adaptiveLimits,
      },
      bytesPerSecondByPeer: Object.fromEntries(open.map((link) => [link.peer, link.traffic.bytesPerSecond])),
      windowBytesByPeer: Object.fromEntries(
        open.flatMap(({ peer, traffic: { window } }) =>
          window === null ? [] : [[peer, Math.round(window.bytes)]],
        ),
      ),
      waitingPeers: traffic.budget.waitingCount,
      slowed: open.reduce((sum, link) => sum + link.traffic.inbound.slowedCount, 0),
      moves: traffic.moves.map((move) => ({ ...move, atMs: Math.round(move.atMs + wallOffsetMs) })),
    },
  }
}
