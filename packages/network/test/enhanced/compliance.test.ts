import {
  blockStoreCompliance,
  consensusCompliance,
  mempoolCompliance,
  transactionStoreCompliance,
} from '../../src/testing/index.ts'
import type { ChainUnderTest } from '../../src/testing/index.ts'
import { createToyChain, toyBlock, toyGenesis, toyInfo, toyTransaction } from './toy-chain.ts'

let blocks = 0
const toy: ChainUnderTest = {
  genesis: toyGenesis,
  readInfo: toyInfo,
  makeBlock: (parent) => toyBlock(parent, [toyTransaction(`${++blocks}`)], `${blocks}`),
}

blockStoreCompliance('in memory', toy, () => createToyChain().blockStore)
transactionStoreCompliance('in memory', () => createToyChain().txStore)
mempoolCompliance(
  'in memory',
  [
    { id: 'one', bytes: toyTransaction('one') },
    { id: 'two', bytes: toyTransaction('two') },
  ],
  () => createToyChain().mempool,
)
consensusCompliance('of the toy chain', toy, () => {
  const { consensus, blockStore } = createToyChain()
  return { consensus, store: (info, block) => blockStore.put(info, block) }
})
