/**
 * What a plan's network starts from.
 * @module
 */
import {
  BLOCK_VERSION,
  bytesToHex,
  faultyWeightMax,
  headerHash,
  NO_NEXT_SET,
  transactionsRoot,
  ZERO_HASH,
} from '@althing/base'
import type { Epoch, Header } from '@althing/base'
import type { ConsensusConfig, FinalBlock } from '@althing/chain'
import { GENESIS_STATE_ROOT } from './executor.ts'
import { simulatedSigner } from './keys.ts'
import type { LedgerRules } from './ledger-rules.ts'
import { Machine, WALL_START_MS } from './machine.ts'
import type { CharacterName, Plan } from './plan.ts'
import { Prng, STREAM } from './prng.ts'

/** Small, so that a run goes through several segments of the vote log. */
export const SEGMENT_BYTES_MAX = 10_000
const BLOCK_BYTES_MAX = 65_536
/** Numbers of the keys that authorities change to, and of those who may become authorities. */
const SPARE_KEYS = 100
const CANDIDATE_KEYS = 50
/** The set never changes, and the epoch never ends. */
export const ONE_EPOCH: LedgerRules = {
  epochLengthMin: Number.POSITIVE_INFINITY,
  epochLengthMax: Number.POSITIVE_INFINITY,
  isSane: () => true,
}
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

/** One for each authority, a second one for each that has a twin, the candidates, and the full node's at the end. */
export function makeMachines(plan: Plan, genesis: FinalBlock): Machine[] {
  const prng = new Prng(plan.seed, STREAM.clocks)
  const disks = new Prng(plan.seed, STREAM.disks)
  const machines: Machine[] = []
  const add = (keys: readonly number[], character: CharacterName): void => {
    const rate = 1 + prng.between(-CLOCK_RATE_ERROR, CLOCK_RATE_ERROR)
    machines.push(new Machine(machines.length, keys, character, genesis, rate, disks))
  }
  const spareKey = (key: number): number[] =>
    plan.epochs !== null && plan.epochs.keysChange ? [key, key + SPARE_KEYS] : [key]
  for (const [key, character] of plan.characters.entries())
    add(character === 'honest' ? spareKey(key) : [key], character)
  for (const [key, character] of plan.characters.entries()) if (character === 'twins') add([key], character)
  for (let i = 0; i < (plan.epochs?.candidates ?? 0); i++) add(spareKey(CANDIDATE_KEYS + i), 'honest')
  if (plan.fullNodeAtMs !== null) add([], 'honest')
  return machines
}

/** @param machines whose faulty ones may have a weight of f in every set, and none of which is in it twice. */
export function makeRules({ epochs }: Plan, machines: readonly Machine[]): LedgerRules {
  if (epochs === null) return ONE_EPOCH
  const machineByKey = new Map(machines.flatMap((machine) => machine.keys.map(({ hex }) => [hex, machine])))
  const { lengthMin, lengthMax } = epochs
  return {
    epochLengthMin: lengthMin,
    epochLengthMax: lengthMax,
    isSane: (set) => {
      const members = set.map(({ key, weight }) => ({ weight, machine: machineByKey.get(bytesToHex(key))! }))
      const faulty = members.filter(({ machine }) => machine.character !== 'honest')
      const faultyWeight = faulty.reduce((sum, { weight }) => sum + weight, 0)
      const isOnce = new Set(members.map(({ machine }) => machine)).size === members.length
      return isOnce && faultyWeight <= faultyWeightMax(set)
    },
  }
}
