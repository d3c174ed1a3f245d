/**
 * For those who write a transport of their own: the suite that every transport of Althing passes.
 * @module
 */
export { networkCompliance } from './compliance.ts'
export type { TransportUnderTest } from './world.ts'
export { until } from './until.ts'
