/**
 * What this node answers about its chain: bounded by number and by bytes, whatever is asked.
 * @module
 */
import type { Result } from '@althing/base'
import type { Message, Network } from '../network-types.ts'
import {
  blockBytes,
  decodeBlockRequest,
  decodeLocator,
  decodePartsRequest,
  decodeRangeRequest,
  encodeBlock,
  encodeBlockRequest,
  encodeBlocks,
  encodeChainStatus,
  encodeParts,
} from '../protocol/chain-messages.ts'
import type { Block, ChainStatus } from '../protocol/chain-messages.ts'
import { ChainError } from './chain-error.ts'
import type { BlockStore, Consensus } from './ports.ts'

interface AnswerSetup {
  readonly network: Network
  readonly blockStore: BlockStore
  readonly consensus: Consensus
  readonly rangeBytesMax: number
  readonly status: () => Promise<ChainStatus>
}

/** Of the frame around a list of blocks. */
const LIST_OVERHEAD_BYTES = 64

export function answerQuestions(setup: AnswerSetup): void {
  const { network, blockStore } = setup
  network.handleRequest('chain.status', async () => encodeChainStatus(await setup.status()))
  network.handleRequest('chain.getBlock', async ({ body }) => {
    return encodeBlock(await stored(blockStore, read(decodeBlockRequest, body)))
  })
  network.handleRequest('chain.getParts', async ({ body }) => {
    const { id, indexes } = read(decodePartsRequest, body)
    const { transactions } = await stored(blockStore, id)
    return encodeParts(
      indexes.map((index) => transactions[index] ?? notFound(`transaction ${index} of block ${id}`)),
    )
  })
  network.handleRequest('chain.getRange', (message, signal) => answerRange(setup, message, signal))
  network.handleRequest('chain.locate', (message) => answerLocator(setup, message))
}

async function answerRange(
  { blockStore, rangeBytesMax }: AnswerSetup,
  { body }: Message,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { from, count } = read(decodeRangeRequest, body)
  const lowest = await blockStore.lowestHeight()
  if (from < lowest) notFound(`block ${from}: the lowest here is ${lowest}`)
  const blocks: Block[] = []
  let bytes = LIST_OVERHEAD_BYTES
  for (let height = from; height < from + count && !signal.aborted; height++) {
    const id = await blockStore.idAt(height)
    const block = id === null ? null : await blockStore.get(id)
    if (block === null) break
    bytes += blockBytes(block)
    if (bytes > rangeBytesMax && blocks.length > 0) break
    blocks.push(block)
  }
  return encodeBlocks(blocks)
}

async function answerLocator({ blockStore, consensus }: AnswerSetup, { body }: Message): Promise<Uint8Array> {
  for (const id of read(decodeLocator, body)) {
    const block = await blockStore.get(id)
    if (block === null) continue
    const info = consensus.readHeader(block.header)
    if (info.ok && (await blockStore.idAt(info.value.height)) === id) return encodeBlockRequest(id)
  }
  notFound('none of the blocks named is on this chain')
}

async function stored(blockStore: BlockStore, id: string): Promise<Block> {
  return (await blockStore.get(id)) ?? notFound(`block ${id}`)
}

function read<T>(decode: (bytes: Uint8Array) => Result<T>, body: Uint8Array): T {
  const decoded = decode(body)
  if (!decoded.ok) throw new ChainError('INVALID_MESSAGE', decoded.fault.message)
  return decoded.value
}

function notFound(what: string): never {
  throw new ChainError('BLOCK_NOT_FOUND', `not here: ${what}`)
}
