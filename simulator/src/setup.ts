/**
 * What a plan's network starts from.
 * @module
 */
import { BLOCK_VERSION, headerHash, NO_NEXT_SET, transactionsRoot, ZERO_HASH } from '@althing/base'
import type { Epoch, Header } from '@althing/base'
import type { ConsensusConfig, FinalBlock } from '@althing/chain'
import { GENESIS_STATE_ROOT } from './executor.ts'
import { simulatedSigner } from './keys.ts'
import { Machine, WALL_START_MS } from './machine.ts'
import type { Plan } from './plan.ts'
import { Prng, STREAM } from './prng.ts'

/** Small, so that a run goes through several segments of the vote log. */
export const SEGMENT_BYTES_MAX = 30_000
const BLOCK_BYTES_MAX = 65_536
/** Of the monotonic clocks; crystals are better. */
const CLOCK_RATE_ERROR = 0.001

export function makeGenesis({ weights }: Pick<Plan, 'weights'>): { epoch: Epoch; genesis: FinalBlock } {
  const header: Header = {
    version: BLOCK_VERSION,
    epoch: 0,
    height: 0,
    parent: ZERO_HASH,
    view: 0,
    proposer: 0,
    timestamp: WALL_START_MS - 1_000,
    txRoot: transactionsRoot([]),
    stateRoot: GENESIS_STATE_ROOT,
    nextSet: NO_NEXT_SET,
  }
  const hash = headerHash(header)
  const set = weights.map((weight, index) => ({ key: simulatedSigner(index).publicKey, weight }))
  return {
    epoch: { epoch: 0, anchor: hash, set },
    genesis: { block: { header, transactions: [], nextSet: [] }, hash },
  }
}

export function makeConfig(
  { timing, chainReplyBytesMax }: Pick<Plan, 'timing' | 'chainReplyBytesMax'>,
  epoch: Epoch,
): ConsensusConfig {
  const { intervalMs, idleIntervalMs, timeoutBaseMs, timeoutMaxMs, driftMs, retransmitMs } = timing
  return {
    epoch,
    intervalMs,
    idleIntervalMs,
    timeoutBaseMs,
    timeoutMaxMs,
    driftMs,
    retransmitMs,
    chainReplyBytesMax,
    blockBytesMax: BLOCK_BYTES_MAX,
    segmentBytesMax: SEGMENT_BYTES_MAX,
  }
}

/** One for each authority, a second one for each that has a twin, and the full node's at the end. */
export function makeMachines(plan: Plan, genesis: FinalBlock): Machine[] {
  const prng = new Prng(plan.seed, STREAM.clocks)
  const machines: Machine[] = []
  const add = (authority: number | null): void => {
    const rate = 1 + prng.between(-CLOCK_RATE_ERROR, CLOCK_RATE_ERROR)
    const character = authority === null ? 'honest' : plan.characters[authority]!
    machines.push(new Machine(machines.length, authority, character, genesis, rate))
  }
  for (const authority of plan.characters.keys()) add(authority)
  for (const [authority, character] of plan.characters.entries()) if (character === 'twins') add(authority)
  if (plan.fullNodeAtMs !== null) add(null)
  return machines
}
