export { startVerifierPool } from './pool.ts'
export type { VerifierPool, VerifierPoolOptions } from './pool.ts'
