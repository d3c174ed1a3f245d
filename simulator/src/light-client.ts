/**
 * O9: a client that trusts nothing but genesis, told the end of each epoch and the tip by any one honest host, comes to
 * the chain that the hosts agree on.
 * @module
 */
import { bytesToHex, endsEpoch, equalBytes, verifyCertificate, verifyLink } from '@althing/base'
import type { Epoch, Verify } from '@althing/base'
import type { FinalBlocks } from '@althing/chain'
import type { Judge } from './judge.ts'
import { Violation } from './violation.ts'

/** @param genesis the first epoch. @returns how many epochs it followed. */
export function judgeLightClient(genesis: Epoch, store: FinalBlocks, judge: Judge, verify: Verify): number {
  let epoch = genesis
  for (let height = 1; height <= store.height; height++) {
    const { block } = store.byHeight(height)!
    if (!endsEpoch(block.header)) continue
    const finalization = store.finalizationAt(height)
    if (finalization === undefined)
      throw new Violation(`O9: no finalization of block ${height}, which ends epoch ${epoch.epoch}, is kept`)
    const next = verifyLink({ header: block.header, nextSet: block.nextSet, finalization }, epoch, verify)
    if (!next.ok) throw new Violation(`O9: ${next.fault.message}`)
    epoch = next.value
  }
  const tip = lastWithFinalization(store)
  if (tip === null) return epoch.epoch - genesis.epoch
  const { hash, height, finalization } = tip
  const verified = endsEpoch(store.byHeight(height)!.block.header)
    ? null
    : verifyCertificate(finalization, epoch, verify)
  if (verified?.ok === false) throw new Violation(`O9: ${verified.fault.message}`)
  if (!equalBytes(finalization.hash, hash) || judge.canonical(height) !== bytesToHex(hash))
    throw new Violation(`O9: a light client comes to another block at height ${height}`)
  return epoch.epoch - genesis.epoch
}

function lastWithFinalization(store: FinalBlocks) {
  for (let height = store.height; height > 0; height--) {
    const finalization = store.finalizationAt(height)
    if (finalization !== undefined) return { height, hash: store.byHeight(height)!.hash, finalization }
  }
  return null
}
