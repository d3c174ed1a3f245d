/**
 * The chain that goes on: its genesis and state, made from the old one's, signed by those who remain, and taken in by
 * every node.
 * N1  a node takes in only what all authorities of the new chain have signed, and whose state has the root that the
 *     genesis says
 * N2  an authority that voted for a block which the new chain leaves out neither signs nor takes it in
 * @module
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { bytesToHex, equalBytes, hexToBytes, ROTATION_PERFORMANCE, utf8ToBytes } from '@althing/base'
import type { AuthoritySet, Genesis, Signer } from '@althing/base'
import { genesisProblems, genesisToFile, recoveredState, StateTree } from '@althing/ledger'
import type { NodeConfig } from '../config/index.ts'
import { voteLogFolder } from '../consensus/authority-keys.ts'
import { createVoteLogFiles, readVoteLogFiles } from '../consensus/vote-log-segments.ts'
import { verifyNative } from '../crypto/ed25519.ts'
import { chainOf } from '../genesis-state.ts'
import type { Chain } from '../genesis-state.ts'
import { openLmdbStore } from '../store/lmdb.ts'
import { RecoveryError } from './error.ts'
import { comparePositions } from './old-chain.ts'
import type { Base, Claim } from './old-chain.ts'
import { recoveredToFile, recoverySignBytes } from './recovered.ts'
import type { Recovered } from './recovered.ts'
import { readStateFile, writeStateFile } from './state-file.ts'

export const GENESIS_NAME = 'genesis.json'
const STATE_NAME = 'state.bin'
const SIGNATURES_NAME = 'signatures'
/** Changes of the state that are held at a time while it is read. */
const CHANGES_AT_ONCE = 50_000

export interface Plan {
  readonly networkId: string
  /** Keys of those who remain. */
  readonly authorities: readonly Uint8Array[]
  readonly nowMs: number
}

/** Writes genesis and state into a new folder. @throws {RecoveryError} */
export function writeProposal(folder: string, old: Chain, base: Base, plan: Plan): Chain {
  if (plan.networkId === old.networkId)
    throw new RecoveryError(
      'RECOVERY_REFUSED',
      `The new network needs an id of its own, not "${old.networkId}".`,
    )
  const genesis = newGenesis(old, base, plan)
  const state = recoveredState(base.tree, base.state, genesis)
  const recovered: Recovered = {
    networkId: old.networkId,
    genesis: old.hash,
    height: base.height,
    block: base.block,
    ...base.position,
    stateRoot: base.tree.root(state),
  }
  mkdirSync(folder)
  writeStateFile(join(folder, STATE_NAME), base.tree.entries(state))
  const file = { ...genesisToFile(genesis), recovered: recoveredToFile(recovered) }
  writeFileSync(join(folder, GENESIS_NAME), `${JSON.stringify(file, null, 2)}\n`)
  mkdirSync(join(folder, SIGNATURES_NAME))
  return chainOf(genesis, recovered)
}

function newGenesis({ genesis }: Chain, { set, timestamp }: Base, plan: Plan): Genesis {
  const authorities = set.filter(({ key }) =>
    plan.authorities.some((remaining) => equalBytes(remaining, key)),
  )
  const stranger = plan.authorities.find((key) => !set.some((one) => equalBytes(one.key, key)))
  if (stranger !== undefined)
    throw new RecoveryError(
      'RECOVERY_REFUSED',
      `${bytesToHex(stranger)} is not an authority of the old chain.`,
    )
  const rules = genesis.authorityRules
  const made: Genesis = {
    ...genesis,
    networkId: utf8ToBytes(plan.networkId),
    timestamp: Math.max(plan.nowMs, timestamp + genesis.intervalMs),
    authorities,
    allocations: [],
    members: [],
    authorityRules:
      rules.rotation === ROTATION_PERFORMANCE
        ? { ...rules, setMin: Math.min(rules.setMin, authorities.length) }
        : rules,
  }
  const problem = genesisProblems(made)[0]
  if (problem === undefined) return made
  const text = `${problem.path}: found ${problem.found}, expected ${problem.expected}`
  throw new RecoveryError('RECOVERY_REFUSED', `No chain can start on what remains: ${text}.`)
}

/** @throws {RecoveryError} `RECOVERY_REFUSED` N2. */
export function checkClaim(claim: Claim, next: Chain): void {
  const recovered = recoveredOf(next)
  if (!equalBytes(claim.genesis, recovered.genesis))
    throw new RecoveryError(
      'RECOVERY_REFUSED',
      'The new network goes on from another chain than that of this node.',
    )
  const open = claim.voted
  if (open !== null && comparePositions(open, recovered) > 0) {
    throw new RecoveryError(
      'RECOVERY_REFUSED',
      `This authority voted in epoch ${open.epoch}, view ${open.view} to make ${bytesToHex(open.block)} final, and the new network leaves that out. Propose again with what "althing recover inspect" says here.`,
    )
  }
  if (comparePositions(claim.finalized, recovered) > 0)
    throw new RecoveryError(
      'RECOVERY_REFUSED',
      `Here block ${claim.height} is final, and the new network goes on from block ${recovered.height}. Propose again on this node.`,
    )
}

export function signProposal(folder: string, next: Chain, signer: Signer): void {
  const key = bytesToHex(signer.publicKey)
  if (!next.genesis.authorities.some((one) => equalBytes(one.key, signer.publicKey)))
    throw new RecoveryError('RECOVERY_REFUSED', `${key} is not an authority of the new network.`)
  const signature = bytesToHex(signer.sign(recoverySignBytes(recoveredOf(next).genesis, next.hash)))
  const file = join(folder, SIGNATURES_NAME, `${key}.json`)
  writeFileSync(file, `${JSON.stringify({ key, signature }, null, 2)}\n`)
}

/** Authorities of the new chain who have not signed. */
export function missingSignatures(folder: string, next: Chain): AuthoritySet {
  const message = recoverySignBytes(recoveredOf(next).genesis, next.hash)
  const signatures = join(folder, SIGNATURES_NAME)
  const files = existsSync(signatures) ? readdirSync(signatures) : []
  const signed = files.flatMap((name) => {
    try {
      const { key, signature } = JSON.parse(readFileSync(join(signatures, name), 'utf8')) as Record<
        string,
        string
      >
      const [keyBytes, bytes] = [hexToBytes(key ?? ''), hexToBytes(signature ?? '')]
      return keyBytes !== null && bytes !== null && verifyNative(keyBytes, message, bytes) ? [keyBytes] : []
    } catch {
      return []
    }
  })
  return next.genesis.authorities.filter(({ key }) => !signed.some((one) => equalBytes(one, key)))
}

/**
 * Puts the new chain in place of the old one: the data folder is kept beside, as `….before-recovery`.
 * @param key of this node's authority, when it is one of the new chain.
 * @returns where the old data is now; null when there was none.
 * @throws {RecoveryError} `RECOVERY_FILE_INVALID` when the state is not that of the genesis.
 */
export async function install(
  config: NodeConfig,
  folder: string,
  next: Chain,
  key: Uint8Array | null,
): Promise<string | null> {
  const { dataFolder, genesisFile, versionsKept } = config.node
  const draft = `${dataFolder}.recovering`
  rmSync(draft, { recursive: true, force: true })
  const store = await openLmdbStore(draft, {
    networkId: next.networkId,
    genesisHash: next.hash,
    versionsKept,
  })
  try {
    const tree = new StateTree(store, null, { nextId: store.nextId })
    const state = readState(tree, join(folder, STATE_NAME))
    if (!equalBytes(tree.root(state), recoveredOf(next).stateRoot))
      throw new RecoveryError(
        'RECOVERY_FILE_INVALID',
        `${join(folder, STATE_NAME)} is not the state of this genesis.`,
      )
    const block = { block: next.block, hash: next.hash, receipts: [] }
    await store.commit({ blocks: [block], finalization: null, tree: tree.commit(state) })
  } finally {
    await store.close()
  }
  const isOwnKey = key !== null && next.genesis.authorities.some((one) => equalBytes(one.key, key))
  // Only where the votes of the old chain are: anywhere else the key may have voted on the new one already (R12).
  if (isOwnKey && readVoteLogFiles(voteLogFolder(dataFolder, key)).length > 0)
    createVoteLogFiles(voteLogFolder(draft, key), { genesis: next.hash, key })
  const kept = existsSync(dataFolder) ? `${dataFolder}.before-recovery-${Date.now()}` : null
  if (kept !== null) renameSync(dataFolder, kept)
  renameSync(draft, dataFolder)
  if (existsSync(genesisFile)) renameSync(genesisFile, `${genesisFile}.before-recovery-${Date.now()}`)
  copyFileSync(join(folder, GENESIS_NAME), genesisFile)
  return kept
}

function readState(tree: StateTree, file: string): StateTree['head'] {
  let state = tree.head
  let changes = []
  try {
    for (const change of readStateFile(file)) {
      changes.push(change)
      if (changes.length < CHANGES_AT_ONCE) continue
      state = tree.update(state, changes)
      changes = []
    }
  } catch (cause) {
    throw new RecoveryError(
      'RECOVERY_FILE_INVALID',
      `The state cannot be read: ${(cause as Error).message}.`,
      { cause },
    )
  }
  return tree.update(state, changes)
}

/** @throws {RecoveryError} for a genesis that goes on from nothing. */
export function recoveredOf({ recovered, networkId }: Chain): Recovered {
  if (recovered !== null) return recovered
  throw new RecoveryError(
    'RECOVERY_FILE_INVALID',
    `The genesis of "${networkId}" goes on from no other chain.`,
  )
}
