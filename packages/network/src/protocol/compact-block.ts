/**
 * Blocks without the transactions that the receiver has (VC-2; the idea is BIP 152's): a header, and a short id for each transaction. Pure.
 * C1  short ids are keyed by the block, so that nobody can prepare transactions that collide
 * C2  what is ambiguous counts as missing: a collision costs a question, never a block
 * C3  a digest of all transactions tells a short id that matched by chance, or a sender that gave the wrong parts, before the block
 *     is judged: nobody is blamed for bad luck, and a block is never called invalid for it
 * @module
 */
import { assert, hashOf, equalBytes, utf8ToBytes } from '@althing/base'
import type { Block } from './chain-messages.ts'

/** Two of 10,000 known transactions collide with one of a block's 1,000 once in 28 million blocks. */
export const SHORT_ID_BYTES = 6

export interface CompactBlock {
  readonly header: Uint8Array
  /** Of all transactions in order. */
  readonly bodyHash: Uint8Array
  /** One for each transaction, in order: `SHORT_ID_BYTES` characters of one byte. */
  readonly shortIds: readonly string[]
}

/** @param transactionIds of the block's transactions, in order. */
export function compactBlock(block: Block, blockId: string, transactionIds: readonly string[]): CompactBlock {
  assert(
    transactionIds.length === block.transactions.length,
    `${transactionIds.length} ids for ${block.transactions.length} transactions`,
  )
  return {
    header: block.header,
    bodyHash: bodyHash(block.transactions),
    shortIds: transactionIds.map((id) => shortId(blockId, id)),
  }
}

function shortId(blockId: string, transactionId: string): string {
  const digest = hashOf(utf8ToBytes(`${blockId}\n${transactionId}`))
  return String.fromCharCode(...digest.subarray(0, SHORT_ID_BYTES))
}

function bodyHash(transactions: readonly Uint8Array[]): Uint8Array {
  const lengths = new Uint8Array(4 * transactions.length)
  const view = new DataView(lengths.buffer)
  for (const [i, { length }] of transactions.entries()) view.setUint32(4 * i, length)
  return hashOf(lengths, ...transactions)
}

/** A compact block on its way to a whole one. */
export class BlockAssembly {
  readonly #compact: CompactBlock
  readonly #transactions: (Uint8Array | null)[]

  /**
   * @param known ids of the transactions at hand.
   * @param read the bytes of one of them; null when it is gone meanwhile.
   */
  constructor(
    compact: CompactBlock,
    blockId: string,
    known: Iterable<string>,
    read: (id: string) => Uint8Array | null,
  ) {
    this.#compact = compact
    this.#transactions = compact.shortIds.map(() => null)
    const indexByShortId = new Map<string, number>()
    const ambiguous = new Set<string>()
    for (const [index, short] of compact.shortIds.entries()) {
      if (indexByShortId.has(short)) ambiguous.add(short)
      indexByShortId.set(short, index)
    }
    if (indexByShortId.size === 0) return
    const idByShortId = new Map<string, string>()
    for (const id of known) {
      // The rest of a large mempool is not hashed in vain; should one there collide, C3 shows it.
      if (idByShortId.size === indexByShortId.size) break
      const short = shortId(blockId, id)
      if (!indexByShortId.has(short)) continue
      if ((idByShortId.get(short) ?? id) !== id) ambiguous.add(short)
      idByShortId.set(short, id)
    }
    for (const [short, id] of idByShortId) {
      if (!ambiguous.has(short)) this.#transactions[indexByShortId.get(short)!] = read(id)
    }
  }

  /** Indexes of what has to be asked for, ascending. */
  get missing(): number[] {
    return this.#transactions.flatMap((transaction, index) => (transaction === null ? [index] : []))
  }

  /**
   * The answer to a question for `missing`.
   * @returns null when it is not that: too few or too many.
   */
  complete(parts: readonly Uint8Array[]): Block | null {
    const { missing } = this
    if (parts.length !== missing.length) return null
    const transactions = [...this.#transactions]
    for (const [i, index] of missing.entries()) transactions[index] = parts[i]!
    const block = { header: this.#compact.header, transactions: transactions as Uint8Array[] }
    return isWhole(this.#compact, block) ? block : null
  }
}

/** The block, which has the id that was announced, has all its transactions (C3). */
export function isWhole(compact: CompactBlock, block: Block): boolean {
  return equalBytes(bodyHash(block.transactions), compact.bodyHash)
}
