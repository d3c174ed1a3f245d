/**
 * Light verification: what a node answers, checked with nothing trusted but the genesis hash.
 * genesis hash → genesis and first authority set → the sets of later epochs, each named by a block that the set before
 * made final → finalization of a header → its state root → one key's value.
 * Runs in browsers. It proves what was final at the answer's height, and not that there is no later block. Old keys may
 * leak: start from a recent epoch that is known to be right where that matters, and ask several nodes.
 * @module
 */
import {
  authoritySetHash,
  bytesToHex,
  bytesToUtf8,
  Certificate,
  certificateSigners,
  decode,
  decodeKvEntry,
  EpochLink,
  equalBytes,
  fail,
  Genesis,
  GENESIS_BYTES_MAX,
  Header,
  headerHash,
  isFinalizationOf,
  isHeaderOfGenesis,
  kvEntryKey,
  ok,
  utf8ToBytes,
  verifyCertificate,
  verifyKey,
  verifyPortable,
  verifyWarp,
  WARP_LINKS_MAX,
} from '@althing/base'
import type { Epoch, Hash, Result } from '@althing/base'
import { base64ToBytes } from './encoding.ts'
import type { AlthingClient, KvKey } from './client.ts'
import { ApiError } from './error.ts'
import type { CallOptions } from './http.ts'
import type { EpochsJson, GenesisJson, KvJson, StateProofJson } from './types.ts'

/** A chain, known from its genesis hash. */
export interface Trusted {
  readonly networkId: string
  readonly genesisHash: Hash
  readonly genesis: Genesis
  /** The newest epoch that is known: its authorities' finalizations count. */
  readonly epoch: Epoch
  /** Those before it, in order: for answers about older blocks. */
  readonly pastEpochs: readonly Epoch[]
}

/** A header that a quorum of authorities has made final. */
export interface FinalHeader {
  readonly header: Header
  readonly hash: Hash
  /** Indices of the authorities that signed; empty for block 0. */
  readonly signers: readonly number[]
}

export interface ProvedKv {
  /** Null: it is proved that nobody holds the key. */
  readonly entry: {
    readonly value: Uint8Array
    /** Account id. */
    readonly owner: Uint8Array
    /** Height of the block that wrote the value. */
    readonly writtenAt: number
  } | null
  /** The block whose state this was proved in. */
  readonly at: FinalHeader
}

const HEADER_BYTES_MAX = Header.maxSize
const CERTIFICATE_BYTES_MAX = Certificate.maxSize
/** Far above any honest one: siblings of 1.5 KB and one value, or a piece of a graph. */
const STATE_PROOF_BYTES_MAX = 4_194_304

/** Faults: `PROOF_MALFORMED`, `GENESIS_MISMATCH`. */
export function verifyGenesis(answer: GenesisJson, genesisHash: Hash): Result<Trusted> {
  const header = decodeBase64(Header, answer.header, HEADER_BYTES_MAX)
  if (!header.ok) return header
  if (!equalBytes(headerHash(header.value), genesisHash)) {
    const found = bytesToHex(headerHash(header.value))
    return fail('GENESIS_MISMATCH', `the node is on the chain ${found}; expected ${bytesToHex(genesisHash)}`)
  }
  const genesis = decodeBase64(Genesis, answer.genesis, GENESIS_BYTES_MAX)
  if (!genesis.ok) return genesis
  if (!isHeaderOfGenesis(header.value, genesis.value)) {
    return fail('GENESIS_MISMATCH', 'the genesis document is not the one that block 0 commits to')
  }
  const { authorities } = genesis.value
  if (!equalBytes(authoritySetHash(authorities), header.value.nextSet)) {
    return fail('GENESIS_MISMATCH', 'the authorities are not those that block 0 commits to')
  }
  const networkId = bytesToUtf8(genesis.value.networkId)
  if (networkId === null) return fail('PROOF_MALFORMED', 'the network id is not UTF-8')
  const epoch = { epoch: 0, anchor: genesisHash, set: authorities }
  return ok({ networkId, genesisHash, genesis: genesis.value, epoch, pastEpochs: [] })
}

/** Asks the node for its genesis and its epochs and checks them. @throws {ApiError} also with the codes of `verifyGenesis`. */
export async function fetchTrusted(
  client: AlthingClient,
  genesisHash: Hash,
  options?: CallOptions,
): Promise<Trusted> {
  const trusted = verifyGenesis(await client.genesis(options), genesisHash)
  if (!trusted.ok) throw new ApiError(trusted.fault.code, `${client.url.origin}: ${trusted.fault.message}`)
  return followEpochs(client, trusted.value, options)
}

/**
 * Goes on to later epochs. Faults: `PROOF_MALFORMED`, and those of `verifyWarp`.
 * @param answer of the epoch that is trusted, and later ones.
 */
export function verifyEpochs(trusted: Trusted, answer: EpochsJson): Result<Trusted> {
  if (answer.links.length > WARP_LINKS_MAX)
    return fail('PROOF_MALFORMED', `${answer.links.length} epochs at once; at most ${WARP_LINKS_MAX}`)
  const links: EpochLink[] = []
  for (const text of answer.links) {
    const link = decodeBase64(EpochLink, text, EpochLink.maxSize)
    if (!link.ok) return link
    links.push(link.value)
  }
  const later = verifyWarp(trusted.epoch, links, verifyPortable)
  if (!later.ok) return later
  const epochs = [...trusted.pastEpochs, trusted.epoch, ...later.value]
  return ok({ ...trusted, epoch: epochs.at(-1)!, pastEpochs: epochs.slice(0, -1) })
}

/**
 * Asks the node for later epochs and checks them, up to its present one.
 * @throws {ApiError} also with the codes of `verifyEpochs`.
 */
export async function followEpochs(
  client: AlthingClient,
  trusted: Trusted,
  options?: CallOptions,
): Promise<Trusted> {
  let known = trusted
  for (;;) {
    const answer = await client.epochs(known.epoch.epoch, options)
    if (answer.links.length === 0) return known
    const next = verifyEpochs(known, answer)
    if (!next.ok) throw new ApiError(next.fault.code, `${client.url.origin}: ${next.fault.message}`)
    known = next.value
  }
}

/**
 * Faults: `EPOCH_UNKNOWN`, `CERTIFICATE_OTHER_BLOCK`, and those of `verifyCertificate`.
 * @param certificate finalization of exactly this header; null is enough for block 0.
 */
export function verifyFinal(
  header: Header,
  certificate: Certificate | null,
  epoch: Epoch,
): Result<FinalHeader> {
  const hash = headerHash(header)
  if (equalBytes(hash, epoch.anchor)) return ok({ header, hash, signers: [] })
  if (header.epoch !== epoch.epoch) {
    return fail(
      'EPOCH_UNKNOWN',
      `the block is of epoch ${header.epoch}; the known authorities are of ${epoch.epoch}`,
    )
  }
  if (certificate === null || !isFinalizationOf(certificate, hash)) {
    return fail('CERTIFICATE_OTHER_BLOCK', 'the certificate does not finalize this block')
  }
  const checked = verifyCertificate(certificate, epoch, verifyPortable)
  if (!checked.ok) return checked
  return ok({ header, hash, signers: certificateSigners(certificate, epoch.set.length) ?? [] })
}

/**
 * That the state that a proof is about is the final one of `height`; what it says of the state is for the caller.
 * Faults: `PROOF_MALFORMED`, `ANSWER_NOT_PROVED`, and those of `verifyFinal`.
 */
export function verifyStateProof(
  proof: StateProofJson,
  height: number,
  trusted: Trusted,
): Result<{ readonly at: FinalHeader; readonly state: Uint8Array }> {
  const header = decodeBase64(Header, proof.header, HEADER_BYTES_MAX)
  if (!header.ok) return header
  const certificate = decodeOptional(proof.certificate)
  if (!certificate.ok) return certificate
  const { epoch } = header.value
  const known = trusted.pastEpochs.find((past) => past.epoch === epoch) ?? trusted.epoch
  const at = verifyFinal(header.value, certificate.value, known)
  if (!at.ok) return at
  if (height !== header.value.height) return notProved('height')
  const state = base64ToBytes(proof.state)
  if (state === null || state.length > STATE_PROOF_BYTES_MAX) {
    return fail('PROOF_MALFORMED', `the state proof is not base64 of at most ${STATE_PROOF_BYTES_MAX} bytes`)
  }
  return ok({ at: at.value, state })
}

/**
 * The value of `key`, or its absence, with a proof that holds.
 * Every field of the answer must agree with what is proved, so that none can be wrong unnoticed.
 * Faults: `PROOF_MISSING`, `PROOF_MALFORMED`, `PROOF_MISMATCH`, `ANSWER_NOT_PROVED`, and those of `verifyFinal`.
 */
export function verifyKv(key: KvKey, answer: KvJson, trusted: Trusted): Result<ProvedKv> {
  if (answer.proof === null) return fail('PROOF_MISSING', 'the answer carries no proof')
  const checked = verifyStateProof(answer.proof, answer.height, trusted)
  if (!checked.ok) return checked
  const { at, state } = checked.value
  const stateKey = kvEntryKey(typeof key === 'string' ? utf8ToBytes(key) : key)
  const proved = verifyKey(at.header.stateRoot, stateKey, state)
  if (!proved.ok) return proved

  if (proved.value.value === null) {
    return answer.exists || answer.value !== null || answer.owner !== null
      ? notProved('value')
      : ok({ entry: null, at })
  }
  const entry = decodeKvEntry(proved.value.value)
  if (!entry.ok) return entry
  const { owner, height, value } = entry.value
  const answered = answer.value === null ? null : base64ToBytes(answer.value)
  if (!answer.exists || answered === null || !equalBytes(answered, value)) return notProved('value')
  if (answer.owner !== bytesToHex(owner)) return notProved('owner')
  return ok({ entry: { value, owner, writtenAt: height }, at })
}

function notProved(field: string): Result<never> {
  return fail('ANSWER_NOT_PROVED', `the answer's ${field} is not the one that its proof shows`)
}

function decodeOptional(certificate: string | null): Result<Certificate | null> {
  return certificate === null ? ok(null) : decodeBase64(Certificate, certificate, CERTIFICATE_BYTES_MAX)
}

function decodeBase64<T>(type: Parameters<typeof decode<T>>[0], text: string, bytesMax: number): Result<T> {
  const bytes = base64ToBytes(text)
  if (bytes === null) return fail('PROOF_MALFORMED', `${type.typeName} is not base64`)
  const decoded = decode(type, bytes, bytesMax)
  return decoded.ok ? decoded : fail('PROOF_MALFORMED', decoded.fault.message)
}
