/**
 * Executes and builds blocks on a ledger, and keeps the state after each block that is not final yet. Pure.
 * X1  a block's result depends on the block and its parent's state alone
 * X2  what `build` makes, `execute` accepts, on every node
 * X3  every fault of `execute` is one that the block hash commits to (R4), given that the body is the header's: who
 *     calls it has checked that, and TX_ROOT_MISMATCH says so if not
 * @module
 */
import {
  assert,
  authoritySetHash,
  Block,
  BLOCK_TRANSACTIONS_MAX,
  BLOCK_VERSION,
  equalBytes,
  fail,
  hashToHex,
  headerHash,
  isZeroHash,
  NO_NEXT_SET,
  ok,
  RecentMap,
  TRANSACTION_BYTES_MAX,
  transactionId,
  transactionsRoot,
} from '@althing/base'
import type { AuthoritySet, BlockHash, Fault, Hash, HashHex, Header, Result } from '@althing/base'
import type {
  Executor,
  HeaderDraft,
  Ledger,
  LedgerBatch,
  LedgerContext,
  Receipt,
  RejoinRecord,
} from './ports.ts'
import { BlockSize } from './block-size.ts'
import type { AccountsAt, AdmissionView, Mempool, Removal } from './mempool/mempool.ts'
import { receiveTransaction } from './received-transaction.ts'
import type { ReceivedTransaction } from './received-transaction.ts'

export interface ExecutorConfig {
  /** Of one encoded block, from genesis. */
  readonly blockBytesMax: number
  /** Encoded bytes of the decoded transactions kept, so that one seen in the pool is not decoded again in a block. */
  readonly decodedBytesMax: number
  /** The newest block version that this release knows. */
  readonly blockVersionMax: number
}

export interface ExecutorPorts<State> {
  readonly ledger: Ledger<State>
  readonly mempool: Mempool
  /** Whether the witness proves the sender; answered from what was checked before, or checked now. */
  readonly isVerified: (received: ReceivedTransaction) => boolean
  /** Told what left the pool because no block can carry it. */
  readonly discarded?: (removals: readonly Removal[]) => void
}

/** A block after its execution. */
export interface ExecutedBlock<State> {
  readonly hash: BlockHash
  readonly height: number
  readonly epoch: number
  readonly view: number
  /** Whether its children are of the next epoch. */
  readonly endsEpoch: boolean
  readonly state: State
  readonly transactions: readonly ReceivedTransaction[]
  /** One for each transaction. */
  readonly receipts: readonly Receipt[]
}

/** Transactions that do not fit into what is left of a block are passed over so many times before it counts as full. */
const MISFITS_MAX = 32

const EMPTY_BLOCK_BYTES = Block.minSize
/** Of one transaction in an encoded block, besides its own bytes: its offset. */
const OFFSET_BYTES = 4

export class BlockExecutor<State> implements Executor {
  readonly #config: ExecutorConfig
  readonly #ports: ExecutorPorts<State>
  readonly #executedByHash = new Map<HashHex, ExecutedBlock<State>>()
  readonly #decodedById: RecentMap<HashHex, ReceivedTransaction>
  readonly #blockSize: BlockSize
  #final: ExecutedBlock<State>
  #executable: { parent: HashHex; version: number; answer: boolean } | null = null

  /** @param final the newest final block and the state after it. */
  constructor(
    config: Pick<ExecutorConfig, 'blockBytesMax'> & Partial<ExecutorConfig>,
    ports: ExecutorPorts<State>,
    final: { readonly hash: BlockHash; readonly header: Header; readonly state: State },
  ) {
    this.#config = { decodedBytesMax: 33_554_432, blockVersionMax: BLOCK_VERSION, ...config }
    this.#ports = ports
    this.#decodedById = new RecentMap(this.#config.decodedBytesMax)
    this.#blockSize = new BlockSize(this.#config.blockBytesMax)
    const { hash, header, state } = final
    this.#final = { ...placeOf(hash, header), state, transactions: [], receipts: [] }
    this.#executedByHash.set(hashToHex(final.hash), this.#final)
  }

  /** The newest final state, for who admits transactions. */
  get admission(): AdmissionView {
    const { ledger } = this.#ports
    const { state, height } = this.#final
    return {
      height: height + 1,
      account: (id) => ledger.account(state, id),
      check: (transaction) => ledger.check(state, transaction, height + 1),
      isFree: (transaction) => ledger.isFree(state, transaction),
    }
  }

  /** The newest final block, as executed. */
  get final(): ExecutedBlock<State> {
    return this.#final
  }

  /** @returns undefined when the block was not executed here or was dropped. */
  executed(hash: BlockHash): ExecutedBlock<State> | undefined {
    return this.#executedByHash.get(hashToHex(hash))
  }

  /** Decodes a transaction once: the same bytes again are answered from memory. @returns `TOO_LARGE`, `MALFORMED`. */
  receive(bytes: Uint8Array): Result<ReceivedTransaction> {
    if (bytes.length > TRANSACTION_BYTES_MAX) return receiveTransaction(bytes)
    const id = transactionId(bytes)
    const known = this.#decodedById.get(hashToHex(id))
    if (known !== undefined) return ok(known)
    const received = receiveTransaction(bytes, id)
    if (received.ok) this.#decodedById.set(received.value.idHex, received.value, bytes.length)
    return received
  }

  execute(block: Block, hash: BlockHash): Result<void> {
    const hashHex = hashToHex(hash)
    if (this.#executedByHash.has(hashHex)) return ok(undefined)
    const parent = this.#parent(block.header.parent)
    const misplaced = this.#misplacedFault(block.header, parent)
    if (misplaced !== null) return { ok: false, fault: misplaced }
    const transactions = this.#readBlock(block)
    if (!transactions.ok) return transactions

    const batch = this.#ports.ledger.begin(parent.state, contextOf(block.header, parent))
    const receipts: Receipt[] = []
    for (const [index, received] of transactions.value.entries()) {
      const receipt = this.#apply(batch, received)
      if (!receipt.ok)
        return fail(receipt.fault.code, `${describe(index, received)}: ${receipt.fault.message}`)
      receipts.push(receipt.value)
    }
    const { state, nextSet } = batch.end()
    const root = this.#ports.ledger.root(state)
    if (!equalBytes(root, block.header.stateRoot)) {
      const message = `the header says ${hashToHex(block.header.stateRoot)}; execution gives ${hashToHex(root)}`
      return fail('STATE_ROOT_MISMATCH', message)
    }
    const expected = nextSetHash(nextSet)
    if (!equalBytes(expected, block.header.nextSet)) {
      const message = `the header says ${showSet(block.header.nextSet)}; execution gives ${showSet(expected)}`
      return fail('NEXT_SET_MISMATCH', message)
    }
    const place = placeOf(hash, block.header)
    this.#executedByHash.set(hashHex, { ...place, state, transactions: transactions.value, receipts })
    return ok(undefined)
  }

  build(parentHash: BlockHash, draft: HeaderDraft, empty: boolean): { block: Block; hash: BlockHash } {
    const parent = this.#parent(parentHash)
    const context = contextOf(draft, parent)
    const batch = this.#ports.ledger.begin(parent.state, context)
    const transactions: ReceivedTransaction[] = []
    const receipts: Receipt[] = []
    if (!empty) {
      const bytesMax = this.#blockSize.next(draft.view - context.parentView - 1)
      this.#fill(draft, batch, bytesMax, transactions, receipts)
    }
    const { state, nextSet } = batch.end()
    const header = {
      ...draft,
      txRoot: transactionsRoot(transactions.map(({ id }) => id)),
      stateRoot: this.#ports.ledger.root(state),
      nextSet: nextSetHash(nextSet),
    }
    const bodies = transactions.map(({ bytes }) => bytes)
    const block: Block = { header, transactions: bodies, nextSet: [...(nextSet ?? [])] }
    const hash = headerHash(header)
    this.#executedByHash.set(hashToHex(hash), { ...placeOf(hash, header), state, transactions, receipts })
    return { block, hash }
  }

  blockVersion(parentHash: BlockHash): number {
    const { state, height } = this.#parent(parentHash)
    return this.#ports.ledger.blockVersion(state, height + 1)
  }

  lastRejoin(at: BlockHash, key: Uint8Array): RejoinRecord | null {
    return this.#ports.ledger.lastRejoin(this.#parent(at).state, key)
  }

  hasExecutable(parentHash: BlockHash): boolean {
    const { mempool } = this.#ports
    const parent = hashToHex(parentHash)
    if (this.#executable?.parent !== parent || this.#executable.version !== mempool.version) {
      let answer = false
      mempool.offer(this.#accountsOn(this.#parent(parentHash)), () => {
        answer = true
        return 'stop'
      })
      this.#executable = { parent, version: mempool.version, answer }
    }
    return this.#executable.answer
  }

  drop(hashes: readonly BlockHash[]): void {
    for (const hash of hashes) {
      assert(!equalBytes(hash, this.#final.hash), 'the newest final block is not dropped')
      this.#executedByHash.delete(hashToHex(hash))
    }
  }

  /**
   * The block is final and, being the child of the newest final one, becomes that. To be called in the order of heights;
   * the caller then tells the pool (`Mempool.committed`) and stores what is returned.
   */
  finalize(hash: BlockHash): ExecutedBlock<State> {
    const executed = this.executed(hash)
    assert(executed !== undefined, `final block ${hashToHex(hash)} was not executed`)
    assert(
      executed.height === this.#final.height + 1,
      `block at height ${executed.height} became final after ${this.#final.height}`,
    )
    this.#executedByHash.delete(hashToHex(this.#final.hash))
    this.#final = executed
    return executed
  }

  #parent(hash: BlockHash): ExecutedBlock<State> {
    const parent = this.executed(hash)
    assert(parent !== undefined, `parent ${hashToHex(hash)} is neither executed nor the newest final block`)
    return parent
  }

  /** Takes from the pool what executes. What no block can carry leaves the pool. */
  #fill(
    draft: HeaderDraft,
    batch: LedgerBatch<State>,
    bytesMax: number,
    transactions: ReceivedTransaction[],
    receipts: Receipt[],
  ): void {
    const impossible: { readonly id: HashHex; readonly fault: Fault }[] = []
    let bytesLeft = bytesMax - EMPTY_BLOCK_BYTES
    let misfits = 0
    this.#ports.mempool.offer({ height: draft.height, account: (id) => batch.account(id) }, (received) => {
      if (transactions.length === BLOCK_TRANSACTIONS_MAX || misfits === MISFITS_MAX) return 'stop'
      const bytes = received.bytes.length + OFFSET_BYTES
      if (bytes > bytesLeft) {
        misfits += 1
        return 'passedOver'
      }
      const receipt = this.#apply(batch, received)
      if (!receipt.ok) {
        if (!WAITING.has(receipt.fault.code)) impossible.push({ id: received.idHex, fault: receipt.fault })
        return 'passedOver'
      }
      transactions.push(received)
      receipts.push(receipt.value)
      bytesLeft -= bytes
      return 'taken'
    })
    const removals = impossible.flatMap(({ id, fault }) => this.#ports.mempool.discard(id, fault) ?? [])
    if (removals.length > 0) this.#ports.discarded?.(removals)
  }

  #apply(batch: LedgerBatch<State>, received: ReceivedTransaction): Result<Receipt> {
    if (!this.#ports.isVerified(received)) {
      return fail(
        'SIGNATURE_INVALID',
        `the witness does not prove the sender ${hashToHex(received.transaction.body.sender)}`,
      )
    }
    return batch.apply(received.transaction)
  }

  /** What the parent decides of a header: its version and its epoch. */
  #misplacedFault({ version, epoch, height }: Header, parent: ExecutedBlock<State>): Fault | null {
    const versionDue = this.#ports.ledger.blockVersion(parent.state, height)
    if (version !== versionDue) {
      return {
        code: 'BLOCK_VERSION_WRONG',
        message: `block version ${version}; the chain has ${versionDue} at height ${height}`,
      }
    }
    const { blockVersionMax } = this.#config
    if (version > blockVersionMax) {
      return {
        code: 'BLOCK_VERSION_UNKNOWN',
        message: `block version ${version}; this release knows none above ${blockVersionMax}`,
      }
    }
    const epochDue = epochAfter(parent)
    if (epoch === epochDue) return null
    return { code: 'EPOCH_WRONG', message: `epoch ${epoch}; expected ${epochDue} on its parent` }
  }

  /** Everything about a block that takes no state. */
  #readBlock(block: Block): Result<readonly ReceivedTransaction[]> {
    const { header } = block
    const carried = nextSetHash(block.nextSet.length === 0 ? null : block.nextSet)
    if (!equalBytes(carried, header.nextSet)) {
      const message = `the header says ${showSet(header.nextSet)}; the body has ${showSet(carried)}`
      return fail('NEXT_SET_MISMATCH', message)
    }
    const bytes = blockBytes(block)
    if (bytes > this.#config.blockBytesMax) {
      return fail(
        'BLOCK_TOO_LARGE',
        `a block of ${bytes} bytes; at most ${this.#config.blockBytesMax} allowed`,
      )
    }
    const transactions: ReceivedTransaction[] = []
    const ids = new Set<HashHex>()
    for (const [index, encoded] of block.transactions.entries()) {
      const received = this.receive(encoded)
      if (!received.ok)
        return fail('TRANSACTION_MALFORMED', `transaction ${index}: ${received.fault.message}`)
      if (ids.has(received.value.idHex)) {
        return fail('TRANSACTION_DUPLICATE', `${describe(index, received.value)} is in the block twice`)
      }
      ids.add(received.value.idHex)
      transactions.push(received.value)
    }
    const root = transactionsRoot(transactions.map(({ id }) => id))
    if (equalBytes(root, header.txRoot)) return ok(transactions)
    return fail(
      'TX_ROOT_MISMATCH',
      `the header says ${hashToHex(header.txRoot)}; the transactions give ${hashToHex(root)}`,
    )
  }

  #accountsOn({ state, height }: ExecutedBlock<State>): AccountsAt {
    return { height: height + 1, account: (id) => this.#ports.ledger.account(state, id) }
  }
}

/** Faults of transactions that another state can carry. */
const WAITING: ReadonlySet<string> = new Set(['NONCE_GAP', 'NONCE_USED', 'BALANCE_TOO_LOW', 'EXPIRED'])

/** Without the next authority set, which the chain decides and not the proposer. */
function blockBytes({ transactions }: Block): number {
  return transactions.reduce((sum, { length }) => sum + length + OFFSET_BYTES, EMPTY_BLOCK_BYTES)
}

function placeOf(
  hash: BlockHash,
  { height, epoch, view, nextSet }: Header,
): Pick<ExecutedBlock<never>, 'hash' | 'height' | 'epoch' | 'view' | 'endsEpoch'> {
  return { hash, height, epoch, view, endsEpoch: height > 0 && !isZeroHash(nextSet) }
}

function epochAfter({ epoch, endsEpoch }: ExecutedBlock<unknown>): number {
  return endsEpoch ? epoch + 1 : epoch
}

function contextOf(draft: HeaderDraft, parent: ExecutedBlock<unknown>): LedgerContext {
  const { height, timestamp, epoch, view, proposer } = draft
  const parentView = parent.endsEpoch ? 0 : parent.view
  return { height, timestamp, epoch, view, proposer, parent: draft.parent, parentView }
}

function nextSetHash(nextSet: AuthoritySet | null): Hash {
  return nextSet === null ? NO_NEXT_SET : authoritySetHash(nextSet)
}

function showSet(hash: Hash): string {
  return isZeroHash(hash) ? 'none' : hashToHex(hash)
}

function describe(index: number, { idHex }: ReceivedTransaction): string {
  return `transaction ${index} (${idHex})`
}
