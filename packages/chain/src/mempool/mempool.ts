/**
 * The transactions that wait for a block. Pure; who calls it has checked their signatures.
 * M1  a transaction is offered to a block only after all earlier ones of its sender; gaps are held back and released
 * M2  across senders the higher fee goes first, then the earlier arrival; equal fees are all kept
 * M3  a second transaction with the same sender and nonce replaces the first when its fee is at least a tenth higher
 * M4  the fees of one sender's waiting transactions are within its balance
 * M5  when full, the last transaction of another sender makes room: held-back ones first, then the lowest fee, then the
 *     latest; one that is worth as much as the newcomer stays
 * M6  what the chain takes without a fee goes before all others, and makes room for none of them; a sender has few
 * @module
 */
import { AMOUNT_MAX, assert, bytesToHex, fail, ok } from '@althing/base'
import type { Fault, HashHex, Result, Transaction } from '@althing/base'
import type { AccountView } from '../ports.ts'
import type { ReceivedTransaction } from '../received-transaction.ts'
import { IndexedHeap } from './indexed-heap.ts'
import { SenderQueue } from './sender-queue.ts'
import type { Entry } from './sender-queue.ts'

export interface MempoolConfig {
  /** Transactions in all. */
  readonly countMax: number
  /** Encoded bytes in all. */
  readonly bytesMax: number
  /** Transactions of one sender; also how far ahead of its account a nonce may be. */
  readonly senderCountMax: number
  /** How long a transaction waits for a block. */
  readonly ttlMs: number
}

export const MEMPOOL_DEFAULTS: MempoolConfig = {
  countMax: 32_768,
  bytesMax: 67_108_864,
  senderCountMax: 8_192,
  ttlMs: 600_000,
}

/** M6: above every fee. */
const FREE_RANK = AMOUNT_MAX + 1n
const FREE_OF_SENDER_MAX = 16

/** What the pool needs to know of a state. */
export interface AccountsAt {
  /** Of the block that would come next. */
  readonly height: number
  account(id: Uint8Array): AccountView
}

/** The newest final state, which transactions are admitted against. */
export interface AdmissionView extends AccountsAt {
  /** Whether the next block could carry it, leaving aside missing nonces before it. */
  check(transaction: Transaction): Result<void>
  /** Whether the chain takes it without a fee; asked of those that `check` lets pass. */
  isFree(transaction: Transaction): boolean
}

/** A transaction that left the pool without being in a block. */
export interface Removal {
  readonly transaction: ReceivedTransaction
  readonly fault: Fault
}

/** What becomes of an offered transaction. Later ones of its sender are offered only when it was taken. */
export type Answer = 'taken' | 'passedOver' | 'stop'

export class Mempool {
  readonly #config: MempoolConfig
  readonly #entryById = new Map<HashHex, Entry>()
  readonly #queueBySender = new Map<string, SenderQueue>()
  readonly #ready = new IndexedHeap<SenderQueue>((a, b) => goesFirst(a.ready!, b.ready!))
  readonly #tails = new IndexedHeap<SenderQueue>(makesRoomFirst)
  #bytes = 0
  #executableCount = 0
  #arrivals = 0
  #version = 0
  /** No entry is valid for less long. */
  #validUntilMin = Infinity

  constructor(config: Partial<MempoolConfig> = {}) {
    this.#config = { ...MEMPOOL_DEFAULTS, ...config }
    for (const [name, value] of Object.entries(this.#config)) {
      assert(
        Number.isSafeInteger(value) && value >= 1,
        `mempool.${name} is ${value}; expected an integer from 1`,
      )
    }
    const { senderCountMax, countMax } = this.#config
    assert(
      senderCountMax <= countMax,
      `mempool.senderCountMax ${senderCountMax} is above countMax ${countMax}`,
    )
  }

  get count(): number {
    return this.#entryById.size
  }

  /** Of all encoded transactions. */
  get bytes(): number {
    return this.#bytes
  }

  /** Transactions that wait for no other nonce on the newest final state. */
  get executableCount(): number {
    return this.#executableCount
  }

  /** Changes whenever the content does. */
  get version(): number {
    return this.#version
  }

  get(id: HashHex): ReceivedTransaction | undefined {
    return this.#entryById.get(id)?.received
  }

  has(id: HashHex): boolean {
    return this.#entryById.has(id)
  }

  /** All transactions, in the order of their arrival. */
  *transactions(): Generator<ReceivedTransaction, undefined> {
    for (const { received } of this.#entryById.values()) yield received
  }

  /** The nonce after the sender's last waiting transaction that has no gap before it: what its next one should use. */
  nextNonce(sender: Uint8Array, view: AccountsAt): number {
    const { nonce } = view.account(sender)
    const queue = this.#queueBySender.get(bytesToHex(sender))
    return nonce + (queue?.runLength ?? 0)
  }

  /**
   * Takes a transaction whose signature was checked.
   * @returns those that had to go for it, or why it is refused: `DUPLICATE`, `NONCE_GAP` (too far ahead),
   * `SENDER_FULL`, `MEMPOOL_FULL`, `REPLACEMENT_FEE_TOO_LOW`, `BALANCE_TOO_LOW`, and all that `view.check` says.
   */
  add(received: ReceivedTransaction, view: AdmissionView, nowMs: number): Result<readonly Removal[]> {
    const { body } = received.transaction
    if (this.#entryById.has(received.idHex))
      return fail('DUPLICATE', `transaction ${received.idHex} is in the pool already`)
    const checked = view.check(received.transaction)
    if (!checked.ok) return checked

    const senderHex = bytesToHex(body.sender)
    const account = view.account(body.sender)
    const queue = this.#queueBySender.get(senderHex) ?? new SenderQueue(body.sender, senderHex, account.nonce)
    const rival = queue.at(body.nonce)
    const isFree = view.isFree(received.transaction)
    if (isFree && queue.entries.filter((entry) => entry.rank === FREE_RANK).length >= FREE_OF_SENDER_MAX) {
      const message = `${FREE_OF_SENDER_MAX} transactions of ${senderHex} without a fee wait, the most allowed`
      return fail('SENDER_FULL', message)
    }
    const fault =
      rival === undefined
        ? this.#newcomerFault(queue, body.nonce, account)
        : replacementFault(rival, body.fee)
    if (fault !== null) return { ok: false, fault }
    const fees = queue.fees - (rival?.fee ?? 0n) + body.fee
    if (fees > account.balance) {
      const message = `fees of ${fees} with all that waits; account ${senderHex} has ${account.balance}`
      return fail('BALANCE_TOO_LOW', message)
    }

    const entry: Entry = {
      received,
      queue,
      nonce: body.nonce,
      fee: body.fee,
      rank: isFree ? FREE_RANK : body.fee,
      arrival: this.#arrivals++,
      arrivedAtMs: nowMs,
    }
    const victims = this.#victimsFor(entry, rival)
    if (victims === null) {
      const message = `${this.count} transactions wait, none with a lower fee than ${body.fee} could make room`
      return fail('MEMPOOL_FULL', message)
    }
    const removals = victims.map((victim) => this.#remove(victim, evicted(body.fee)))
    if (rival !== undefined) removals.push(this.#remove(rival, replaced(received.idHex, body.fee)))
    this.#insert(entry)
    return ok(removals)
  }

  /**
   * Offers what a block at `on.height` on that state can carry: each sender's transactions in the order of their nonces,
   * the higher fee first across senders. What is offered is found as it is asked for; `take` must not change the pool.
   */
  offer(on: AccountsAt, take: (transaction: ReceivedTransaction) => Answer): void {
    const open = new IndexedHeap<Entry>(goesFirst)
    const queues = this.#ready.inOrder()
    let queue = queues.next()
    for (;;) {
      const best = open.peek()
      if (queue.done !== true && (best === undefined || goesFirst(queue.value.ready!, best))) {
        const first = firstPayable(queue.value, on)
        if (first !== undefined) open.update(first)
        queue = queues.next()
        continue
      }
      if (best === undefined) return
      open.delete(best)
      const answer = take(best.received)
      if (answer === 'stop') return
      const next = answer === 'taken' ? best.queue.at(best.nonce + 1) : undefined
      if (next !== undefined && !isExpired(next, on.height)) open.update(next)
    }
  }

  /** To be called after each final block. @param committed the ids in it. @returns what can no longer be in a block. */
  committed(committed: readonly ReceivedTransaction[], view: AccountsAt): Removal[] {
    const senders = new Set<SenderQueue>()
    for (const { idHex, transaction } of committed) {
      const entry = this.#entryById.get(idHex)
      const queue = entry?.queue ?? this.#queueBySender.get(bytesToHex(transaction.body.sender))
      if (queue !== undefined) senders.add(queue)
    }
    const committedIds = new Set(committed.map(({ idHex }) => idHex))
    const removals: Removal[] = []
    for (const queue of senders) {
      const account = view.account(queue.sender)
      const overtaken = this.#advance(queue, account.nonce).filter(
        ({ received }) => !committedIds.has(received.idHex),
      )
      removals.push(
        ...overtaken.map(({ received }) => ({ transaction: received, fault: nonceUsed(account.nonce) })),
      )
      while (queue.fees > account.balance)
        removals.push(this.#remove(queue.tail!, tooPoor(queue, account.balance)))
    }
    return removals.concat(this.#removeExpired(view.height))
  }

  /** Removes what waited longer than the time to live. */
  expire(nowMs: number): Removal[] {
    const removals: Removal[] = []
    for (const entry of this.#entryById.values()) {
      if (nowMs - entry.arrivedAtMs < this.#config.ttlMs) break
      removals.push(this.#remove(entry, tooOld(this.#config.ttlMs)))
    }
    return removals
  }

  /** Removes one that turned out to be impossible. @returns null when it is not in the pool. */
  discard(id: HashHex, fault: Fault): Removal | null {
    const entry = this.#entryById.get(id)
    return entry === undefined ? null : this.#remove(entry, fault)
  }

  #removeExpired(height: number): Removal[] {
    if (height <= this.#validUntilMin) return []
    const expired = [...this.#entryById.values()].filter((entry) => isExpired(entry, height))
    const removals = expired.map((entry) => this.#remove(entry, expiredAt(entry, height)))
    this.#validUntilMin = Infinity
    for (const entry of this.#entryById.values())
      this.#validUntilMin = Math.min(this.#validUntilMin, validUntilOf(entry))
    return removals
  }

  #newcomerFault(queue: SenderQueue, nonce: number, account: AccountView): Fault | null {
    const { senderCountMax } = this.#config
    if (queue.entries.length === senderCountMax) {
      const message = `${senderCountMax} transactions of ${queue.senderHex} wait, the most allowed`
      return { code: 'SENDER_FULL', message }
    }
    const nonceEnd = account.nonce + senderCountMax
    if (nonce < nonceEnd) return null
    const message = `nonce ${nonce}; the next one is ${account.nonce}, and none from ${nonceEnd} on waits here`
    return { code: 'NONCE_GAP', message }
  }

  /** Entries to remove so that `entry` fits, least wanted first; null when none that may go is worth less (M5). */
  #victimsFor(entry: Entry, rival: Entry | undefined): Entry[] | null {
    const { countMax, bytesMax } = this.#config
    let count = this.count + 1 - (rival === undefined ? 0 : 1)
    let bytes = this.#bytes + entry.received.bytes.length - (rival?.received.bytes.length ?? 0)
    const victims: Entry[] = []
    const isFitting = (): boolean => count <= countMax && bytes <= bytesMax
    if (isFitting()) return victims
    const isHeldBack = rival === undefined && entry.queue.wouldHoldBack(entry.nonce)
    for (const queue of this.#tails.inOrder()) {
      if (queue === entry.queue) continue
      const tail = queue.tail!
      const isWorthLess = queue.isTailHeldBack === isHeldBack ? tail.rank < entry.rank : !isHeldBack
      if (!isWorthLess) return null
      victims.push(tail)
      count -= 1
      bytes -= tail.received.bytes.length
      if (isFitting()) return victims
    }
    return null
  }

  #insert(entry: Entry): void {
    this.#change(entry.queue, () => entry.queue.insert(entry))
    this.#entryById.set(entry.received.idHex, entry)
    this.#bytes += entry.received.bytes.length
    this.#validUntilMin = Math.min(this.#validUntilMin, validUntilOf(entry))
  }

  #remove(entry: Entry, fault: Fault): Removal {
    this.#change(entry.queue, () => entry.queue.remove(entry))
    this.#forget(entry)
    return { transaction: entry.received, fault }
  }

  #advance(queue: SenderQueue, accountNonce: number): Entry[] {
    const gone = this.#change(queue, () => queue.advance(accountNonce))
    for (const entry of gone) this.#forget(entry)
    return gone
  }

  #forget(entry: Entry): void {
    this.#entryById.delete(entry.received.idHex)
    this.#bytes -= entry.received.bytes.length
  }

  /** Runs a change of one queue and brings what depends on it up to date. */
  #change<T>(queue: SenderQueue, change: () => T): T {
    this.#executableCount -= queue.runLength
    const result = change()
    this.#executableCount += queue.runLength
    this.#version += 1
    if (queue.ready === undefined) this.#ready.delete(queue)
    else this.#ready.update(queue)
    if (queue.tail === undefined) {
      this.#tails.delete(queue)
      this.#queueBySender.delete(queue.senderHex)
    } else {
      this.#tails.update(queue)
      this.#queueBySender.set(queue.senderHex, queue)
    }
    return result
  }
}

/** M2, M6 */
function goesFirst(a: Entry, b: Entry): boolean {
  return a.rank === b.rank ? a.arrival < b.arrival : a.rank > b.rank
}

/** M5, M6 */
function makesRoomFirst(a: SenderQueue, b: SenderQueue): boolean {
  if (a.isTailHeldBack !== b.isTailHeldBack) return a.isTailHeldBack
  const [tailA, tailB] = [a.tail!, b.tail!]
  return tailA.rank === tailB.rank ? tailA.arrival > tailB.arrival : tailA.rank < tailB.rank
}

/** M3 */
function replacementFault(rival: Entry, fee: bigint): Fault | null {
  const tenth = rival.fee / 10n
  const feeMin = rival.fee + (tenth > 0n ? tenth : 1n)
  if (fee >= feeMin) return null
  const message = `transaction ${rival.received.idHex} has this nonce and a fee of ${rival.fee}; to replace it takes ${feeMin}`
  return { code: 'REPLACEMENT_FEE_TOO_LOW', message }
}

function validUntilOf({ received }: Entry): number {
  return received.transaction.body.validUntil
}

function isExpired(entry: Entry, height: number): boolean {
  return validUntilOf(entry) < height
}

/** The sender's next transaction on that state, when it is here and can be paid and is not expired. */
function firstPayable(queue: SenderQueue, on: AccountsAt): Entry | undefined {
  const account = on.account(queue.sender)
  const first = queue.at(account.nonce)
  return first !== undefined && first.fee <= account.balance && !isExpired(first, on.height)
    ? first
    : undefined
}

function evicted(fee: bigint): Fault {
  return { code: 'EVICTED', message: `the pool is full, and a transaction with a fee of ${fee} came` }
}

function replaced(id: HashHex, fee: bigint): Fault {
  return { code: 'REPLACED', message: `transaction ${id} has the same nonce and a fee of ${fee}` }
}

function nonceUsed(next: number): Fault {
  return {
    code: 'NONCE_USED',
    message: `another transaction with this nonce is final; the next one is ${next}`,
  }
}

function tooPoor({ fees }: SenderQueue, balance: bigint): Fault {
  return { code: 'BALANCE_TOO_LOW', message: `fees of ${fees} wait; the account has ${balance}` }
}

function expiredAt(entry: Entry, height: number): Fault {
  return {
    code: 'EXPIRED',
    message: `valid until height ${validUntilOf(entry)}; the next block has height ${height}`,
  }
}

function tooOld(ttlMs: number): Fault {
  return { code: 'WAITED_TOO_LONG', message: `no block took it in ${ttlMs} ms` }
}
