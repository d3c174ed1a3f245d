/**
 * What the program does before it starts: it reads back the log of each of its keys, by the code
 * of the real node, or makes one with a marker (R12).
 * @module
 */
import { equalBytes } from '@althing/base'
import type { Epoch, HashHex, Signer } from '@althing/base'
import type { Consensus, ConsensusPorts, VoteLogRecord } from '@althing/chain'
import { createVoteLogFiles, openSegments } from 'althing/vote-log'
import type { OpenedSegments, SegmentFiles, VoteLogPorts } from 'althing/vote-log'
import type { SimulatedExecutor } from './executor.ts'
import { simulatedSigner } from './keys.ts'
import type { KeyOnDisk, Machine } from './machine.ts'
import type { ChainModule, Surroundings } from './process.ts'
import { KeySignatures } from './signature-book.ts'
import { Violation } from './violation.ts'

const REJOIN_NONCE_BYTES = 32

/** The first key of a machine that is in an epoch's set. */
export function seatOf({ keys }: Machine, { set }: Epoch): { index: number; key: HashHex | null } {
  for (const { index: signer, hex } of keys) {
    const { publicKey } = simulatedSigner(signer)
    const index = set.findIndex((member) => equalBytes(member.key, publicKey))
    if (index >= 0) return { index, key: hex }
  }
  return { index: -1, key: null }
}

/** The program's consensus core, and the files that its logs are appended to, in the order of the machine's keys. */
export interface Booted {
  readonly core: Consensus
  readonly logs: readonly SegmentFiles[]
}

/** @throws {PowerFailure} @throws {DiskFull} */
export function boot(machine: Machine, executor: SimulatedExecutor, world: Surroundings): Booted {
  const { chain, config, prng, verify } = world
  const ports: ConsensusPorts = { executor, finalBlocks: machine.store, verify, random: () => prng.next() }
  const opened = machine.keys.map((key) => openLog(machine, key, world))
  const keys = opened.map(({ log }, position) => {
    const signer = watchedSigner(machine, machine.keys[position]!, world)
    return { signer, log }
  })
  const [first, ...others] = keys
  const core =
    first === undefined
      ? new chain.Consensus(config, ports, null)
      : new chain.Consensus(config, { ...ports, signer: first.signer }, first.log, others)
  return { core, logs: opened.map(({ segments }) => segments) }
}

/** Makes the logs of a machine's keys, before the first start. */
export function createLogs({ keys, genesis, disk }: Machine, chain: ChainModule): void {
  for (const { index, folder } of keys) {
    const identity = { genesis: genesis.hash, key: simulatedSigner(index).publicKey }
    createVoteLogFiles(folder, identity, { disk, codec: chain, nonce: noNonce })
  }
}

/** The judge looks on. */
function watchedSigner(machine: Machine, key: KeyOnDisk, { judge, tally }: Surroundings): Signer {
  const signer = simulatedSigner(key.index)
  if (!machine.isHonest) return signer
  const signed = new KeySignatures()
  return {
    publicKey: signer.publicKey,
    sign(message) {
      judge.signing(machine.host, key, signed, message)
      if (key.lostInEpoch >= 0) tally.reached('rejoined')
      return signer.sign(message)
    },
  }
}

function openLog(machine: Machine, key: KeyOnDisk, { chain, prng, tally }: Surroundings): OpenedSegments {
  const { genesis, disk, store } = machine
  const identity = { genesis: genesis.hash, key: simulatedSigner(key.index).publicKey }
  const codec: VoteLogPorts['codec'] = {
    ...chain,
    replayVoteLog: (...log) => {
      const replay = chain.replayVoteLog(...log)
      if (replay.intact && replay.tornBytes > 0) tally.reached('tornTailDiscarded')
      return replay
    },
  }
  const nonce = (): Uint8Array => prng.bytes(REJOIN_NONCE_BYTES)
  const opened = openSegments(key.folder, identity, { disk, codec, nonce })
  // A start that the power cut short may have found it before.
  const isMarked = opened.damage !== null || opened.log.rejoin !== null
  if (key.isDamaged && !isMarked) throw new Violation('R12: damage of the vote log was not found')
  if (opened.damage !== null && !key.isDamaged)
    throw new Violation(`R12: an intact vote log was taken for damaged: ${opened.damage}`)
  key.isDamaged = false
  const floor = store.finalizationAt(store.height) ?? { epoch: 0, view: 0 }
  const records = opened.log.segments.flatMap((segment) => segment.records)
  const isAboveFloor = (record: VoteLogRecord): boolean =>
    record.kind === 'vote' && record.vote.epoch >= floor.epoch && record.vote.view > floor.view
  if (records.some(isAboveFloor)) tally.reached('ownVotesReplayed')
  return opened
}

function noNonce(): never {
  throw new RangeError('a new log needs no nonce')
}
