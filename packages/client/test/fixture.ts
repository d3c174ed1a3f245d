/**
 * A chain of four authorities with one key in its state, made by hand: enough to answer like a node does.
 * @module
 */
import {
  AUTHORITY_RULES_DEFAULT,
  authoritySetHash,
  BLOCK_VERSION,
  bytesToHex,
  Certificate,
  concatBytes,
  FINALIZE,
  Genesis,
  GENESIS_VERSION,
  genesisHeader,
  Header,
  headerHash,
  KvEntry,
  kvEntryKey,
  makeCertificate,
  NO_NEXT_SET,
  POLICY_OPEN,
  portableSigner,
  sha256,
  transactionsRoot,
  utf8ToBytes,
  voteSignBytes,
  ZERO_HASH,
} from '@althing/base'
import type { EpochLink, Hash, Signer } from '@althing/base'
import { bytesToBase64 } from '../src/index.ts'
import type { GenesisJson, KvJson } from '../src/index.ts'

export const authorities = [1, 2, 3, 4].map((i) => portableSigner(new Uint8Array(32).fill(i)))
export const owner = portableSigner(new Uint8Array(32).fill(9))

export const genesis: Genesis = {
  version: GENESIS_VERSION,
  networkId: utf8ToBytes('test'),
  timestamp: 1_700_000_000_000,
  authorities: authorities.map(({ publicKey }) => ({ key: publicKey, weight: 1 })),
  allocations: [{ account: owner.publicKey, balance: 1_000n }],
  members: [],
  policy: POLICY_OPEN,
  feeSink: ZERO_HASH,
  feeMin: 1n,
  intervalMs: 500,
  idleIntervalMs: 30_000,
  blockBytesMax: 1_048_576,
  authorityRules: AUTHORITY_RULES_DEFAULT,
}

const header0 = genesisHeader(genesis, ZERO_HASH)
export const genesisHash: Hash = headerHash(header0)

export const genesisAnswer: GenesisJson = {
  network_id: 'test',
  genesis_hash: bytesToHex(genesisHash),
  genesis: bytesToBase64(Genesis.serialize(genesis)),
  header: bytesToBase64(Header.serialize(header0)),
}

export const key = 'greeting'
export const value = utf8ToBytes('hello')
const stateKey = kvEntryKey(utf8ToBytes(key))
const stateValue = KvEntry.serialize({ owner: owner.publicKey, height: 6, value })

/** Of a state that holds this one entry (H1 of the trie). */
const stateRoot = sha256(concatBytes(Uint8Array.of(0, 0, stateKey.length), stateKey, sha256(stateValue)))
const leaf = concatBytes(Uint8Array.of(1, 0, 0, stateKey.length), stateKey)
const presence = concatBytes(leaf, Uint8Array.of(stateValue.length), stateValue)
const absence = concatBytes(leaf, sha256(stateValue))

export const header: Header = {
  version: BLOCK_VERSION,
  epoch: 0,
  height: 7,
  parent: sha256(utf8ToBytes('parent')),
  view: 8,
  proposer: 0,
  timestamp: 1_700_000_007_000,
  txRoot: transactionsRoot([]),
  stateRoot,
  nextSet: NO_NEXT_SET,
}

/** @param signers indices of the authorities that vote for it. @param by the authorities of the epoch, in order. */
export function finalize(
  of: Header,
  signers: readonly number[],
  anchor = genesisHash,
  by: readonly Signer[] = authorities,
): Certificate {
  const { epoch, view } = of
  const hash = headerHash(of)
  const message = voteSignBytes(FINALIZE, anchor, epoch, view, hash)
  const signatures = new Map(signers.map((index) => [index, by[index]!.sign(message)]))
  return makeCertificate({ kind: FINALIZE, epoch, view, hash }, by.length, signatures)
}

export const certificate = finalize(header, [0, 2, 3])

const proofOf = (state: Uint8Array): NonNullable<KvJson['proof']> => ({
  header: bytesToBase64(Header.serialize(header)),
  certificate: bytesToBase64(Certificate.serialize(certificate)),
  state: bytesToBase64(state),
})

export const presentAnswer: KvJson = {
  key,
  exists: true,
  value: bytesToBase64(value),
  owner: bytesToHex(owner.publicKey),
  height: 7,
  proof: proofOf(presence),
}

export const absentKey = 'nobody'
export const absentAnswer: KvJson = {
  key: absentKey,
  exists: false,
  value: null,
  owner: null,
  height: 7,
  proof: proofOf(absence),
}

/** The authorities of epoch 1: one has gone, another has come. */
export const nextAuthorities = [portableSigner(new Uint8Array(32).fill(5)), ...authorities.slice(1)]
const nextSet = nextAuthorities.map(({ publicKey }) => ({ key: publicKey, weight: 1 }))
const last: Header = { ...header, height: 20, view: 21, nextSet: authoritySetHash(nextSet) }
export const link: EpochLink = { header: last, nextSet, finalization: finalize(last, [0, 1, 2]) }
/** Of epoch 1. */
export const laterHeader: Header = { ...header, epoch: 1, height: 21, parent: headerHash(last), view: 1 }
export const laterCertificate = finalize(laterHeader, [0, 1, 2], headerHash(last), nextAuthorities)
