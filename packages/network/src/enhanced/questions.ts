/**
 * What one node asks another about the chain, with the answers decoded and held against the question.
 * @module
 */
import type { Result } from '@althing/base'
import { NetworkError } from '../errors.ts'
import type { Network } from '../network-types.ts'
import {
  blockBytes,
  decodeBlock,
  decodeBlockRequest,
  decodeBlocks,
  decodeChainStatus,
  decodeParts,
  encodeBlockRequest,
  encodeLocator,
  encodePartsRequest,
  encodeRangeRequest,
} from '../protocol/chain-messages.ts'
import type { Block, ChainStatus, PartsRequest, RangeRequest } from '../protocol/chain-messages.ts'
import type { chainKinds, ChainLimits } from './chain-config.ts'
import type { BlockInfo, Consensus } from './ports.ts'

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  /** @property isFault no honest peer answers so; else it was unable, or out of reach. */
  | {
      readonly ok: false
      readonly isFault: boolean
      readonly error: NetworkError | null
      readonly problem: string
    }

export interface BlockWithInfo {
  readonly info: BlockInfo
  readonly block: Block
  readonly bytes: number
}

export class Questions {
  readonly #network: Network
  readonly #consensus: Consensus
  readonly #limits: ChainLimits

  constructor(network: Network, consensus: Consensus, limits: ChainLimits) {
    this.#network = network
    this.#consensus = consensus
    this.#limits = limits
  }

  async block(peer: string, id: string): Promise<Answer<BlockWithInfo>> {
    const { blockTimeoutMs } = this.#limits
    const answer = await this.#ask(
      peer,
      'chain.getBlock',
      encodeBlockRequest(id),
      blockTimeoutMs,
      decodeBlock,
    )
    if (!answer.ok) return answer
    const info = this.#consensus.readHeader(answer.value.header)
    if (!info.ok || info.value.id !== id) return wrong('it gave another block')
    return { ok: true, value: withInfo(info.value, answer.value) }
  }

  async parts(peer: string, request: PartsRequest): Promise<Answer<Uint8Array[]>> {
    const { blockTimeoutMs } = this.#limits
    return this.#ask(peer, 'chain.getParts', encodePartsRequest(request), blockTimeoutMs, decodeParts)
  }

  /** @returns at most as many blocks as asked for, from the height asked for, each the parent of the next. */
  async range(peer: string, range: RangeRequest): Promise<Answer<BlockWithInfo[]>> {
    const { rangeTimeoutMs } = this.#limits
    const answer = await this.#ask(
      peer,
      'chain.getRange',
      encodeRangeRequest(range),
      rangeTimeoutMs,
      decodeBlocks,
    )
    if (!answer.ok) return answer
    if (answer.value.length > range.count)
      return wrong(`${answer.value.length} blocks in place of ${range.count}`)
    const blocks: BlockWithInfo[] = []
    for (const block of answer.value) {
      const info = this.#consensus.readHeader(block.header)
      if (!info.ok) return wrong(`a header of its range cannot be read: ${info.fault.message}`)
      const { height, parentId } = info.value
      if (height !== range.from + blocks.length) return wrong(`block ${height} in a range from ${range.from}`)
      const before = blocks.at(-1)
      if (before !== undefined && before.info.id !== parentId)
        return wrong('blocks of its range do not follow each other')
      blocks.push(withInfo(info.value, block))
    }
    return { ok: true, value: blocks }
  }

  /** @returns the first of `ids` that is on the peer's best chain. */
  async firstCommon(peer: string, ids: readonly string[]): Promise<Answer<string>> {
    const { blockTimeoutMs } = this.#limits
    const answer = await this.#ask(
      peer,
      'chain.locate',
      encodeLocator(ids),
      blockTimeoutMs,
      decodeBlockRequest,
    )
    return answer.ok && !ids.includes(answer.value)
      ? wrong('it named a block that was not asked about')
      : answer
  }

  async status(peer: string): Promise<Answer<ChainStatus>> {
    const { blockTimeoutMs } = this.#limits
    return this.#ask(peer, 'chain.status', new Uint8Array(0), blockTimeoutMs, decodeChainStatus)
  }

  async #ask<T>(
    peer: string,
    kind: keyof ReturnType<typeof chainKinds>,
    body: Uint8Array,
    timeoutMs: number,
    decode: (bytes: Uint8Array) => Result<T>,
  ): Promise<Answer<T>> {
    let bytes: Uint8Array
    try {
      bytes = await this.#network.request(peer, kind, body, { timeoutMs })
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      return { ok: false, isFault: false, error, problem: error.message }
    }
    const decoded = decode(bytes)
    return decoded.ok ? decoded : wrong(`its answer cannot be read: ${decoded.fault.message}`)
  }
}

function withInfo(info: BlockInfo, block: Block): BlockWithInfo {
  return { info, block, bytes: blockBytes(block) }
}

function wrong(problem: string): Answer<never> {
  return { ok: false, isFault: true, error: null, problem }
}
