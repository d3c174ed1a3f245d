/**
 * Options of the second way in, and the message kinds that it takes.
 * @module
 */
import { assert } from '@althing/base'
import type { NetworkConfig } from '../config.ts'
import {
  QUESTION_BYTES_MAX,
  RANGE_BLOCKS_MAX,
  TRANSACTIONS_OVERHEAD_BYTES,
} from '../protocol/chain-messages.ts'
import type { BlockRef } from '../protocol/chain-messages.ts'
import type { ChainSyncLimits } from '../protocol/chain-sync-effect.ts'
import { MESSAGE_BYTES_MAX } from '../protocol/kinds.ts'
import type { KindSpec } from '../protocol/kinds.ts'

/** All that has a default. Times are milliseconds. */
export interface ChainLimits extends ChainSyncLimits {
  /** A block with its transactions, encoded. */
  readonly blockBytesMax: number
  readonly transactionBytesMax: number
  /** Transactions of one message, unless its only one is larger. */
  readonly transactionMessageBytes: number
  /** A transaction that waits so long in the mempool is told again, and again after as long. */
  readonly retellMs: number
  /** For missing parts of a block and for whole blocks. */
  readonly blockTimeoutMs: number
  /** For ranges. */
  readonly rangeTimeoutMs: number
  /** Announced blocks of one peer that are completed at a time. */
  readonly assembliesPerPeerMax: number
  /** Peers that are asked for what an announced block lacks, its announcer first. */
  readonly partsAskedMax: number
  /** How long after a new tip the peers are told: gossip is faster, and this is for those that it did not reach. */
  readonly statusDelayMs: number
  /** They are told again after so long, in case it was lost. */
  readonly statusRepeatMs: number
}

export interface EnhancedNetworkConfig extends Omit<NetworkConfig, 'status' | 'kinds'>, Partial<ChainLimits> {
  /** Kinds of your own besides those of the chain: ids 1 to 111. */
  readonly kinds?: Readonly<Record<string, KindSpec>>
  /** Trusted: fast sync begins here, and no chain with another block at this height is followed. */
  readonly checkpoint?: BlockRef
}

const MIB = 1024 * 1024

const DEFAULTS: ChainLimits = {
  blockBytesMax: 2 * MIB,
  transactionBytesMax: 64 * 1024,
  transactionMessageBytes: 128 * 1024,
  retellMs: 10_000,
  blockTimeoutMs: 3000,
  rangeTimeoutMs: 10_000,
  assembliesPerPeerMax: 4,
  partsAskedMax: 4,
  statusDelayMs: 1000,
  statusRepeatMs: 10_000,
  rangeBlocksMax: RANGE_BLOCKS_MAX,
  rangeBytesMax: 4 * MIB,
  windowRanges: 8,
  bufferBytesMax: 32 * MIB,
  rangesPerPeerMax: 2,
  headPatienceMs: 250,
  slowAnswerMs: 1500,
  syncBackoffMinMs: 500,
  syncBackoffMaxMs: 60_000,
  emptyClaimsMax: 3,
  checkpointTriesMax: 3,
}

export function checkChainLimits(given: EnhancedNetworkConfig): ChainLimits {
  const isOption = ([key, value]: [string, unknown]) => key in DEFAULTS && value !== undefined
  const limits: ChainLimits = { ...DEFAULTS, ...Object.fromEntries(Object.entries(given).filter(isOption)) }
  for (const [name, value] of Object.entries(limits)) {
    assert(typeof value === 'number' && value > 0 && Number.isFinite(value), `${name} is ${value}`)
  }
  const { blockBytesMax, transactionBytesMax, transactionMessageBytes, rangeBytesMax, rangeBlocksMax } =
    limits
  assert(
    transactionBytesMax <= blockBytesMax,
    `transactionBytesMax ${transactionBytesMax} > blockBytesMax ${blockBytesMax}`,
  )
  assert(
    transactionMessageBytes + TRANSACTIONS_OVERHEAD_BYTES <= MESSAGE_BYTES_MAX,
    `transactionMessageBytes ${transactionMessageBytes} does not fit into one message of ${MESSAGE_BYTES_MAX}`,
  )
  assert(blockBytesMax <= rangeBytesMax, `blockBytesMax ${blockBytesMax} > rangeBytesMax ${rangeBytesMax}`)
  assert(
    rangeBytesMax <= MESSAGE_BYTES_MAX,
    `rangeBytesMax ${rangeBytesMax} > ${MESSAGE_BYTES_MAX}, one message`,
  )
  assert(
    rangeBlocksMax <= RANGE_BLOCKS_MAX,
    `rangeBlocksMax ${rangeBlocksMax} > ${RANGE_BLOCKS_MAX}, what peers answer`,
  )
  return limits
}

/** Names start with `chain.`; ids 112 to 119. */
export function chainKinds(limits: ChainLimits) {
  const { blockBytesMax, transactionBytesMax, transactionMessageBytes, rangeBytesMax } = limits
  const transactionsBytesMax =
    Math.max(transactionBytesMax, transactionMessageBytes) + TRANSACTIONS_OVERHEAD_BYTES
  return {
    'chain.block': { id: 112, lane: 'high', maxBytes: blockBytesMax, gossip: true },
    'chain.transactions': { id: 113, lane: 'normal', maxBytes: transactionsBytesMax, gossip: 'tree' },
    'chain.status': { id: 114, lane: 'high', maxBytes: QUESTION_BYTES_MAX },
    'chain.getBlock': { id: 115, lane: 'high', maxBytes: blockBytesMax },
    'chain.getParts': { id: 116, lane: 'high', maxBytes: Math.max(blockBytesMax, QUESTION_BYTES_MAX) },
    'chain.getRange': { id: 117, lane: 'normal', maxBytes: rangeBytesMax },
    'chain.locate': { id: 118, lane: 'normal', maxBytes: QUESTION_BYTES_MAX },
    'chain.waiting': { id: 119, lane: 'normal', maxBytes: transactionsBytesMax },
  } as const satisfies Readonly<Record<string, KindSpec>>
}
