/**
 * A small deterministic ledger behind the executor's port: the state root is a hash chain over the transactions, a
 * transaction may be carried once, up to its last height, and some are orders about the authorities.
 * @module
 */
import {
  assert,
  authoritySetHash,
  BLOCK_VERSION,
  bytesToHex,
  equalBytes,
  fail,
  hashOf,
  hashToHex,
  headerHash,
  NO_NEXT_SET,
  ok,
  sha256,
  transactionsRoot,
} from '@althing/base'
import type { AuthoritySet, Block, BlockHash, Hash, HashHex, Header, Result } from '@althing/base'
import type { Executor, FinalBlock, FinalBlocks, HeaderDraft, RejoinRecord } from '@althing/chain'
import { endBlock } from './ledger-rules.ts'
import type { AuthorityState, LedgerRules, Order } from './ledger-rules.ts'
import { readTransaction } from './transactions.ts'

/** Transactions of one block, at most. */
export const BLOCK_TRANSACTIONS = 8

interface Waiting {
  readonly bytes: Uint8Array
  readonly validUntil: number
}

/** Transactions waiting on one host; it is emptied by a crash. */
export class SimulatedPool {
  readonly #byId = new Map<number, Waiting>()

  add(bytes: Uint8Array): void {
    const { id, validUntil } = readTransaction(bytes)!
    this.#byId.set(id, { bytes, validUntil })
  }

  remove(id: number): void {
    this.#byId.delete(id)
  }

  dropExpired(height: number): void {
    for (const [id, { validUntil }] of this.#byId) if (validUntil <= height) this.remove(id)
  }

  /** In the order of arrival. */
  entries(): IterableIterator<[number, Waiting]> {
    return this.#byId.entries()
  }
}

interface State {
  readonly header: Header
  readonly root: Hash
  readonly authorities: AuthorityState
  readonly ids: ReadonlySet<number>
  /** Null for the state of the final tip. */
  readonly parent: HashHex | null
}

/** The root that block 0 commits to. */
export const GENESIS_STATE_ROOT: Hash = hashOf(Uint8Array.of(0))

export class SimulatedExecutor implements Executor {
  readonly #pool: SimulatedPool
  readonly #rules: LedgerRules
  readonly #states = new Map<HashHex, State>()
  readonly #finalIds = new Set<number>()
  #finalHash: HashHex
  #final: State

  /** @param first set of authorities. @param finalBlocks whose state is rebuilt. */
  constructor(pool: SimulatedPool, rules: LedgerRules, first: AuthoritySet, finalBlocks: FinalBlocks) {
    this.#pool = pool
    this.#rules = rules
    const genesis = finalBlocks.byHeight(0)!
    this.#finalHash = hashToHex(genesis.hash)
    const authorities = { set: first, anchorHeight: 0, orders: [], rejoins: new Map() }
    const { header } = genesis.block
    this.#final = { header, root: GENESIS_STATE_ROOT, authorities, ids: new Set(), parent: null }
    for (let height = 1; height <= finalBlocks.height; height++) this.#adopt(finalBlocks.byHeight(height)!)
  }

  execute(block: Block, hash: BlockHash): Result<void> {
    const { header } = block
    const parentHex = hashToHex(header.parent)
    const parent = this.#state(parentHex)
    const ids: number[] = []
    const orders: Order[] = []
    for (const bytes of block.transactions) {
      const transaction = readTransaction(bytes)
      if (transaction === null) return fail('TRANSACTION_MALFORMED', `${bytes.length} bytes`)
      if (transaction.validUntil < header.height)
        return fail('TRANSACTION_EXPIRED', `transaction ${transaction.id}`)
      if (ids.includes(transaction.id) || this.#isCarried(transaction.id, parent)) {
        return fail('TRANSACTION_TWICE', `transaction ${transaction.id}`)
      }
      ids.push(transaction.id)
      if (transaction.order !== null) orders.push(transaction.order)
    }
    const roots = rootsAfter(parent.root, block.transactions)
    if (!equalBytes(roots.txRoot, header.txRoot)) return fail('TX_ROOT', 'transactions do not make the root')
    if (!equalBytes(roots.stateRoot, header.stateRoot))
      return fail('STATE_ROOT', 'execution makes another root')
    const { state: authorities, nextSet } = endBlock(parent.authorities, orders, header.height, this.#rules)
    if (!equalBytes(setHash(nextSet), header.nextSet))
      return fail('NEXT_SET', 'execution makes another next set')
    this.#states.set(hashToHex(hash), {
      header,
      root: roots.stateRoot,
      authorities,
      ids: new Set(ids),
      parent: parentHex,
    })
    return ok(undefined)
  }

  build(parentHash: BlockHash, draft: HeaderDraft, empty: boolean): { block: Block; hash: BlockHash } {
    const transactions = empty ? [] : this.#executable(parentHash, BLOCK_TRANSACTIONS)
    return this.buildWith(parentHash, draft, transactions)
  }

  /** A block that carries exactly these transactions, executed already. */
  buildWith(
    parentHash: BlockHash,
    draft: HeaderDraft,
    transactions: Uint8Array[],
  ): { block: Block; hash: BlockHash } {
    const parent = this.#state(hashToHex(parentHash))
    const roots = rootsAfter(parent.root, transactions)
    const { nextSet } = endBlock(parent.authorities, ordersOf(transactions), draft.height, this.#rules)
    const header: Header = { ...draft, ...roots, nextSet: setHash(nextSet) }
    const block = { header, transactions, nextSet: [...(nextSet ?? [])] }
    const hash = headerHash(header)
    assert(this.execute(block, hash).ok, 'a block that was just built executes')
    return { block, hash }
  }

  blockVersion(): number {
    return BLOCK_VERSION
  }

  lastRejoin(at: BlockHash, key: Uint8Array): RejoinRecord | null {
    return this.#state(hashToHex(at)).authorities.rejoins.get(bytesToHex(key)) ?? null
  }

  hasExecutable(parentHash: BlockHash): boolean {
    return this.#executable(parentHash, 1).length > 0
  }

  drop(hashes: readonly BlockHash[]): void {
    for (const hash of hashes) this.#states.delete(hashToHex(hash))
  }

  /** A final block read back: its roots were compared when it was executed. */
  #adopt({ block, hash }: FinalBlock): void {
    const { header, transactions } = block
    const hex = hashToHex(hash)
    const ids = new Set(transactions.map((bytes) => readTransaction(bytes)!.id))
    const parent = hashToHex(header.parent)
    const orders = ordersOf(transactions)
    const { state } = endBlock(this.#state(parent).authorities, orders, header.height, this.#rules)
    this.#states.set(hex, { header, root: header.stateRoot, authorities: state, ids, parent })
    this.finalize({ block, hash })
  }

  /** The block, a child of the final tip and executed before, is durable. */
  finalize({ block, hash }: FinalBlock): void {
    const hex = hashToHex(hash)
    const state = this.#state(hex)
    assert(hashToHex(block.header.parent) === this.#finalHash, 'final blocks follow each other')
    for (const id of state.ids) {
      this.#finalIds.add(id)
      this.#pool.remove(id)
    }
    this.#pool.dropExpired(state.header.height)
    this.#states.delete(hex)
    this.#finalHash = hex
    this.#final = { ...state, ids: new Set(), parent: null }
  }

  /** Whether a block can be built on this one. */
  knows(hash: BlockHash): boolean {
    const hex = hashToHex(hash)
    return hex === this.#finalHash || this.#states.has(hex)
  }

  /** Of a block that is known. */
  headerOf(hash: BlockHash): Header {
    return this.#state(hashToHex(hash)).header
  }

  isFinal(id: number): boolean {
    return this.#finalIds.has(id)
  }

  /** States kept for blocks that are not final. */
  get statesKept(): number {
    return this.#states.size
  }

  #executable(parentHash: BlockHash, countMax: number): Uint8Array[] {
    const parent = this.#state(hashToHex(parentHash))
    const found: Uint8Array[] = []
    for (const [id, { bytes, validUntil }] of this.#pool.entries()) {
      if (found.length === countMax) break
      if (validUntil > parent.header.height && !this.#isCarried(id, parent)) found.push(bytes)
    }
    return found
  }

  #isCarried(id: number, state: State): boolean {
    for (let s = state; ; s = this.#state(s.parent)) {
      if (s.ids.has(id)) return true
      if (s.parent === null) return this.#finalIds.has(id)
    }
  }

  #state(hex: HashHex): State {
    const state = hex === this.#finalHash ? this.#final : this.#states.get(hex)
    assert(state !== undefined, `the state of block ${hex.slice(0, 8)} is known`)
    return state
  }
}

function ordersOf(transactions: readonly Uint8Array[]): Order[] {
  return transactions.flatMap((bytes) => readTransaction(bytes)!.order ?? [])
}

function setHash(set: AuthoritySet | null): Hash {
  return set === null ? NO_NEXT_SET : authoritySetHash(set)
}

function rootsAfter(
  parentRoot: Hash,
  transactions: readonly Uint8Array[],
): { txRoot: Hash; stateRoot: Hash } {
  const ids = transactions.map((bytes) => sha256(bytes))
  return {
    txRoot: txRootOf(ids),
    stateRoot: hashOf(parentRoot, ...ids),
  }
}

/** Every host of a network asks for the same few roots, and each costs a dozen hashes in plain JavaScript. */
const rootByIds = new Map<string, Hash>()
const ROOTS_KEPT = 1_000

function txRootOf(ids: readonly Hash[]): Hash {
  const key = ids.map((id) => hashToHex(id)).join()
  let root = rootByIds.get(key)
  if (root === undefined) {
    if (rootByIds.size >= ROOTS_KEPT) rootByIds.clear()
    rootByIds.set(key, (root = transactionsRoot(ids)))
  }
  return root
}
