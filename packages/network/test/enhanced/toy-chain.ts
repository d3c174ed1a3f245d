/**
 * A chain of the simplest kind: whoever likes makes a block, the highest chain wins, and of two equal ones the first that came.
 * @module
 */
import { bytesToHex, bytesToUtf8, fail, hashOf, ok, utf8ToBytes } from '@althing/base'
import type { Result } from '@althing/base'
import { createMemoryBlockStore, createMemoryMempool, createMemoryTransactionStore } from '../../src/index.ts'
import type { Block, BlockInfo, Consensus, Judgement } from '../../src/index.ts'

const VALID: Judgement = { verdict: 'valid' }
const ID_DIGITS = 16

export const toyGenesis = toyBlock({ id: '', height: -1, parentId: '' }, [])

export function toyTransaction(text: string): Uint8Array {
  return utf8ToBytes(`pay ${text}`)
}

/** @param salt tells apart blocks that are otherwise the same. */
export function toyBlock(parent: BlockInfo, transactions: readonly Uint8Array[], salt = ''): Block {
  const header = { parentId: parent.id, height: parent.height + 1, body: bodyHash(transactions), salt }
  return { header: utf8ToBytes(JSON.stringify(header)), transactions }
}

export function toyInfo(block: Block): BlockInfo {
  const info = readHeader(block.header)
  if (!info.ok) throw new Error(info.fault.message)
  return info.value
}

/** `count` blocks on top of `parent`, each with one transaction. */
export function toyBranch(parent: BlockInfo, count: number, salt = ''): Block[] {
  const blocks: Block[] = []
  for (let i = 0; i < count; i++) {
    const block = toyBlock(parent, [toyTransaction(`${salt}${parent.height}`)], salt)
    blocks.push(block)
    parent = toyInfo(block)
  }
  return blocks
}

export type ToyChain = ReturnType<typeof createToyChain>

/** @param options.finalDepth blocks so far below the tip are final. */
export function createToyChain(
  options: { readonly finalDepth?: number; readonly refusesCheckpoint?: boolean } = {},
) {
  const genesis = toyInfo(toyGenesis)
  let tip = genesis
  const consensus: Required<Consensus> = {
    readHeader,
    transactionId: (bytes) => ok(bytesToHex(hashOf(bytes)).slice(0, ID_DIGITS)),
    judgeHeader: ({ height }) => (height > 0 ? VALID : { verdict: 'invalid', reason: 'a second genesis' }),
    judgeBlock(_info, { header, transactions }) {
      const { body } = JSON.parse(bytesToUtf8(header)!)
      if (body !== bodyHash(transactions))
        return { verdict: 'invalid', reason: 'transactions of another header' }
      return transactions.every(isPayment) ? VALID : { verdict: 'invalid', reason: 'no payment' }
    },
    judgeTransactions: (transactions) =>
      transactions.map(({ bytes }) =>
        isPayment(bytes) ? VALID : { verdict: 'invalid', reason: 'no payment' },
      ),
    blockStored(info) {
      if (info.height > tip.height) tip = info
      return tip
    },
    tip: () => tip,
    headHeight: () => tip.height,
    finalizedHeight: () => Math.max(0, tip.height - (options.finalDepth ?? Infinity)),
    beginAt(info) {
      if (options.refusesCheckpoint) return { verdict: 'notNow', reason: 'there is no state for it' }
      tip = info
      return VALID
    },
  }
  return {
    blockStore: createMemoryBlockStore(genesis, toyGenesis),
    txStore: createMemoryTransactionStore(),
    mempool: createMemoryMempool(),
    consensus,
  }
}

function readHeader(header: Uint8Array): Result<BlockInfo> {
  try {
    const { parentId, height } = JSON.parse(bytesToUtf8(header) ?? '')
    if (typeof parentId !== 'string' || !Number.isSafeInteger(height))
      return fail('MALFORMED', 'no toy header')
    return ok({ id: bytesToHex(hashOf(header)).slice(0, ID_DIGITS), parentId, height })
  } catch {
    return fail('MALFORMED', 'no JSON')
  }
}

function bodyHash(transactions: readonly Uint8Array[]): string {
  return bytesToHex(hashOf(...transactions.map((bytes) => hashOf(bytes))))
}

function isPayment(bytes: Uint8Array): boolean {
  return bytesToUtf8(bytes)?.startsWith('pay ') ?? false
}
