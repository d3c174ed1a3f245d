/**
 * For those who write a transport or a chain of their own: the suites that those of Althing pass.
 * @module
 */
export { networkCompliance } from './compliance.ts'
export type { TransportUnderTest } from './world.ts'
export {
  blockStoreCompliance,
  consensusCompliance,
  mempoolCompliance,
  transactionStoreCompliance,
} from './chain-compliance.ts'
export type { ChainUnderTest } from './chain-compliance.ts'
export { ownTipCompliance } from './own-tip-compliance.ts'
export type { OwnTipChain } from './own-tip-compliance.ts'
export { until } from './until.ts'
