/**
 * What one node knows of the old chain, as a file that is carried to the one that proposes the new chain.
 * @module
 */
import { Block, BLOCK_BYTES_MAX, bytesToHex, decode, hexToBytes } from '@althing/base'
import { RecoveryError } from './error.ts'
import type { Claim } from './old-chain.ts'

const BLOCKS_MAX = 1_024

export function claimToFile({ genesis, key, height, tip, finalized, voted, blocks }: Claim): object {
  return {
    genesis: bytesToHex(genesis),
    key: key && bytesToHex(key),
    height,
    tip: bytesToHex(tip),
    finalized,
    voted: voted && { epoch: voted.epoch, view: voted.view, block: bytesToHex(voted.block) },
    blocks: blocks.map((block) => Buffer.from(Block.serialize(block)).toString('base64')),
  }
}

/** @param name of the file, for messages. @throws {RecoveryError} `RECOVERY_FILE_INVALID`. */
export function claimFromFile(name: string, text: string): Claim {
  const invalid = (why: string): RecoveryError =>
    new RecoveryError(
      'RECOVERY_FILE_INVALID',
      `${name} was not written by "althing recover inspect": ${why}.`,
    )
  let file: Record<string, unknown>
  try {
    file = Object(JSON.parse(text)) as Record<string, unknown>
  } catch {
    throw invalid('it is not JSON')
  }
  const hash = (field: string, value: unknown): Uint8Array => {
    const bytes = typeof value === 'string' ? hexToBytes(value) : null
    if (bytes?.length !== 32) throw invalid(`"${field}" is not 64 hexadecimal digits`)
    return bytes
  }
  const count = (field: string, value: unknown): number => {
    if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
    throw invalid(`"${field}" is not a whole number`)
  }
  const position = (field: string, value: unknown): { epoch: number; view: number } => {
    const { epoch, view } = Object(value) as Record<string, unknown>
    return { epoch: count(`${field}.epoch`, epoch), view: count(`${field}.view`, view) }
  }
  const { voted, blocks } = file
  if (!Array.isArray(blocks) || blocks.length > BLOCKS_MAX) throw invalid('"blocks" is not a list of blocks')
  return {
    genesis: hash('genesis', file.genesis),
    key: file.key === null ? null : hash('key', file.key),
    height: count('height', file.height),
    tip: hash('tip', file.tip),
    finalized: position('finalized', file.finalized),
    voted:
      voted === null
        ? null
        : { ...position('voted', voted), block: hash('voted.block', (voted as { block?: unknown })?.block) },
    blocks: blocks.map((one: unknown) => {
      const block = decode(Block, Buffer.from(String(one), 'base64'), BLOCK_BYTES_MAX)
      if (!block.ok) throw invalid(`a block in it cannot be read, ${block.fault.message}`)
      return block.value
    }),
  }
}
