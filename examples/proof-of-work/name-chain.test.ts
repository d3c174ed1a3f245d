/**
 * The suites that the network has for chains, run on this one.
 */
import {
  blockStoreCompliance,
  consensusCompliance,
  mempoolCompliance,
  transactionStoreCompliance,
} from '@althing/network/testing'
import type { ChainUnderTest } from '@althing/network/testing'
import { decodeHeader, infoOf } from './header.ts'
import { mineOn } from './miner.ts'
import { BITS_MIN, createNameChain, encodeClaim, genesis } from './name-chain.ts'

let names = 0

function newClaim(): Uint8Array {
  return encodeClaim({ name: `name-${++names}`, owner: 'somebody' })
}

const chain: ChainUnderTest = {
  genesis,
  readInfo: ({ header }) => infoOf(header, decodeHeader(header)!),
  makeBlock: async (parent) => (await mineOn(parent, [newClaim()], BITS_MIN))!,
}

consensusCompliance('of names', chain, () => {
  const { consensus, blockStore } = createNameChain()
  return { consensus, store: (info, block) => blockStore.put(info, block) }
})
blockStoreCompliance('of names', chain, () => createNameChain().blockStore)
transactionStoreCompliance('of names', () => createNameChain().txStore)
mempoolCompliance(
  'of names',
  ['one', 'two'].map((id) => ({ id, bytes: newClaim() })),
  () => createNameChain().mempool,
)
