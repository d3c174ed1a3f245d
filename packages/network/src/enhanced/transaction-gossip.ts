/**
 * Transactions as they travel: several in one message, judged, put into the mempool, relayed.
 * T1  what comes in during one turn of the event loop goes out together
 * T2  one that keeps waiting is told again to the direct peers, and a peer that connects is told what waits; so it also arrives where the
 *     first telling did not. Whoever finds news in it passes it on as gossip
 * T3  of a message with an invalid transaction nothing is taken, and nothing is passed on
 * @module
 */
import type { Clock } from '@althing/base'
import { Alarm } from '../alarm.ts'
import type { Message, Network, Verdict } from '../network-types.ts'
import { decodeTransactions, transactionMessages } from '../protocol/chain-messages.ts'
import type { Scheduler } from '../system.ts'
import type { ChainParts } from './block-import.ts'
import type { ChainLimits } from './chain-config.ts'
import { ChainError } from './chain-error.ts'
import type { ChainEvent } from './chain-events.ts'
import type { Judgement, Transaction } from './ports.ts'

/** Messages that a new peer is told at most. */
const TOLD_NEW_PEER_MAX = 8
/** Transactions that are told again at a time, and how often there is such a time. */
const RETOLD_MAX = 256
const RETELL_PAUSE_MS = 1000

interface TransactionGossipSetup extends ChainParts {
  readonly network: Network
  readonly limits: ChainLimits
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly emit: (event: ChainEvent) => void
}

export class TransactionGossip {
  readonly #setup: TransactionGossipSetup
  /** Of those that may still wait, the one that was told longest ago first. */
  readonly #toldAtMs = new Map<string, number>()
  readonly #retellAlarm: Alarm
  #untold: Uint8Array[] = []
  #cancelTelling: (() => void) | null = null

  constructor(setup: TransactionGossipSetup) {
    this.#setup = setup
    this.#retellAlarm = new Alarm(setup.clock, setup.scheduler, () => this.#retell())
    setup.network.handleGossip('chain.transactions', ({ from, body }) => this.#received(from, body))
    setup.network.handle('chain.waiting', (message) => void this.#waitingReceived(message))
  }

  stop(): void {
    this.#retellAlarm.cancel()
    this.#cancelTelling?.()
  }

  /**
   * @returns its id; also when it is waiting or in a block already.
   * @throws {ChainError} `TRANSACTION_INVALID`, `TRANSACTION_NOT_TAKEN`.
   */
  async submit(bytes: Uint8Array): Promise<string> {
    const { consensus, mempool, emit } = this.#setup
    const read = consensus.transactionId(bytes)
    if (!read.ok) throw new ChainError('TRANSACTION_INVALID', read.fault.message)
    const transaction = { id: read.value, bytes }
    if (await this.#isKnown(transaction.id)) return transaction.id
    const [judgement] = await consensus.judgeTransactions([transaction])
    if (judgement!.verdict !== 'valid') {
      const code = judgement!.verdict === 'invalid' ? 'TRANSACTION_INVALID' : 'TRANSACTION_NOT_TAKEN'
      throw new ChainError(code, judgement!.reason)
    }
    if (!mempool.add(transaction.id, bytes))
      throw new ChainError('TRANSACTION_NOT_TAKEN', 'the mempool does not keep it')
    emit({ kind: 'transactionValidated', peer: null, id: transaction.id })
    this.tell([transaction])
    return transaction.id
  }

  /** Those that are in the mempool since now, and came from no peer (T1). */
  tell(transactions: readonly Transaction[]): void {
    const { network, scheduler, limits } = this.#setup
    if (transactions.length === 0) return
    for (const { bytes } of transactions) this.#untold.push(bytes)
    this.#told(transactions.map(({ id }) => id))
    this.#cancelTelling ??= scheduler.after(0, () => {
      const untold = this.#untold
      this.#untold = []
      this.#cancelTelling = null
      for (const body of transactionMessages(untold, limits.transactionMessageBytes))
        network.publish('chain.transactions', body)
    })
  }

  /** What waits, for a peer that has just connected. */
  tellNewPeer(peer: string): void {
    const { network, mempool, limits } = this.#setup
    const bytesMax = TOLD_NEW_PEER_MAX * limits.transactionMessageBytes
    const waiting: Uint8Array[] = []
    let bytes = 0
    for (const id of mempool.ids()) {
      const one = mempool.get(id)
      if (one === null) continue
      bytes += one.length
      if (bytes > bytesMax) break
      waiting.push(one)
    }
    const messages = transactionMessages(waiting, limits.transactionMessageBytes)
    for (const body of messages.slice(0, TOLD_NEW_PEER_MAX)) network.send(peer, 'chain.waiting', body)
  }

  async #waitingReceived({ from, body }: Message): Promise<void> {
    const { network } = this.#setup
    const verdict = await this.#received(from, body)
    if (verdict === 'accept') network.publish('chain.transactions', body)
    if (verdict === 'reject')
      network.penalise(from, 'invalidMessage', 'waiting transactions that cannot be read')
  }

  async #received(from: string, body: Uint8Array): Promise<Verdict> {
    const unknown = await this.#unknownOf(body)
    if (unknown === null) return 'reject'
    if (unknown.length === 0) return 'ignore'
    const { consensus, network, mempool, emit } = this.#setup
    for (const { id } of unknown) emit({ kind: 'transactionReceived', peer: from, id })
    const judgements = await consensus.judgeTransactions(unknown)
    for (const [i, judgement] of judgements.entries()) {
      if (judgement.verdict !== 'invalid') continue
      const { id } = unknown[i]!
      emit({ kind: 'transactionRejected', peer: from, id, reason: judgement.reason })
      network.penalise(from, 'invalidTransaction', `transaction ${id}: ${judgement.reason}`)
      return 'ignore'
    }
    const taken = unknown.filter(({ id, bytes }, i) => isValid(judgements[i]) && mempool.add(id, bytes))
    for (const { id } of taken) emit({ kind: 'transactionValidated', peer: from, id })
    this.#told(taken.map(({ id }) => id))
    return taken.length > 0 ? 'accept' : 'ignore'
  }

  /** @returns null when no honest peer sends it. */
  async #unknownOf(body: Uint8Array): Promise<Transaction[] | null> {
    const { consensus, limits } = this.#setup
    const decoded = decodeTransactions(body)
    if (!decoded.ok) return null
    const unknown = new Map<string, Transaction>()
    for (const bytes of decoded.value) {
      const id = bytes.length <= limits.transactionBytesMax ? consensus.transactionId(bytes) : null
      if (id === null || !id.ok) return null
      if (!(await this.#isKnown(id.value))) unknown.set(id.value, { id: id.value, bytes })
    }
    return [...unknown.values()]
  }

  async #isKnown(id: string): Promise<boolean> {
    const { mempool, txStore } = this.#setup
    return mempool.has(id) || (await txStore.has(id))
  }

  #told(ids: readonly string[]): void {
    const { clock, limits } = this.#setup
    const nowMs = clock.monotonicMs()
    for (const id of ids) {
      this.#toldAtMs.delete(id)
      this.#toldAtMs.set(id, nowMs)
    }
    if (this.#toldAtMs.size > 0) this.#retellAlarm.by(nowMs + limits.retellMs)
  }

  /** T2. Those that wait no more are forgotten here. */
  #retell(): void {
    const { network, mempool, clock, limits } = this.#setup
    const dueMs = clock.monotonicMs() - limits.retellMs
    const bytesById = new Map<string, Uint8Array>()
    for (const [id, toldAtMs] of this.#toldAtMs) {
      if (toldAtMs > dueMs || bytesById.size === RETOLD_MAX) break
      const bytes = mempool.get(id)
      if (bytes === null) this.#toldAtMs.delete(id)
      else bytesById.set(id, bytes)
    }
    this.#told([...bytesById.keys()])
    for (const body of transactionMessages([...bytesById.values()], limits.transactionMessageBytes))
      network.broadcast('chain.waiting', body)
    if (this.#toldAtMs.size > 0) this.#retellAlarm.by(clock.monotonicMs() + RETELL_PAUSE_MS)
  }
}

function isValid(judgement: Judgement | undefined): boolean {
  return judgement?.verdict === 'valid'
}
