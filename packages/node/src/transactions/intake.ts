/**
 * How transactions come in, from users and from peers, and what became of them.
 * T1  nothing enters the pool before its signature was checked
 * T2  a transaction is told to the peers once when it enters, again while it keeps waiting, and to each peer that
 *     connects; so it also arrives where the first telling did not
 * T3  the fate of a transaction that left the pool is remembered, within bounds
 * T4  what waits for its signature checks is bounded, in all and of each peer; more is ignored, and is told again (T2)
 * @module
 */
import { fail, hashToHex } from '@althing/base'
import type { Clock, Fault, HashHex, Result } from '@althing/base'
import type { BlockExecutor, Mempool, ReceivedTransaction, Removal } from '@althing/chain'
import type { Verdict } from '@althing/network'
import { readTransactionBatch, transactionBatches } from '../consensus/wire.ts'
import { CheckBudget } from '../verifier/budget.ts'
import type { VerifiedTransactions } from './verified.ts'

const REJECTIONS_KEPT = 16_384
/** A transaction that has waited so long is told again, and then again after as long. */
const RETELL_MS = 10_000
/** Told again by one tick. */
const RETOLD_MAX = 256
/** Told to a peer that connects, in messages. */
const TELL_NEW_PEER_MAX = 8
/** Of one peer so much that the network stops reading from it before anything is ignored. */
const CHECKING = { bytesMax: 64 * 1024 * 1024, peerBytesMax: 16 * 1024 * 1024 }

export interface IntakePorts<State> {
  readonly mempool: Mempool
  readonly executor: BlockExecutor<State>
  readonly verified: VerifiedTransactions
  readonly clock: Clock
}

/** Where the intake sends; known once the network is there. */
export interface IntakeOutlets {
  /** As gossip, which suppresses what it carried before. */
  publish(batch: Uint8Array): void
  sendTo(peer: string, batch: Uint8Array): void
  /** To each peer, also what was sent to it before. */
  sendToAll(batch: Uint8Array): void
  /** The pool took something. */
  onPoolChanged(): void
}

export type PoolFate = { readonly kind: 'pending' } | { readonly kind: 'rejected'; readonly fault: Fault }

export class TransactionIntake<State> {
  readonly #ports: IntakePorts<State>
  #outlets: IntakeOutlets = { publish() {}, sendTo() {}, sendToAll() {}, onPoolChanged() {} }
  readonly #rejections = new Map<HashHex, Fault>()
  readonly #acceptedAtMs = new Map<HashHex, number>()
  /** Of what is in the pool, the one that was told longest ago first. */
  readonly #toldAtMs = new Map<HashHex, number>()
  /** In a final block that is being written. */
  readonly #committing = new Set<HashHex>()
  readonly #checking = new CheckBudget(CHECKING)
  #untold: Uint8Array[] = []

  constructor(ports: IntakePorts<State>) {
    this.#ports = ports
  }

  attach(outlets: IntakeOutlets): void {
    this.#outlets = outlets
  }

  /** From a user. One result each, in order; what is accepted is pending, not final. */
  async submit(encoded: readonly Uint8Array[]): Promise<Result<ReceivedTransaction>[]> {
    const received = encoded.map((bytes) => this.#ports.executor.receive(bytes))
    const readable = received.flatMap((one) => (one.ok ? [one.value] : []))
    const signed = await this.#ports.verified.check(readable)
    const isSigned = new Map(readable.map((one, i) => [one, signed[i]!]))
    const results = received.map((one): Result<ReceivedTransaction> => {
      if (!one.ok) return one
      if (isSigned.get(one.value) !== true) return signatureFault()
      const added = this.#add(one.value)
      return added.ok ? one : added
    })
    this.#announce(results.flatMap((one) => (one.ok ? [one.value] : [])))
    return results
  }

  /** From a peer. The verdict says whether the batch is worth passing on. */
  async receiveBatch(from: string, body: Uint8Array): Promise<Verdict> {
    if (!this.#checking.take(from, body.length)) return 'ignore'
    try {
      return await this.#judge(body)
    } finally {
      this.#checking.give(from, body.length)
    }
  }

  /** From a peer that tells again, or tells what waits: what was news here is passed on as gossip. */
  async receiveWaiting(from: string, body: Uint8Array): Promise<Verdict> {
    const verdict = await this.receiveBatch(from, body)
    if (verdict === 'accept') this.#outlets.publish(body)
    return verdict
  }

  async #judge(body: Uint8Array): Promise<Verdict> {
    const batch = readTransactionBatch(body)
    if (!batch.ok) return 'reject'
    const unknown: ReceivedTransaction[] = []
    for (const bytes of batch.value) {
      const received = this.#ports.executor.receive(bytes)
      if (!received.ok) return 'reject'
      if (!this.#isKnown(received.value.idHex)) unknown.push(received.value)
    }
    const signed = await this.#ports.verified.check(unknown)
    if (signed.includes(false)) return 'reject'
    let taken = 0
    for (const one of unknown) if (this.#add(one).ok) taken += 1
    if (taken > 0) this.#outlets.onPoolChanged()
    return taken > 0 ? 'accept' : 'ignore'
  }

  /** What waits, for a peer that has just connected. */
  tellNewPeer(peer: string): void {
    const waiting: Uint8Array[] = []
    for (const { bytes } of this.#ports.mempool.transactions()) {
      waiting.push(bytes)
      if (waiting.length >= TELL_NEW_PEER_MAX * 256) break
    }
    for (const batch of transactionBatches(waiting).slice(0, TELL_NEW_PEER_MAX))
      this.#outlets.sendTo(peer, batch)
  }

  /** To be called every second or so: lets go of what is too old, tells again what still waits. */
  tick(): void {
    const nowMs = this.#ports.clock.monotonicMs()
    this.left(this.#ports.mempool.expire(nowMs))
    const due: ReceivedTransaction[] = []
    for (const [idHex, toldAtMs] of this.#toldAtMs) {
      if (nowMs - toldAtMs < RETELL_MS || due.length === RETOLD_MAX) break
      const received = this.#ports.mempool.get(idHex)
      if (received !== undefined) due.push(received)
    }
    for (const { idHex } of due) {
      this.#toldAtMs.delete(idHex)
      this.#toldAtMs.set(idHex, nowMs)
    }
    for (const batch of transactionBatches(due.map(({ bytes }) => bytes))) this.#outlets.sendToAll(batch)
  }

  /** Those that left the pool without a block. */
  left(removals: readonly Removal[]): void {
    for (const { transaction, fault } of removals) {
      this.#forgetTimes(transaction.idHex)
      this.#rejections.set(transaction.idHex, fault)
      if (this.#rejections.size > REJECTIONS_KEPT)
        this.#rejections.delete(this.#rejections.keys().next().value!)
    }
  }

  /** These are in a final block that is on its way to the disk. @returns since when each was known here, if it was. */
  committing(transactions: readonly ReceivedTransaction[]): (number | undefined)[] {
    return transactions.map(({ idHex }) => {
      const acceptedAtMs = this.#acceptedAtMs.get(idHex)
      this.#forgetTimes(idHex)
      this.#rejections.delete(idHex)
      this.#committing.add(idHex)
      return acceptedAtMs
    })
  }

  /** They are on disk. */
  committed(transactions: readonly ReceivedTransaction[]): void {
    for (const { idHex } of transactions) this.#committing.delete(idHex)
  }

  /** @returns undefined when nothing is known of it here; a final block may still have it. */
  fate(id: Uint8Array): PoolFate | undefined {
    const idHex = hashToHex(id)
    if (this.#isKnown(idHex)) return { kind: 'pending' }
    const fault = this.#rejections.get(idHex)
    return fault === undefined ? undefined : { kind: 'rejected', fault }
  }

  #forgetTimes(idHex: HashHex): void {
    this.#acceptedAtMs.delete(idHex)
    this.#toldAtMs.delete(idHex)
  }

  #isKnown(idHex: HashHex): boolean {
    return this.#ports.mempool.has(idHex) || this.#committing.has(idHex)
  }

  #add(received: ReceivedTransaction): Result<ReceivedTransaction> {
    const { mempool, executor, clock } = this.#ports
    if (this.#committing.has(received.idHex))
      return fail('DUPLICATE', `transaction ${received.idHex} is final already`)
    const nowMs = clock.monotonicMs()
    const added = mempool.add(received, executor.admission, nowMs)
    if (!added.ok) return added
    this.#acceptedAtMs.set(received.idHex, nowMs)
    this.#toldAtMs.set(received.idHex, nowMs)
    this.#rejections.delete(received.idHex)
    this.left(added.value)
    return { ok: true, value: received }
  }

  /** Everything that comes in during one turn of the event loop goes out together. */
  #announce(accepted: readonly ReceivedTransaction[]): void {
    if (accepted.length === 0) return
    if (this.#untold.length === 0) {
      setImmediate(() => {
        const untold = this.#untold
        this.#untold = []
        for (const batch of transactionBatches(untold)) this.#outlets.publish(batch)
        this.#outlets.onPoolChanged()
      })
    }
    for (const { bytes } of accepted) this.#untold.push(bytes)
  }
}

function signatureFault(): Result<never> {
  return fail(
    'SIGNATURE_INVALID',
    'the signature does not prove the sender for this network; sign again with its key',
  )
}
