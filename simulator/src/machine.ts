/**
 * What outlives a process: its disk, its key, its clock's error.
 * @module
 */
import type { HashHex } from '@althing/base'
import type { FinalBlock, Now } from '@althing/chain'
import { SimulatedBlockStore, SimulatedLog } from './disk.ts'
import { simulatedKey } from './keys.ts'
import type { CharacterName } from './plan.ts'
import type { Prng } from './prng.ts'

/** Wall time at the start of every simulation. */
export const WALL_START_MS = 1_700_000_000_000

/** More than rounding can take away between two clocks. */
const CLOCK_RESOLUTION_MS = 0.001

export class Machine {
  /** Its place in the network. */
  readonly host: number
  /** Index in the authority set; null for a full node. */
  readonly authority: number | null
  readonly character: CharacterName
  readonly genesis: FinalBlock
  readonly log = new SimulatedLog()
  /** How far the wall clock is from simulated time; it may step. */
  skewMs = 0
  /** Nothing can be written until this time: the disk is full. */
  fullUntilMs = 0
  /** The vote log was lost or damaged at some time: no signature may leave this machine any more (R12). */
  voteLogLost = false
  /** The monotonic clock's error: ticks for each simulated millisecond. */
  readonly #rate: number
  #store: SimulatedBlockStore

  constructor(
    host: number,
    authority: number | null,
    character: CharacterName,
    genesis: FinalBlock,
    rate: number,
  ) {
    this.host = host
    this.authority = authority
    this.character = character
    this.genesis = genesis
    this.#rate = rate
    this.#store = new SimulatedBlockStore(genesis)
  }

  /** Follows the rules and has all it signed: what the judge holds to account. */
  get isHonest(): boolean {
    return this.character === 'honest' || this.character === 'lostDisk' || this.character === 'rottenDisk'
  }

  /** Of its authority; null on a full node. */
  get key(): HashHex | null {
    return this.authority === null ? null : simulatedKey(this.authority)
  }

  get store(): SimulatedBlockStore {
    return this.#store
  }

  /** The vote log is gone; in half the cases so are the final blocks. */
  loseDisk(prng: Prng): void {
    this.voteLogLost = true
    this.log.erase()
    if (prng.chance(0.5)) this.#store = new SimulatedBlockStore(this.genesis)
  }

  /** A bit of the vote log flips. */
  rotDisk(prng: Prng): void {
    this.voteLogLost = this.log.rot(prng)
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
