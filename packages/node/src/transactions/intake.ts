/**
 * How transactions come into the pool, and what became of them. The network brings those of peers, judged already, and tells others of
 * all that is new.
 * T1  nothing enters the pool before its signature was checked
 * T2  the fate of a transaction that left the pool is remembered, within bounds
 * @module
 */
import { fail, hashToHex } from '@althing/base'
import type { Clock, Fault, HashHex, Result } from '@althing/base'
import type { BlockExecutor, Mempool, ReceivedTransaction, Removal } from '@althing/chain'
import type { VerifiedTransactions } from './verified.ts'

const REJECTIONS_KEPT = 16_384

export interface IntakePorts<State> {
  readonly mempool: Mempool
  readonly executor: BlockExecutor<State>
  readonly verified: VerifiedTransactions
  readonly clock: Clock
}

/** Where the intake sends; known once the network is there. */
export interface IntakeOutlets {
  /** The pool took these, from users. */
  tell(transactions: readonly ReceivedTransaction[]): void
  /** The pool took something, from whomever. */
  onPoolChanged(): void
}

export type PoolFate = { readonly kind: 'pending' } | { readonly kind: 'rejected'; readonly fault: Fault }

export class TransactionIntake<State> {
  readonly #ports: IntakePorts<State>
  #outlets: IntakeOutlets = { tell() {}, onPoolChanged() {} }
  readonly #rejections = new Map<HashHex, Fault>()
  readonly #acceptedAtMs = new Map<HashHex, number>()
  /** In a final block that is being written. */
  readonly #committing = new Set<HashHex>()
  #isNoting = false

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
      const added = this.add(one.value)
      return added.ok ? one : added
    })
    this.#outlets.tell(results.flatMap((one) => (one.ok ? [one.value] : [])))
    return results
  }

  /** To be called every second or so: lets go of what is too old. */
  expire(): void {
    this.left(this.#ports.mempool.expire(this.#ports.clock.monotonicMs()))
  }

  /** Those that left the pool without a block. */
  left(removals: readonly Removal[]): void {
    for (const { transaction, fault } of removals) {
      this.#acceptedAtMs.delete(transaction.idHex)
      this.#rejections.set(transaction.idHex, fault)
      if (this.#rejections.size > REJECTIONS_KEPT)
        this.#rejections.delete(this.#rejections.keys().next().value!)
    }
  }

  /** These are in a final block that is on its way to the disk. @returns since when each was known here, if it was. */
  committing(transactions: readonly ReceivedTransaction[]): (number | undefined)[] {
    return transactions.map(({ idHex }) => {
      const acceptedAtMs = this.#acceptedAtMs.get(idHex)
      this.#acceptedAtMs.delete(idHex)
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
    if (this.isKnown(idHex)) return { kind: 'pending' }
    const fault = this.#rejections.get(idHex)
    return fault === undefined ? undefined : { kind: 'rejected', fault }
  }

  /** It waits in the pool, or is in a final block that is being written. */
  isKnown(idHex: HashHex): boolean {
    return this.#ports.mempool.has(idHex) || this.#committing.has(idHex)
  }

  /** Of a transaction whose signature was checked (T1). */
  add(received: ReceivedTransaction): Result<ReceivedTransaction> {
    const { mempool, executor, clock } = this.#ports
    if (this.#committing.has(received.idHex))
      return fail('DUPLICATE', `transaction ${received.idHex} is final already`)
    const nowMs = clock.monotonicMs()
    const added = mempool.add(received, executor.admission, nowMs)
    if (!added.ok) return added
    this.#acceptedAtMs.set(received.idHex, nowMs)
    this.#rejections.delete(received.idHex)
    this.left(added.value)
    this.#notePool()
    return { ok: true, value: received }
  }

  /** Once for all that comes in during one turn of the event loop. */
  #notePool(): void {
    if (this.#isNoting) return
    this.#isNoting = true
    setImmediate(() => {
      this.#isNoting = false
      this.#outlets.onPoolChanged()
    })
  }
}

function signatureFault(): Result<never> {
  return fail(
    'SIGNATURE_INVALID',
    'the signature does not prove the sender for this network; sign again with its key',
  )
}
