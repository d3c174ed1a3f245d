/**
 * TypeScript client of a node's API, and the light client that checks its answers. Runs in Node and in browsers.
 * @module
 */
export * from './encoding.ts'
export * from './mirror/difference.ts'
export * from './mirror/entry-set.ts'
export * from './mirror/mirror.ts'
export * from './receipts.ts'
export * from './client.ts'
export type * from './consensus-types.ts'
export * from './error.ts'
export * from './graph-proofs.ts'
export type { CallOptions } from './http.ts'
export * from './graph-answers.ts'
export { graphRootOf } from './graph-root.ts'
export type { GraphCalls, StatementsQuery } from './graph-calls.ts'
export type * from './graph-types.ts'
export type { NetworkCalls } from './network-calls.ts'
export type * from './network-map-types.ts'
export type * from './network-types.ts'
export type * from './observation-types.ts'
export type * from './trace-types.ts'
export * from './transactions.ts'
export * from './types.ts'
export * from './verify.ts'
export {
  authorityBond,
  authorityHeartbeat,
  authorityPropose,
  authorityRotateKey,
  authorityUnbond,
  authorityVote,
} from '@althing/base'
export { graphCreate, graphDelete, graphGrant, graphInsert, graphRevoke } from '@althing/base'
export { kvDelete, kvGrant, kvPut, kvRevoke, portableSigner, transfer } from '@althing/base'
export type { Operation, Signer } from '@althing/base'
