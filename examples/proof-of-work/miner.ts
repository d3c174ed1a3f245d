import { setImmediate } from 'node:timers/promises'
import type { Block, BlockInfo } from '@althing/network'
import { bodyHash, encodeHeader, leadingZeroBits, NONCE_MAX, setNonce, sha256 } from './header.ts'
import { decodeClaim } from './name-chain.ts'
import type { NameChain } from './name-chain.ts'

/** Hashes between two looks at the network. */
const SLICE = 2000

/** A block on the tip of the best chain, with what the mempool has; begins anew when the tip changes. */
export async function mine(chain: NameChain, bits: number): Promise<Block> {
  for (;;) {
    const tip = chain.consensus.tip()
    const isStale = () => chain.consensus.tip().id !== tip.id
    const block = await mineOn(tip, freeClaims(chain), bits, isStale)
    if (block !== null) return block
  }
}

/** @returns null when it became stale before the work was done. */
export async function mineOn(
  parent: BlockInfo,
  transactions: readonly Uint8Array[],
  bits: number,
  isStale: () => boolean = () => false,
): Promise<Block | null> {
  const header = encodeHeader({
    parent: Buffer.from(parent.id, 'hex'),
    body: bodyHash(transactions),
    height: parent.height + 1,
    bits,
    timeMs: performance.timeOrigin + performance.now(),
    nonce: 0,
  })
  for (let nonce = 0; nonce <= NONCE_MAX; nonce++) {
    setNonce(header, nonce)
    if (leadingZeroBits(sha256(header)) >= bits) return { header, transactions }
    if (nonce % SLICE !== 0) continue
    await setImmediate()
    if (isStale()) return null
  }
  return null
}

/** One for each name, of those that nobody has. */
function freeClaims({ mempool, owner }: NameChain): Uint8Array[] {
  const bytesByName = new Map<string, Uint8Array>()
  for (const id of mempool.ids()) {
    const bytes = mempool.get(id)!
    const { name } = decodeClaim(bytes)!
    if (owner(name) === undefined && !bytesByName.has(name)) bytesByName.set(name, bytes)
  }
  return [...bytesByName.values()]
}
