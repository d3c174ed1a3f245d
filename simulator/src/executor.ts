/**
 * A small deterministic ledger behind the executor's port: the state root is a hash chain over the transactions, and
 * a transaction may be carried once, up to its last height.
 * @module
 */
import {
  assert,
  BLOCK_VERSION,
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
import type { Block, BlockHash, Hash, HashHex, Header, Result } from '@althing/base'
import type { Executor, FinalBlock, FinalBlocks, HeaderDraft } from '@althing/chain'

/** Transactions of one block, at most. */
export const BLOCK_TRANSACTIONS = 8
export const TRANSACTION_HEAD_BYTES = 8
/** The last height of a transaction that does not expire. */
export const HEIGHTS_FOR_EVER = 0xffff_ffff

/** A transaction of the simulated ledger. @param padding bytes that only take room. */
export function makeTransaction(id: number, validUntil: number, padding: number): Uint8Array {
  const bytes = new Uint8Array(TRANSACTION_HEAD_BYTES + padding)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, id)
  view.setUint32(4, validUntil)
  return bytes
}

function readTransaction(bytes: Uint8Array): { id: number; validUntil: number } | null {
  if (bytes.length < TRANSACTION_HEAD_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return { id: view.getUint32(0), validUntil: view.getUint32(4) }
}

/** Transactions waiting on one host; it is emptied by a crash. */
export class SimulatedPool {
  readonly #bytesById = new Map<number, Uint8Array>()

  add(transaction: Uint8Array): void {
    const { id } = readTransaction(transaction)!
    this.#bytesById.set(id, transaction)
  }

  remove(id: number): void {
    this.#bytesById.delete(id)
  }

  dropExpired(height: number): void {
    for (const [id, bytes] of this.#bytesById)
      if (readTransaction(bytes)!.validUntil <= height) this.remove(id)
  }

  /** In the order of arrival. */
  entries(): IterableIterator<[number, Uint8Array]> {
    return this.#bytesById.entries()
  }
}

interface State {
  readonly header: Header
  readonly root: Hash
  readonly ids: ReadonlySet<number>
  /** Null for the state of the final tip. */
  readonly parent: HashHex | null
}

/** The root that block 0 commits to. */
export const GENESIS_STATE_ROOT: Hash = hashOf(Uint8Array.of(0))

export class SimulatedExecutor implements Executor {
  readonly #pool: SimulatedPool
  readonly #states = new Map<HashHex, State>()
  readonly #finalIds = new Set<number>()
  #finalHash: HashHex
  #final: State

  /** @param finalBlocks whose state is rebuilt. */
  constructor(pool: SimulatedPool, finalBlocks: FinalBlocks) {
    this.#pool = pool
    const genesis = finalBlocks.byHeight(0)!
    this.#finalHash = hashToHex(genesis.hash)
    this.#final = { header: genesis.block.header, root: GENESIS_STATE_ROOT, ids: new Set(), parent: null }
    for (let height = 1; height <= finalBlocks.height; height++) this.#adopt(finalBlocks.byHeight(height)!)
  }

  execute(block: Block, hash: BlockHash): Result<void> {
    const { header } = block
    const parentHex = hashToHex(header.parent)
    const parent = this.#state(parentHex)
    const ids: number[] = []
    for (const bytes of block.transactions) {
      const transaction = readTransaction(bytes)
      if (transaction === null) return fail('TRANSACTION_MALFORMED', `${bytes.length} bytes`)
      if (transaction.validUntil < header.height)
        return fail('TRANSACTION_EXPIRED', `transaction ${transaction.id}`)
      if (ids.includes(transaction.id) || this.#isCarried(transaction.id, parent)) {
        return fail('TRANSACTION_TWICE', `transaction ${transaction.id}`)
      }
      ids.push(transaction.id)
    }
    const roots = rootsAfter(parent.root, block.transactions)
    if (!equalBytes(roots.txRoot, header.txRoot)) return fail('TX_ROOT', 'transactions do not make the root')
    if (!equalBytes(roots.stateRoot, header.stateRoot))
      return fail('STATE_ROOT', 'execution makes another root')
    this.#states.set(hashToHex(hash), {
      header,
      root: roots.stateRoot,
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
    const roots = rootsAfter(this.#state(hashToHex(parentHash)).root, transactions)
    const header: Header = { ...draft, ...roots, nextSet: NO_NEXT_SET }
    const block = { header, transactions, nextSet: [] }
    const hash = headerHash(header)
    assert(this.execute(block, hash).ok, 'a block that was just built executes')
    return { block, hash }
  }

  blockVersion(): number {
    return BLOCK_VERSION
  }

  lastRejoin(): null {
    return null
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
    this.#states.set(hex, { header, root: header.stateRoot, ids, parent: hashToHex(header.parent) })
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
    for (const [id, bytes] of this.#pool.entries()) {
      if (found.length === countMax) break
      if (readTransaction(bytes)!.validUntil > parent.header.height && !this.#isCarried(id, parent))
        found.push(bytes)
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
