export { startVerifierPool } from './pool.ts'
export type { VerifierPool } from './pool.ts'
