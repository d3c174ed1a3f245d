export type { StateCommit, StateReference } from './commit.ts'
export type { TreeStore } from './page-cache.ts'
export { StateError, type StateErrorCode } from './state-error.ts'
export {
  StateTree,
  StateVersion,
  VALUE_BYTES_MAX,
  type StateChange,
  type StateTreeOptions,
} from './state-tree.ts'
export type { ProofLimits, StateEntry } from './walk.ts'
