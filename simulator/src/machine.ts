/**
 * What outlives a process: its disk, its key, its clock's error.
 * @module
 */
import type { HashHex } from '@althing/base'
import type { FinalBlock, Now } from '@althing/chain'
import { SimulatedBlockStore } from './block-store.ts'
import { SimulatedDisk } from './disk.ts'
import { simulatedKey } from './keys.ts'
import type { CharacterName } from './plan.ts'
import type { Prng } from './prng.ts'

/** Wall time at the start of every simulation. */
export const WALL_START_MS = 1_700_000_000_000

/** More than rounding can take away between two clocks. */
const CLOCK_RESOLUTION_MS = 0.001

/** A key of an authority, and what was signed with it. */
export class KeyOnDisk {
  /** Of `simulatedSigner`. */
  readonly index: number
  readonly hex: HashHex
  /** Of its vote log. */
  readonly folder: string
  /** The log was lost or damaged, and the program has not seen it yet. */
  isDamaged = false
  /** The epoch that the network was in when the log was last lost: nothing may be signed in it or before (R12). */
  lostInEpoch = -1

  constructor(index: number) {
    this.index = index
    this.hex = simulatedKey(index)
    this.folder = `/votes/${this.hex.slice(0, 16)}`
  }
}

export class Machine {
  /** Its place in the network. */
  readonly host: number
  /** Of its authority, which votes with the first that is in the set; none on a full node. */
  readonly keys: readonly KeyOnDisk[]
  readonly character: CharacterName
  readonly genesis: FinalBlock
  readonly disk: SimulatedDisk
  /** How far the wall clock is from simulated time; it may step. */
  skewMs = 0
  /** Nothing can be written until this time: the disk is full. */
  fullUntilMs = 0
  /** The monotonic clock's error: ticks for each simulated millisecond. */
  readonly #rate: number
  #store: SimulatedBlockStore

  constructor(
    host: number,
    keys: readonly number[],
    character: CharacterName,
    genesis: FinalBlock,
    rate: number,
    prng: Prng,
  ) {
    this.disk = new SimulatedDisk(prng)
    this.host = host
    this.keys = keys.map((index) => new KeyOnDisk(index))
    this.character = character
    this.genesis = genesis
    this.#rate = rate
    this.#store = new SimulatedBlockStore(genesis)
  }

  /** Follows the rules and has all it signed: what the judge holds to account. */
  get isHonest(): boolean {
    return this.character === 'honest' || this.character === 'lostDisk' || this.character === 'rottenDisk'
  }

  /** A vote log was lost at some time. */
  get lostVotes(): boolean {
    return this.keys.some(({ lostInEpoch }) => lostInEpoch >= 0)
  }

  get store(): SimulatedBlockStore {
    return this.#store
  }

  /** The vote logs are gone; in half the cases so are the final blocks. @param epoch that the network is in. */
  loseDisk(prng: Prng, epoch: number): void {
    for (const key of this.keys) {
      this.disk.erase(key.folder)
      key.isDamaged = true
      key.lostInEpoch = epoch
    }
    if (prng.chance(0.5)) this.#store = new SimulatedBlockStore(this.genesis)
  }

  /** A bit of a vote log flips. */
  rotDisk(prng: Prng, epoch: number): void {
    const key = prng.pick(this.keys)
    if (!this.disk.flipBit(key.folder)) return
    key.isDamaged = true
    key.lostInEpoch = epoch
  }

  now(simulatedMs: number): Now {
    return {
      monotonicMs: simulatedMs * this.#rate,
      wallMs: Math.floor(WALL_START_MS + simulatedMs + this.skewMs),
    }
  }

  /** A simulated time at which the monotonic clock has just passed `monotonicMs`. */
  simulatedMsAt(monotonicMs: number): number {
    return monotonicMs / this.#rate + CLOCK_RESOLUTION_MS
  }
}
