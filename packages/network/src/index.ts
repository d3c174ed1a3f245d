/**
 * Peers, priorities, gossip and requests over encrypted links. Usable alone, under a chain of one's own.
 * @module
 */
export { startNetwork } from './network.ts'
export type { NetworkErrorCount } from './error-log.ts'
export { startEnhancedNetwork } from './enhanced/enhanced-network.ts'
export type { EnhancedNetwork } from './enhanced/enhanced-network.ts'
export type { ChainParts } from './enhanced/block-import.ts'
export type { ChainLimits, EnhancedNetworkConfig } from './enhanced/chain-config.ts'
export { ChainError } from './enhanced/chain-error.ts'
export type { ChainErrorCode } from './enhanced/chain-error.ts'
export type { ChainEvent, EnhancedNetworkEvent } from './enhanced/chain-events.ts'
export type { SyncView } from './enhanced/chain-synchroniser.ts'
export * from './enhanced/memory-chain.ts'
export type * from './enhanced/ports.ts'
export type { Block, BlockRef, ChainStatus, RangeRequest } from './protocol/chain-messages.ts'
export type { SyncStrategy } from './protocol/chain-sync-effect.ts'
export { NetworkError } from './errors.ts'
export type { NetworkErrorCategory, NetworkErrorCode } from './errors.ts'
export type { Admission, NetworkConfig, NetworkLimits } from './config.ts'
export type { BanOptions, BlacklistStore } from './bans.ts'
export type { BlacklistEntry } from './protocol/blacklist.ts'
export type { Health, HealthChange } from './protocol/health.ts'
export type { Deed, Offence } from './protocol/reputation.ts'
export type * from './network-types.ts'
export type { NatOptions, WhenNeeded } from './nat-options.ts'
export type { ReachView } from './reach.ts'
export type * from './delivery/delivery-types.ts'
export type { Hello, NodeType, Status, VersionRange } from './protocol/hello.ts'
export type { KindSpec } from './protocol/kinds.ts'
export { MESSAGE_BYTES_MAX } from './protocol/kinds.ts'
export { LANES } from './protocol/lane.ts'
export type { Lane, PerLane } from './protocol/lane.ts'
export type { LaneDepth, LaneLimits } from './protocol/lanes.ts'
export type { LinkInMap, NodeInMap } from './protocol/topology.ts'
export type { Reason, ReasonCode } from './protocol/reason.ts'
export { reasonText } from './protocol/reason.ts'
export { parsePeerAddress } from './protocol/address.ts'
export type { Scheduler } from './system.ts'
export { blacklistFile } from './blacklist-file.ts'
export { peerStoreFile } from './peer-store-file.ts'
export type { PeerStore } from './records.ts'
export type { ResolveTxt } from './dns-seeds.ts'
export type {
  CreateTransport,
  Gate,
  HolePunching,
  Link,
  LinkHandlers,
  NatTransport,
  Transport,
  TransportSetup,
} from './transport.ts'
export { createLibp2pTransport, libp2pTransport, peerIdOf } from './libp2p/transport.ts'
export { peerIdOfKey } from './protocol/peer-id.ts'
export { socketTls } from './libp2p/tls/encrypter.ts'
export type { Libp2pOptions } from './libp2p/part.ts'
export { createMemoryNetwork } from './memory/network.ts'
export type { MemoryNetwork } from './memory/network.ts'
export type { KindTraffic, LimitsView, TrafficView } from './traffic-view.ts'
export type { Step, StepView } from './protocol/steps.ts'
export type { PeerMove } from './protocol/traffic.ts'
