/**
 * The network for pages: a node that dials WebSocket addresses, and is dialled by nobody. Leave `listen` empty.
 * @module
 */
import './platform/buffer.ts'

export { startNetwork } from './network.ts'
export { NetworkError } from './errors.ts'
export type { NetworkErrorCode } from './errors.ts'
export type { NetworkConfig, NetworkLimits } from './config.ts'
export type * from './network-types.ts'
export type { Hello, NodeType, Status } from './protocol/hello.ts'
export type { KindSpec } from './protocol/kinds.ts'
