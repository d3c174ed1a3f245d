/**
 * The ledger: what a transaction does to the state (PO-4, PO-12). Pure.
 * L1  nonces of a sender are used one by one, from 0, without a gap
 * L2  the fee leaves the sender and reaches the fee sink (or is burned) for every transaction in a block
 * L3  the operations of a transaction take effect all together or not at all
 * L4  a transaction without a fee is in a block only when it has its effect
 * @module
 */
import {
  assert,
  bytesToHex,
  checkWitnessKeys,
  decodeParameters,
  equalBytes,
  fail,
  isKeyWitness,
  isZeroHash,
  ok,
  parametersKey,
  RecentMap,
  TRANSACTION_VERSION,
} from '@althing/base'
import type {
  Account,
  AuthoritySet,
  Fault,
  Hash,
  Parameters,
  Result,
  Transaction,
  TransactionBody,
  Verify,
} from '@althing/base'
import { beginBlock, endBlock } from './authorities/epoch.ts'
import { authoritiesModule } from './authorities/module.ts'
import { versionAt } from './authorities/proposals.ts'
import { readAuthority, readProtocol, readRules } from './authorities/records.ts'
import { authorityState } from './authorities/view.ts'
import type { AuthorityState } from './authorities/view.ts'
import type { GraphChange } from './graph/changes.ts'
import { graphModule } from './graph/module.ts'
import { applySteps, moduleById } from './module.ts'
import type { Module, ModuleById, OperationContext, Step } from './module.ts'
import { accountsModule, checkAccountId, credit, readAccount, writeAccount } from './modules/accounts.ts'
import { kvModule } from './modules/kv.ts'
import { PendingChanges } from './pending.ts'
import type { StateReader, LedgerTree } from './pending.ts'

export const BUILT_IN_MODULES: readonly Module[] = [accountsModule, kvModule, graphModule, authoritiesModule]

/** Where a block stands. */
export interface BlockContext {
  readonly height: number
  /** Milliseconds since 1970, by the proposer's clock. */
  readonly timestamp: number
  readonly epoch: number
  /** Of the header: the view in which the block was first proposed. */
  readonly view: number
  /** Index in the epoch's authority set. */
  readonly proposer: number
  /** Hash of the parent block. */
  readonly parent: Hash
  /** Of the parent's header; 0 for the first block of an epoch. */
  readonly parentView: number
}

/** What a block leaves behind. */
export interface BlockEnd<State> {
  readonly state: State
  /** Not null: the block ends its epoch, and this is the set of the next one (R11). */
  readonly nextSet: AuthoritySet | null
}

export interface AccountView {
  /** The nonce of the account's next transaction. */
  readonly nonce: number
  readonly balance: bigint
}

/** What became of a transaction in a block: applied, or paid for and refused. */
export interface Receipt {
  readonly ok: boolean
  /** Why the operations had no effect; absent when ok. */
  readonly fault?: Fault
}

export interface LedgerOptions<State> {
  readonly tree: LedgerTree<State>
  /** Hash of the genesis block. */
  readonly genesis: Hash
  /** The chain's Ed25519 rule: on a full node the native verifier (P22). */
  readonly verify: Verify
  /** Default: the built-in ones. */
  readonly modules?: readonly Module[]
}

/** Accounts of one state that are remembered, and states whose accounts are. */
const ACCOUNTS_REMEMBERED_MAX = 4_096
const STATES_REMEMBERED_MAX = 4

const APPLIED: Receipt = { ok: true }

export class ChainLedger<State extends object> {
  readonly #tree: LedgerTree<State>
  readonly #rules: TransactionRules
  readonly #verify: Verify
  /** Read lately: admission asks for the same accounts of the same state again and again. */
  readonly #accountsOf = new RecentMap<State, RecentMap<string, Account | null>>(STATES_REMEMBERED_MAX)
  #parametersOf: { readonly state: State; readonly parameters: Parameters } | null = null
  /** Of each state that a batch made and that is still kept. */
  readonly #graphChangesOf = new WeakMap<State, readonly GraphChange[]>()

  constructor({ tree, genesis, verify, modules = BUILT_IN_MODULES }: LedgerOptions<State>) {
    this.#tree = tree
    this.#verify = verify
    this.#rules = new TransactionRules(genesis, moduleById(modules))
  }

  root(state: State): Hash {
    return this.#tree.root(state)
  }

  /** An account that is not in the state has nonce 0 and balance 0. */
  account(state: State, id: Uint8Array): AccountView {
    return this.#account(state, id) ?? EMPTY_ACCOUNT
  }

  /**
   * Whether a block at `height` on `state` could carry this transaction, leaving aside that earlier ones of its sender
   * may be missing still. Signatures are not looked at.
   */
  check(state: State, transaction: Transaction, height: number): Result<void> {
    const { body } = transaction
    const parameters = this.parameters(state)
    const steps = this.#rules.read(body, parameters, height)
    if (!steps.ok) return steps
    const account = this.#account(state, body.sender)
    const fault =
      nonceUsed(body, account ?? EMPTY_ACCOUNT) ??
      cannotPay(body, account) ??
      keysUnacceptable(transaction, account) ??
      (body.fee < parameters.feeMin ? this.#tryFree(state, transaction, steps.value, height) : null)
    return fault === null ? ok(undefined) : { ok: false, fault }
  }

  /** Of one that `check` lets pass: whether it goes without the least fee (L4). */
  isFree(state: State, { body }: Transaction): boolean {
    return body.fee < this.parameters(state).feeMin
  }

  /** The version of a block at `height` on `state`. */
  blockVersion(state: State, height: number): number {
    return versionAt(readProtocol(this.#reader(state)), height)
  }

  /** The authorities, and all that is decided and proposed about them. */
  authorities(state: State): AuthorityState {
    return authorityState(this.#reader(state))
  }

  /** The newest rejoin of an authority's key (R12); null when there was none. */
  lastRejoin(state: State, key: Uint8Array): { readonly nonce: Uint8Array; readonly height: number } | null {
    const { rejoinedAt, rejoinNonce } = readAuthority(this.#reader(state), key)
    return rejoinedAt === 0 ? null : { nonce: rejoinNonce, height: rejoinedAt }
  }

  /** Starts the changes of one block on `state`. */
  begin(state: State, context: BlockContext): Batch<State> {
    const changes = new PendingChanges(this.#tree, state)
    return new Batch(changes, this.#rules, this.#shared(state, changes), context, (after, changes) =>
      this.#graphChangesOf.set(after, changes),
    )
  }

  /**
   * What the block that made `state` did to the graph, in its order.
   * @returns null when `state` is not one that a batch of this ledger made.
   */
  graphChanges(state: State): readonly GraphChange[] | null {
    return this.#graphChangesOf.get(state) ?? null
  }

  /** The rules that genesis wrote into the state. */
  parameters(state: State): Parameters {
    if (this.#parametersOf?.state !== state) {
      this.#parametersOf = { state, parameters: readParameters(this.#reader(state)) }
    }
    return this.#parametersOf.parameters
  }

  /** L4: a trial, whose changes are thrown away. */
  #tryFree(state: State, transaction: Transaction, steps: readonly Step[], height: number): Fault | null {
    const shared = this.#shared(state, new PendingChanges(this.#tree, state))
    return applyFree(steps, operationContext(transaction, { height, timestamp: 0 }, shared))
  }

  #shared(state: State, changes: PendingChanges<State>): SharedContext {
    const { genesis } = this.#rules
    const parameters = this.parameters(state)
    return { genesis, verify: this.#verify, parameters, state: changes, graphChanges: [] }
  }

  #account(state: State, id: Uint8Array): Account | null {
    let accounts = this.#accountsOf.get(state)
    if (accounts === undefined) {
      accounts = new RecentMap(ACCOUNTS_REMEMBERED_MAX)
      this.#accountsOf.set(state, accounts)
    }
    const idHex = bytesToHex(id)
    const known = accounts.get(idHex)
    if (known !== undefined) return known
    const account = readAccount(this.#reader(state), id)
    accounts.set(idHex, account)
    return account
  }

  #reader(state: State): StateReader {
    return { get: (key) => this.#tree.get(state, key) }
  }
}

/** The changes of one block, being gathered. */
export class Batch<State> {
  readonly #changes: PendingChanges<State>
  readonly #rules: TransactionRules
  readonly #shared: SharedContext
  readonly #context: BlockContext
  readonly #ended: (state: State, changes: readonly GraphChange[]) => void

  constructor(
    changes: PendingChanges<State>,
    rules: TransactionRules,
    shared: SharedContext,
    context: BlockContext,
    ended: (state: State, changes: readonly GraphChange[]) => void,
  ) {
    this.#changes = changes
    this.#rules = rules
    this.#shared = shared
    this.#context = context
    this.#ended = ended
    beginBlock(changes, context)
    changes.keep()
  }

  /** As the transactions applied so far leave it. */
  account(id: Uint8Array): AccountView {
    return readAccount(this.#changes, id) ?? EMPTY_ACCOUNT
  }

  /**
   * Applies one transaction whose signature has been checked.
   * @returns a fault, and no change, when no block may carry it here; else the receipt.
   */
  apply(transaction: Transaction): Result<Receipt> {
    const { body } = transaction
    const { parameters } = this.#shared
    const steps = this.#rules.read(body, parameters, this.#context.height)
    if (!steps.ok) return steps
    const account = readAccount(this.#changes, body.sender)
    const view = account ?? EMPTY_ACCOUNT
    const fault =
      nonceUsed(body, view) ??
      nonceGap(body, view) ??
      cannotPay(body, account) ??
      keysUnacceptable(transaction, account)
    if (fault !== null) return { ok: false, fault }
    const context = operationContext(transaction, this.#context, this.#shared)
    if (body.fee < parameters.feeMin) return this.#applyFree(steps.value, view, context)
    this.#takeFee(body, view)
    return ok(this.#applySteps(steps.value, context))
  }

  /** The state with all changes. */
  end(): BlockEnd<State> {
    const nextSet = endBlock(this.#changes, this.#context, readRules(this.#changes))
    this.#changes.keep()
    const state = this.#changes.apply()
    this.#ended(state, this.#shared.graphChanges)
    return { state, nextSet }
  }

  /** L4 */
  #applyFree(
    steps: readonly Step[],
    { nonce, balance }: AccountView,
    context: OperationContext,
  ): Result<Receipt> {
    const fault = applyFree(steps, context)
    if (fault !== null) {
      this.#changes.discard()
      return { ok: false, fault }
    }
    writeAccount(this.#changes, context.sender, { nonce: nonce + 1, balance })
    this.#changes.keep()
    return ok(APPLIED)
  }

  #takeFee({ sender, fee }: TransactionBody, { nonce, balance }: AccountView): void {
    writeAccount(this.#changes, sender, { nonce: nonce + 1, balance: balance - fee })
    const { feeSink } = this.#shared.parameters
    if (fee > 0n && !isZeroHash(feeSink)) {
      const fault = credit(this.#changes, feeSink, fee)
      assert(fault === null, 'genesis has a fee sink that can be an account')
    }
    this.#changes.keep()
  }

  #applySteps(steps: readonly Step[], context: OperationContext): Receipt {
    const before = context.graphChanges.length
    const fault = applySteps(steps, context)
    if (fault !== null) {
      this.#changes.discard()
      context.graphChanges.length = before
      return { ok: false, fault }
    }
    this.#changes.keep()
    return APPLIED
  }
}

/** What all operations of a block are given. */
type SharedContext = Pick<OperationContext, 'genesis' | 'verify' | 'parameters' | 'state' | 'graphChanges'>

function operationContext(
  { body, witness }: Transaction,
  { height, timestamp }: Pick<BlockContext, 'height' | 'timestamp'>,
  shared: SharedContext,
): OperationContext {
  const { sender, nonce } = body
  return { ...shared, sender, nonce, isKey: isKeyWitness(witness), height, timestamp }
}

/** @param steps a single one, of a module that has free operations. */
function applyFree(steps: readonly Step[], context: OperationContext): Fault | null {
  const isFree = steps.every(({ module, operation }) => module.isFree?.(operation, context) === true)
  return isFree ? applySteps(steps, context) : feeTooLow(0n, context.parameters)
}

function feeTooLow(fee: bigint, { feeMin }: Parameters): Fault {
  return { code: 'FEE_TOO_LOW', message: `a fee of ${fee}; at least ${feeMin} expected` }
}

/** What holds for a transaction whichever block carries it. */
class TransactionRules {
  readonly #genesis: Hash
  readonly #modules: ModuleById

  constructor(genesis: Hash, modules: ModuleById) {
    this.#genesis = genesis
    this.#modules = modules
  }

  get genesis(): Hash {
    return this.#genesis
  }

  /**
   * Checks everything but the sender's account, and reads the operations. With a fee of 0 below the least one it is a
   * single operation, of a module that has free ones.
   */
  read(body: TransactionBody, parameters: Parameters, height: number): Result<readonly Step[]> {
    if (body.version !== TRANSACTION_VERSION) {
      return fail(
        'VERSION_UNKNOWN',
        `transaction version ${body.version}; this release knows ${TRANSACTION_VERSION}`,
      )
    }
    if (!equalBytes(body.genesis, this.#genesis)) {
      const message = `made for genesis ${bytesToHex(body.genesis)}; this chain is ${bytesToHex(this.#genesis)}`
      return fail('WRONG_NETWORK', message)
    }
    if (height > body.validUntil) {
      return fail('EXPIRED', `valid until height ${body.validUntil}; the next block has height ${height}`)
    }
    if (body.fee < parameters.feeMin && !this.#mayBeFree(body)) {
      return { ok: false, fault: feeTooLow(body.fee, parameters) }
    }
    if (body.operations.length === 0) return fail('OPERATIONS_MISSING', 'no operation; at least one expected')
    return this.#steps(body)
  }

  #mayBeFree({ fee, operations: [operation, ...others] }: TransactionBody): boolean {
    if (fee > 0n || operation === undefined || others.length > 0) return false
    return this.#modules.get(operation.module)?.isFree !== undefined
  }

  #steps({ operations }: TransactionBody): Result<readonly Step[]> {
    const steps: Step[] = []
    for (const [index, { module: id, body }] of operations.entries()) {
      const module = this.#modules.get(id)
      if (module === undefined) {
        const known = [...this.#modules.values()].map((each) => `${each.id} (${each.name})`).join(', ')
        return fail('MODULE_UNKNOWN', `operation ${index}: module ${id}; known: ${known}`)
      }
      const operation = module.decode(body)
      if (!operation.ok) return fail(operation.fault.code, `operation ${index}: ${operation.fault.message}`)
      steps.push({ module, operation: operation.value })
    }
    return ok(steps)
  }
}

const EMPTY_ACCOUNT: AccountView = { nonce: 0, balance: 0n }

function nonceUsed({ nonce, sender }: TransactionBody, account: AccountView): Fault | null {
  if (nonce >= account.nonce) return null
  const message = `nonce ${nonce} of account ${bytesToHex(sender)} is used; the next one is ${account.nonce}`
  return { code: 'NONCE_USED', message }
}

function nonceGap({ nonce, sender }: TransactionBody, account: AccountView): Fault | null {
  if (nonce <= account.nonce) return null
  const message = `nonce ${nonce} of account ${bytesToHex(sender)}; the next one is ${account.nonce}`
  return { code: 'NONCE_GAP', message }
}

/** @param account null when the state holds no such account. */
function cannotPay({ sender, fee }: TransactionBody, account: AccountView | null): Fault | null {
  const balance = account?.balance ?? 0n
  if (balance < fee) {
    const message = `a fee of ${fee}; account ${bytesToHex(sender)} has ${balance}`
    return { code: 'BALANCE_TOO_LOW', message }
  }
  if (account !== null) return null
  const enters = checkAccountId(sender)
  return enters.ok ? null : enters.fault
}

/** The keys of a multi-signature account enter with its first transaction (P22). */
function keysUnacceptable({ witness }: Transaction, account: AccountView | null): Fault | null {
  if (account !== null && account.nonce > 0) return null
  const checked = checkWitnessKeys(witness)
  return checked.ok ? null : checked.fault
}

function readParameters(state: StateReader): Parameters {
  const bytes = state.get(parametersKey)
  assert(bytes !== null, 'every state holds the parameters that genesis wrote')
  const parameters = decodeParameters(bytes)
  assert(parameters.ok, 'the parameters in the state can be read')
  return parameters.value
}
