/**
 * A module gives transactions one kind of operation: it reads them and applies them to the state. The built-in ones are
 * `accountsModule` and `kvModule`; a user registers more with the ledger.
 * @module
 */
import { assert } from '@althing/base'
import type { Fault, Hash, Parameters, Result, Verify } from '@althing/base'
import type { GraphChange } from './graph/changes.ts'
import type { StateWriter } from './pending.ts'

/** Where an operation is applied. */
export interface OperationContext {
  /** Account id of who signed. */
  readonly sender: Uint8Array
  /** Whether the sender is one Ed25519 key that signed; else it is a multi-signature account. */
  readonly isKey: boolean
  /** Of the transaction. */
  readonly nonce: number
  /** Of the block. */
  readonly height: number
  /** Of the block, in milliseconds since 1970, by the proposer's clock. */
  readonly timestamp: number
  readonly parameters: Parameters
  readonly state: StateWriter
  /** Hash of the genesis block. */
  readonly genesis: Hash
  /** The chain's Ed25519 rule, for signatures inside operations. */
  readonly verify: Verify
  /** Changes of the graph are noted here; those of a transaction that fails are dropped. */
  readonly graphChanges: GraphChange[]
}

/** Deterministic, synchronous and bounded in work by the size of the operation: every node must come to the same end. */
export interface Module<Operation = unknown> {
  /** From MODULE_USER_MIN on for modules that are not built in. */
  readonly id: number
  readonly name: string
  /** Reads the body of an operation. A transaction with one that fails here is carried by no block. Never throws. */
  decode(body: Uint8Array): Result<Operation>
  /** @returns why the transaction fails; the ledger then undoes what all its operations wrote. */
  apply(operation: Operation, context: OperationContext): Fault | null
  /**
   * Called once all operations of a transaction were applied, with those of this module: what must hold for the whole.
   * @returns why the transaction fails.
   */
  settle?(operations: readonly Operation[], context: OperationContext): Fault | null
  /**
   * Whether a transaction with this operation alone may go without a fee. Then no block may carry it when it fails, so
   * that what is free is bounded by what can have an effect. Absent: never.
   */
  isFree?(operation: Operation, context: OperationContext): boolean
}

/** A decoded operation and who applies it. */
export interface Step {
  readonly module: Module
  readonly operation: unknown
}

/** Applies the operations of a transaction one after the other. @returns why it fails; what was written is then to be undone. */
export function applySteps(steps: readonly Step[], context: OperationContext): Fault | null {
  const operationsOf = new Map<Module, unknown[]>()
  for (const [index, { module, operation }] of steps.entries()) {
    const fault = module.apply(operation, context)
    if (fault !== null) return { code: fault.code, message: `operation ${index}: ${fault.message}` }
    if (module.settle === undefined) continue
    const operations = operationsOf.get(module)
    if (operations === undefined) operationsOf.set(module, [operation])
    else operations.push(operation)
  }
  for (const [module, operations] of operationsOf) {
    const fault = module.settle?.(operations, context) ?? null
    if (fault !== null) return fault
  }
  return null
}

export type ModuleById = ReadonlyMap<number, Module>

export function moduleById(modules: readonly Module[]): ModuleById {
  const byId = new Map<number, Module>()
  for (const module of modules) {
    const other = byId.get(module.id)
    assert(other === undefined, `modules ${other?.name} and ${module.name} both have the id ${module.id}`)
    byId.set(module.id, module)
  }
  return byId
}
