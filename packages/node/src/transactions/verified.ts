/**
 * Which transactions were found to be signed by their sender. An id is the hash of the whole signed transaction, so
 * what is remembered is bound to the very bytes that were checked (P12). Those of blocks are checked at once; others in
 * their turn, so that a block never waits behind many of them.
 * @module
 */
import {
  hashToHex,
  RecentMap,
  SIGNATURE_BYTES,
  transactionId,
  transactionSignatureChecks,
} from '@althing/base'
import type { HashHex, Result, SignatureCheck, Transaction, Verify } from '@althing/base'
import type { ReceivedTransaction } from '@althing/chain'

/** At 4,000 transactions a second, more than a quarter of a minute. */
const REMEMBERED_MAX = 131_072
/** Checks of transactions outside blocks that are in the pool at a time: a fraction of a second. */
const CHECKS_AT_ONCE = 2_048

export interface VerifiedPorts {
  readonly networkId: string
  /** On this thread; for the odd one that was not checked beforehand. */
  readonly verify: Verify
  /** In the worker pool. */
  readonly verifyAll: (checks: readonly SignatureCheck[]) => Promise<boolean[]>
  readonly receive: (encoded: Uint8Array) => Result<ReceivedTransaction>
}

interface Unknown {
  readonly idHex: HashHex
  readonly checks: readonly SignatureCheck[]
}

export class VerifiedTransactions {
  readonly #ports: VerifiedPorts
  readonly #ids = new RecentMap<HashHex, true>(REMEMBERED_MAX)
  readonly #turns = new Turns(CHECKS_AT_ONCE)

  constructor(ports: VerifiedPorts) {
    this.#ports = ports
  }

  /** From memory, else checked here and now. */
  isVerified(received: ReceivedTransaction): boolean {
    if (this.#ids.has(received.idHex)) return true
    const checks = transactionSignatureChecks(received.transaction, this.#ports.networkId)
    if (!checks.ok) return false
    const { verify } = this.#ports
    if (!checks.value.every(({ publicKey, message, signature }) => verify(publicKey, message, signature)))
      return false
    this.#ids.set(received.idHex, true)
    return true
  }

  /** Checks those that are new, in their turn. One answer each. */
  async check(received: readonly ReceivedTransaction[]): Promise<boolean[]> {
    if (received.every(({ idHex }) => this.#ids.has(idHex))) return received.map(() => true)
    const size = received.reduce((sum, { transaction }) => sum + signaturesMax(transaction), 0)
    await this.#turns.begin(size)
    try {
      await this.#checkNow(this.#unknownOf(received))
    } finally {
      this.#turns.end(size)
    }
    return received.map(({ idHex }) => this.#ids.has(idHex))
  }

  /** Who still waits for a turn gets no answer any more. To be called before the worker pool stops. */
  stop(): void {
    this.#turns.stop()
  }

  /** Those that are not remembered, each with all that has to hold; what has no form of a proof is left out. */
  #unknownOf(received: readonly ReceivedTransaction[]): Unknown[] {
    return received.flatMap(({ idHex, transaction }) => {
      if (this.#ids.has(idHex)) return []
      const checks = transactionSignatureChecks(transaction, this.#ports.networkId)
      return checks.ok ? [{ idHex, checks: checks.value }] : []
    })
  }

  async #checkNow(unknown: readonly Unknown[]): Promise<void> {
    if (unknown.length === 0) return
    const results = await this.#ports.verifyAll(unknown.flatMap(({ checks }) => checks))
    let from = 0
    for (const { idHex, checks } of unknown) {
      if (results.slice(from, from + checks.length).every(Boolean)) this.#ids.set(idHex, true)
      from += checks.length
    }
  }

  /** The same for the transactions of a block, as they come: what cannot be read is left for the block's own judgement. */
  async checkEncoded(encoded: readonly Uint8Array[]): Promise<void> {
    const unknown: ReceivedTransaction[] = []
    for (const bytes of encoded) {
      if (this.#ids.has(hashToHex(transactionId(bytes)))) continue
      const received = this.#ports.receive(bytes)
      if (received.ok) unknown.push(received.value)
    }
    await this.#checkNow(this.#unknownOf(unknown))
  }
}

/** A multi-signature account has up to 16 for one transaction. */
function signaturesMax({ witness }: Transaction): number {
  return Math.max(1, Math.floor(witness.length / SIGNATURE_BYTES))
}

/** Lets through what fits, in the order of asking; what alone is too large goes alone. */
class Turns {
  readonly #max: number
  readonly #waiting: { readonly size: number; readonly begin: () => void }[] = []
  #size = 0
  #stopped = false

  constructor(max: number) {
    this.#max = max
  }

  begin(size: number): Promise<void> {
    return new Promise((begin) => {
      this.#waiting.push({ size, begin })
      this.#letIn()
    })
  }

  end(size: number): void {
    this.#size -= size
    this.#letIn()
  }

  stop(): void {
    this.#stopped = true
    this.#waiting.length = 0
  }

  #letIn(): void {
    if (this.#stopped) return
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#size > 0 && this.#size + next.size > this.#max) return
      this.#waiting.shift()
      this.#size += next.size
      next.begin()
    }
  }
}
