/**
 * The pooled transactions of one sender, by nonce. Pure.
 * Q1  entries have strictly ascending nonces, none below the account's
 * Q2  the first `runLength` entries follow on from the account's nonce without a gap; the others are held back
 * @module
 */
import type { ReceivedTransaction } from '../received-transaction.ts'

export interface Entry {
  readonly received: ReceivedTransaction
  readonly queue: SenderQueue
  readonly nonce: number
  readonly fee: bigint
  /** What it is ranked by: its fee, unless the chain takes it for free. */
  readonly rank: bigint
  /** Counts up: the order of arrival. */
  readonly arrival: number
  readonly arrivedAtMs: number
}

export class SenderQueue {
  readonly sender: Uint8Array
  readonly senderHex: string
  readonly #entries: Entry[] = []
  #accountNonce: number
  #runLength = 0
  #fees = 0n

  constructor(sender: Uint8Array, senderHex: string, accountNonce: number) {
    this.sender = sender
    this.senderHex = senderHex
    this.#accountNonce = accountNonce
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  get runLength(): number {
    return this.#runLength
  }

  /** The sum of the fees of all entries. */
  get fees(): bigint {
    return this.#fees
  }

  /** The entry with the lowest nonce when the account's nonce has come to it. */
  get ready(): Entry | undefined {
    return this.#runLength > 0 ? this.#entries[0] : undefined
  }

  /** The entry with the highest nonce: the only one that others do not wait for. */
  get tail(): Entry | undefined {
    return this.#entries.at(-1)
  }

  get isTailHeldBack(): boolean {
    return this.#runLength < this.#entries.length
  }

  /** Whether an entry with this nonce would have a gap before it. */
  wouldHoldBack(nonce: number): boolean {
    return nonce > this.#accountNonce + this.#runLength
  }

  at(nonce: number): Entry | undefined {
    const entry = this.#entries[this.#indexOf(nonce)]
    return entry?.nonce === nonce ? entry : undefined
  }

  insert(entry: Entry): void {
    this.#entries.splice(this.#indexOf(entry.nonce), 0, entry)
    this.#fees += entry.fee
    this.#extendRun()
  }

  remove(entry: Entry): void {
    const index = this.#indexOf(entry.nonce)
    this.#entries.splice(index, 1)
    this.#fees -= entry.fee
    this.#runLength = Math.min(this.#runLength, index)
  }

  /** The chain has come to this nonce. @returns the entries below it, which are gone. */
  advance(accountNonce: number): Entry[] {
    this.#accountNonce = accountNonce
    const gone = this.#entries.splice(0, this.#indexOf(accountNonce))
    for (const entry of gone) this.#fees -= entry.fee
    this.#runLength = 0
    this.#extendRun()
    return gone
  }

  #extendRun(): void {
    while (this.#entries[this.#runLength]?.nonce === this.#accountNonce + this.#runLength)
      this.#runLength += 1
  }

  /** Where the entry with this nonce is, or would be. */
  #indexOf(nonce: number): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#entries[middle]!.nonce < nonce) low = middle + 1
      else high = middle
    }
    return low
  }
}
