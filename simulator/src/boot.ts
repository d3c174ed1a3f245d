/**
 * What the program does before it starts: it reads back the log of each of its keys, or makes one with a marker (R12).
 * @module
 */
import { assert, equalBytes } from '@althing/base'
import type { Epoch, HashHex, Signer } from '@althing/base'
import type { Consensus, ConsensusPorts, RestoredLog, VoteLogRecord } from '@althing/chain'
import type { SimulatedExecutor } from './executor.ts'
import { simulatedSigner } from './keys.ts'
import type { KeyOnDisk, Machine } from './machine.ts'
import type { Surroundings } from './process.ts'
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

export function makeCore(machine: Machine, executor: SimulatedExecutor, world: Surroundings): Consensus {
  const { chain, config, prng, verify } = world
  const ports: ConsensusPorts = { executor, finalBlocks: machine.store, verify, random: () => prng.next() }
  const keys = machine.keys.map((key) => ({
    signer: watchedSigner(machine, key, world),
    log: restoreLog(machine, key, world),
  }))
  const [first, ...others] = keys
  if (first === undefined) return new chain.Consensus(config, ports, null)
  return new chain.Consensus(config, { ...ports, signer: first.signer }, first.log, others)
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

function restoreLog(machine: Machine, key: KeyOnDisk, { chain, prng, tally }: Surroundings): RestoredLog {
  const { log } = key
  const identity = { genesis: machine.genesis.hash, key: simulatedSigner(key.index).publicKey }
  const replay = chain.replayVoteLog(identity, log.read())
  if (replay.intact) {
    if (key.isDamaged) throw new Violation('R12: damage of the vote log was not found')
    if (replay.tornBytes > 0) {
      log.cutTail(replay.tornBytes)
      tally.reached('tornTailDiscarded')
    }
    const floor = machine.store.finalizationAt(machine.store.height) ?? { epoch: 0, view: 0 }
    const records = replay.log.segments.flatMap((segment) => segment.records)
    const isAboveFloor = (record: VoteLogRecord): boolean =>
      record.kind === 'vote' && record.vote.epoch >= floor.epoch && record.vote.view > floor.view
    if (records.some(isAboveFloor)) tally.reached('ownVotesReplayed')
    return replay.log
  }
  if (!key.isDamaged) throw new Violation(`R12: an intact vote log was taken for damaged: ${replay.reason}`)
  key.isDamaged = false
  const marker = { nonce: prng.bytes(REJOIN_NONCE_BYTES), reason: replay.reason }
  log.startSegment(replay.nextSequence, chain.createVoteLog(identity, marker, replay.nextSequence))
  log.sync(log.writtenBytes)
  log.forget(replay.nextSequence)
  const renewed = chain.replayVoteLog(identity, log.read())
  assert(renewed.intact, 'a new vote log is intact')
  return renewed.log
}
