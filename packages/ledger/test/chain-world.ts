/**
 * A ledger with named accounts, for tests: each letter is an account with a key of its own.
 * @module
 */
import assert from 'node:assert/strict'
import {
  AUTHORITY_RULES_DEFAULT,
  genesisHeader,
  headerHash,
  portableSigner,
  POLICY_MEMBERS,
  sha256,
  utf8ToBytes,
  verifyPortable,
  ZERO_HASH,
} from '@althing/base'
import type {
  AuthoritySet,
  Genesis,
  Hash,
  Operation,
  Result,
  Transaction,
  TransactionBody,
} from '@althing/base'
import { ChainLedger, genesisState, StateTree } from '../src/index.ts'
import type { Batch, Module, Receipt, StateVersion } from '../src/index.ts'
import { MemoryTreeStore } from './tree-store.ts'

const ids = new Map<string, Uint8Array>()

/** The account id of a name. */
export function idOf(name: string): Uint8Array {
  const known = ids.get(name) ?? portableSigner(sha256(utf8ToBytes(name))).publicKey
  ids.set(name, known)
  return known
}

export interface GenesisOptions extends Partial<Genesis> {
  readonly balances?: Readonly<Record<string, bigint>>
  readonly memberNames?: readonly string[]
}

export interface WorldOptions extends GenesisOptions {
  readonly modules?: readonly Module[]
}

export function genesisOf({ balances = {}, memberNames = [], ...rest }: GenesisOptions): Genesis {
  return {
    version: 1,
    networkId: utf8ToBytes('test'),
    timestamp: 0,
    authorities: [{ key: idOf('authority'), weight: 1 }],
    allocations: Object.entries(balances).map(([name, balance]) => ({ account: idOf(name), balance })),
    members: memberNames.map(idOf),
    policy: POLICY_MEMBERS,
    feeSink: ZERO_HASH,
    feeMin: 1n,
    intervalMs: 100,
    idleIntervalMs: 1000,
    blockBytesMax: 1_048_576,
    authorityRules: AUTHORITY_RULES_DEFAULT,
    ...rest,
  }
}

/** Of the block at a height; what stands for it where nobody looks. */
export function hashAt(height: number): Hash {
  return sha256(utf8ToBytes(`block ${height}`))
}

export class World {
  readonly tree = new StateTree(new MemoryTreeStore(), null)
  readonly genesis: Genesis
  readonly genesisHash: Uint8Array
  readonly ledger: ChainLedger<StateVersion>
  state: StateVersion
  height = 0
  /** Of the last block; counts from 0 in each epoch. */
  view = 0
  /** What the last block said; null when its epoch goes on. */
  nextSet: AuthoritySet | null = null

  constructor({ modules, ...options }: WorldOptions = {}) {
    this.genesis = genesisOf(options)
    this.state = genesisState(this.tree, this.tree.head, this.genesis)
    this.genesisHash = headerHash(genesisHeader(this.genesis, this.tree.root(this.state)))
    this.ledger = new ChainLedger({
      tree: this.tree,
      genesis: this.genesisHash,
      verify: verifyPortable,
      ...(modules === undefined ? {} : { modules }),
    })
  }

  /** A transaction with the sender's next nonce and the least fee, unless `over` says otherwise. */
  transaction(
    sender: string,
    operations: readonly Operation[],
    over: Partial<TransactionBody> = {},
  ): Transaction {
    const body: TransactionBody = {
      version: 1,
      genesis: this.genesisHash,
      sender: idOf(sender),
      nonce: this.nonce(sender),
      validUntil: 1_000_000,
      fee: 1n,
      operations: [...operations],
      ...over,
    }
    return { body, witness: new Uint8Array(65) }
  }

  /** One block. */
  block<T>(fill: (batch: Batch<StateVersion>) => T, viewsMissed = 0): T {
    this.height += 1
    const parentView = this.nextSet === null ? this.view : 0
    this.view = parentView + viewsMissed + 1
    const batch = this.ledger.begin(this.state, {
      height: this.height,
      timestamp: this.height * 1000,
      epoch: this.ledger.authorities(this.state).epoch,
      view: this.view,
      proposer: 0,
      parent: hashAt(this.height - 1),
      parentView,
    })
    const result = fill(batch)
    const { state, nextSet } = batch.end()
    this.state = state
    this.nextSet = nextSet
    return result
  }

  /** One block with one transaction. */
  send(
    sender: string,
    operations: readonly Operation[],
    over: Partial<TransactionBody> = {},
  ): Result<Receipt> {
    const transaction = this.transaction(sender, operations, over)
    return this.block((batch) => batch.apply(transaction))
  }

  /** @returns 'ok', or the code of the fault: prefixed with `receipt ` when the fee was taken. */
  outcome(sender: string, operations: readonly Operation[], over: Partial<TransactionBody> = {}): string {
    const result = this.send(sender, operations, over)
    if (!result.ok) return result.fault.code
    return result.value.ok ? 'ok' : `receipt ${result.value.fault?.code}`
  }

  get(key: Uint8Array): Uint8Array | null {
    return this.tree.get(this.state, key)
  }

  balance(name: string): bigint {
    return this.ledger.account(this.state, idOf(name)).balance
  }

  nonce(name: string): number {
    return this.ledger.account(this.state, idOf(name)).nonce
  }

  assertOutcome(expected: string, sender: string, ...operations: readonly Operation[]): void {
    assert.equal(this.outcome(sender, operations), expected)
  }
}
