/**
 * A chain that goes on from another whose authorities were lost (docs/recover.md): what its genesis file says of that,
 * and what those who remain sign. The state it starts on is told by its root alone, and comes in a file of its own.
 * @module
 */
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@althing/base'
import type { Hash } from '@althing/base'

/** As `recovered` in a genesis file. */
export interface Recovered {
  readonly networkId: string
  /** Hash of the old chain's block 0. */
  readonly genesis: Hash
  /** The block of the old chain that it goes on from. */
  readonly height: number
  readonly block: Hash
  /** Votes of the old chain up to this epoch and view cannot have made another block final. */
  readonly epoch: number
  readonly view: number
  /** Of the state that block 0 has. */
  readonly stateRoot: Hash
}

const TAG = utf8ToBytes('althing/recover/1\0')

/** What each authority that remains signs: that the one chain goes on as the other. */
export function recoverySignBytes(oldGenesis: Hash, newGenesis: Hash): Uint8Array {
  return concatBytes(TAG, oldGenesis, newGenesis)
}

export function recoveredToFile(recovered: Recovered): object {
  return {
    ...recovered,
    genesis: bytesToHex(recovered.genesis),
    block: bytesToHex(recovered.block),
    stateRoot: bytesToHex(recovered.stateRoot),
  }
}

/** @returns what is wrong with it, when something is. */
export function recoveredFromFile(value: unknown): Recovered | string {
  const { networkId, genesis, height, block, epoch, view, stateRoot } = (value ?? {}) as Record<
    string,
    unknown
  >
  if (typeof networkId !== 'string') return '"recovered.networkId" is not text'
  const [genesisHash, blockHash, root] = [genesis, block, stateRoot].map(hash32)
  if (genesisHash === undefined || blockHash === undefined || root === undefined)
    return '"recovered" needs "genesis", "block" and "stateRoot", each 64 hexadecimal digits'
  const counters = [height, epoch, view]
  if (!counters.every((one) => Number.isSafeInteger(one) && (one as number) >= 0))
    return '"recovered" needs "height", "epoch" and "view", each a whole number'
  return {
    networkId,
    genesis: genesisHash,
    height: height as number,
    block: blockHash,
    epoch: epoch as number,
    view: view as number,
    stateRoot: root,
  }
}

function hash32(value: unknown): Hash | undefined {
  const bytes = typeof value === 'string' ? hexToBytes(value) : null
  return bytes?.length === 32 ? bytes : undefined
}
