export type { ApiBackend } from './backend.ts'
export { startApi } from './start.ts'
