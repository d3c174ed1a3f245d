/**
 * The final chain as the network's block store: what is on disk, and what the network brought and is not there yet.
 * @module
 */
import { assert, decodeFinalHeader, FINALITY_PATH_MAX, headerHash, headerOfEncoded } from '@althing/base'
import type { Header } from '@althing/base'
import type { BlockStore } from '@althing/network'
import type { ChainStore } from '../store/types.ts'
import type { FinalFeed } from './final-feed.ts'
import { chainBlock, hashOfId, infoOf, travellingBlock } from './travelling-block.ts'
import type { FinalityProof } from './travelling-block.ts'

/**
 * The consensus puts blocks onto the best chain, so nothing switches it from outside. A commit that is under way may
 * show in part: what is above the store's height is not there yet.
 */
export function finalBlockStore(store: ChainStore, feed: FinalFeed): BlockStore {
  const heightOf = (id: string): number | undefined => {
    const hash = hashOfId(id)
    const height = hash === null ? undefined : store.heightOf(hash)
    return height === undefined || height > store.height ? undefined : height
  }
  return {
    has: (id) => heightOf(id) !== undefined || feed.get(id) !== undefined,
    get(id) {
      const height = heightOf(id)
      if (height === undefined) {
        const fed = feed.get(id)
        return fed === undefined ? null : travellingBlock(fed.block, fed.proof)
      }
      const proof = finalityProof(store, height)
      if (proof === null && height > 0) return null
      return travellingBlock(store.byHeight(height)!.block, proof)
    },
    async put({ id }, { header, transactions }) {
      const final = decodeFinalHeader(header)
      assert(final.ok, 'what is stored was judged')
      const { path, finalization } = final.value
      const [certificate] = finalization
      if (certificate === undefined) return
      const proof = { path, finalization: certificate }
      await feed.put({ id, block: chainBlock(final.value, transactions), proof })
    },
    idAt(height) {
      const header = height > store.height ? undefined : headerAt(store, height)
      return header === undefined ? null : infoOf(header, headerHash(header)).id
    },
    switchTo() {},
    lowestHeight: () => store.lowestHeight,
  }
}

/** @returns null for block 0, and for blocks that are final by a later one that is not here yet (R10). */
function finalityProof(store: ChainStore, height: number): FinalityProof | null {
  if (height === 0) return null
  const path: Header[] = []
  const highest = Math.min(store.height, height + FINALITY_PATH_MAX)
  for (let at = height; at <= highest; at++) {
    if (at > height) path.push(headerAt(store, at)!)
    const finalization = store.finalizationAt(at)
    if (finalization !== undefined) return { path, finalization }
  }
  return null
}

function headerAt(store: ChainStore, height: number): Header | undefined {
  const encoded = store.encodedBlock(height)
  return encoded === undefined ? undefined : headerOfEncoded(encoded)
}
