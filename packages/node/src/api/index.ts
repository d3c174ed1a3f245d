export type * from './backend.ts'
export { startApi } from './start.ts'
export type { RunningApi } from './start.ts'
