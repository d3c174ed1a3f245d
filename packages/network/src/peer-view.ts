import { assert } from '@althing/base'
import type { PeerView } from './network-types.ts'
import type { PeerLink } from './peer-link.ts'
import { addressWithPeer, parseAddress } from './protocol/address.ts'
import { perLane } from './protocol/lane.ts'

/**
 * What users see of an open session.
 * @param wallOffsetMs from the monotonic clock to the wall clock.
 */
export function peerView(link: PeerLink, faults: number, wallOffsetMs: number): PeerView {
  const { session } = link
  const hello = session.remoteHello
  assert(hello !== null, 'an open session has a hello')
  return {
    ...session.remoteStatus,
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
    faults,
  }
}
