/**
 * The node as a library: what the program `althing` starts.
 * @module
 */
export { startNode } from './node.ts'
export type { NodeOptions, RunningNode } from './node.ts'
export type { NodeEvent } from './node-events.ts'
export type { GraphChangesMissed, GraphListener } from './graph-changes/graph-feed.ts'
export type { GraphChanged, GraphPattern } from './graph-changes/pattern.ts'
export { NodeError } from './errors.ts'
export type { NodeErrorCode } from './errors.ts'
export { ConfigError, configKeys, loadConfig, parseConfig } from './config/index.ts'
export type { NodeConfig } from './config/index.ts'
export { StoreError } from './store/errors.ts'
export { nativeSigner, verifyNative } from './crypto/ed25519.ts'
