import type { Signer } from '@althing/base'
import type { Counts } from '../counts.ts'
import type { Content, Packet } from '../protocol/delivery-wire.ts'
import type { Ways } from '../protocol/relay.ts'
import type { ServiceHost } from '../service.ts'

/** What both ends of a delivery need of the node. */
export interface Post {
  readonly host: ServiceHost
  /** Of the node key. */
  readonly signer: Signer
  readonly counts: Counts
  readonly ways: Ways
  /** Sends it on its way, if there is one. */
  transmit(packet: Packet): void
  /** Sends something back as a packet came: along the map, or to all. */
  answer(packet: Packet, content: Content, payload: Uint8Array): void
}
