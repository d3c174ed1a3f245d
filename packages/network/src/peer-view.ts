/**
 * What users see of peers: of an open session, and of all that is known of a peer.
 * @module
 */
import { assert } from '@althing/base'
import type { PeerDetails, PeerView } from './network-types.ts'
import type { PeerLink } from './peer-link.ts'
import { addressWithPeer, parseAddress } from './protocol/address.ts'
import type { BlacklistEntry } from './protocol/blacklist.ts'
import { sumOfTraffic } from './protocol/known-peers.ts'
import type { KnownPeer } from './protocol/known-peers.ts'
import { perLane } from './protocol/lane.ts'
import { PeerCounts } from './protocol/peer-counts.ts'

/** What is kept of a peer's last hello. */
export type PeerAbout = Pick<
  PeerView,
  'addresses' | 'remoteAddress' | 'direction' | 'nodeType' | 'features' | 'label'
>

/** How it does. */
export type PeerStanding = Pick<PeerView, 'health' | 'quality' | 'reputation'>

/** @param wallOffsetMs from the monotonic clock to the wall clock. */
export function peerView(link: PeerLink, standing: PeerStanding, wallOffsetMs: number): PeerView {
  const { session } = link
  const hello = session.remoteHello
  assert(hello !== null, 'an open session has a hello')
  return {
    ...session.remoteStatus,
    ...standing,
    id: link.peer,
    addresses: hello.addresses.map((address) => {
      const parsed = parseAddress(address)
      return parsed === null ? address : addressWithPeer(parsed, link.peer)
    }),
    remoteAddress: link.remoteAddress,
    direction: link.direction,
    nodeType: hello.nodeType,
    version: session.version,
    features: hello.features,
    reserved: link.reserved,
    label: link.label,
    connectedAtMs: Math.round(link.openedMs + wallOffsetMs),
    lastSeenMs: Math.round(session.receivedMs + wallOffsetMs),
    latencyMs: session.latencyMs,
    messagesIn: session.messagesIn,
    messagesOut: session.messagesOut,
    bytesIn: session.bytesIn,
    bytesOut: session.bytesOut,
    queues: perLane((lane) => session.lanes.depth(lane)),
  }
}

/** @param link its session; undefined when it has none now. */
export function peerDetails(
  known: KnownPeer<PeerAbout>,
  link: PeerLink | undefined,
  now: {
    readonly session: PeerView | null
    readonly standing: PeerStanding
    readonly reserved: boolean
    readonly ban: BlacklistEntry | null
    readonly wallOffsetMs: number
  },
): PeerDetails {
  const toWall = (monotonicMs: number) => Math.round(monotonicMs + now.wallOffsetMs)
  const counts = new PeerCounts()
  counts.add(known.counts)
  if (link !== undefined) counts.add(link.counts)
  const { lastEnd } = known
  return {
    ...known.about,
    ...now.standing,
    ...(link === undefined ? known.traffic : sumOfTraffic(known.traffic, link.session)),
    id: known.id,
    session: now.session,
    reserved: now.reserved,
    ban: now.ban,
    firstSeenMs: toWall(known.firstSeenMs),
    lastSeenMs: now.session?.lastSeenMs ?? toWall(known.lastSeenMs),
    sessions: known.sessions,
    lastEnd: lastEnd === null ? null : { ...lastEnd, atMs: toWall(lastEnd.atMs) },
    healthHistory: known.health.history.map((change) => ({ ...change, atMs: toWall(change.atMs) })),
    byKind: counts.byKind,
    requests: counts.requests,
    offences: { ...known.timesByOffence },
  }
}
