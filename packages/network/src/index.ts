/**
 * Peers, priorities, gossip and requests over encrypted links. Usable alone, under a chain of one's own.
 * @module
 */
export { startNetwork } from './network.ts'
export { NetworkError } from './errors.ts'
export type { NetworkErrorCode } from './errors.ts'
export type { Admission, NetworkConfig, NetworkLimits } from './config.ts'
export type * from './network-types.ts'
export type { Hello, NodeType, Status, VersionRange } from './protocol/hello.ts'
export type { KindSpec } from './protocol/kinds.ts'
export { MESSAGE_BYTES_MAX } from './protocol/kinds.ts'
export { LANES } from './protocol/lane.ts'
export type { Lane, PerLane } from './protocol/lane.ts'
export type { LaneDepth, LaneLimits } from './protocol/lanes.ts'
export type { Reason, ReasonCode } from './protocol/reason.ts'
export { reasonText } from './protocol/reason.ts'
export { parsePeerAddress } from './protocol/address.ts'
export type { Scheduler } from './system.ts'
export type { CreateTransport, Link, LinkHandlers, Transport, TransportSetup } from './transport.ts'
export { createLibp2pTransport, libp2pTransport, peerIdOf } from './libp2p/transport.ts'
export type { Libp2pOptions } from './libp2p/part.ts'
export { createMemoryNetwork } from './memory/network.ts'
export type { MemoryNetwork } from './memory/network.ts'
