/**
 * What must hold in every run, whatever the faults, as long as at most f authorities are Byzantine or lost a disk.
 * Checked at each signature, at each message that leaves an honest host and at each commit:
 * O1  all commits ever made by honest hosts, also across crashes, form one chain without gaps
 * O2  a committed finalization satisfies a light client, and is of the last block of its batch
 * O3  no two conflicting honest signatures leave: N/N or F/F with different hashes, or U with F, in one view
 *     nor does an honest process sign what R1 forbids after what it signed, or what has left in an earlier life
 * O4  no view has certificates for two blocks, nor both a nullification and a finalization
 * O5  no certificate that leaves an honest host is invalid
 * O6  evidence names Byzantine authorities only; no honest host is charged by another, or halts
 * O7  the view of a process never moves back, and the messages that an honest host sends are bounded
 * The world adds, in liveness mode: O8 progress within a bound, with bounded logs and states
 * @module
 */
import {
  bytesToHex,
  certificateSigners,
  FINALIZE,
  HASH_BYTES,
  headerHash,
  isFinalizationOf,
  NOTARIZE,
  NULLIFY,
  verifyCertificate,
} from '@althing/base'
import type { Certificate, Epoch, HashHex, Verify, Vote } from '@althing/base'
import type { ConsensusMessage, FinalBlock } from '@althing/chain'

/** A run broke what must always hold. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** What one authority signed in one view. */
interface SignedInView {
  notarize?: HashHex
  nullify?: true
  finalize?: HashHex
}

/** Signatures of one life of a process. */
export type SignedByView = Map<number, SignedInView>

interface CertifiedInView {
  notarization?: HashHex
  nullification?: true
  finalization?: HashHex
}

export class Judge {
  readonly #epoch: Epoch
  readonly #verify: Verify
  readonly #isHonest: (authority: number) => boolean
  readonly #canonical: HashHex[]
  readonly #heightByHost = new Map<number, number>()
  readonly #leftByAuthority: SignedByView[]
  readonly #certifiedByView = new Map<number, CertifiedInView>()
  #finalizedView = 0
  readonly #valid = new WeakSet<Certificate>()

  constructor(epoch: Epoch, genesis: FinalBlock, verify: Verify, isHonest: (authority: number) => boolean) {
    this.#epoch = epoch
    this.#verify = verify
    this.#isHonest = isHonest
    this.#canonical = [bytesToHex(genesis.hash)]
    this.#leftByAuthority = epoch.set.map(() => new Map())
  }

  /** Of the longest chain that an honest host committed. */
  get height(): number {
    return this.#canonical.length - 1
  }

  /** The highest view whose finalization was committed. */
  get finalizedView(): number {
    return this.#finalizedView
  }

  /** Views that got both a notarization and a nullification: rare, and benign. */
  get viewsNotarizedAndNullified(): number {
    let count = 0
    for (const { notarization, nullification } of this.#certifiedByView.values()) {
      if (notarization !== undefined && nullification) count++
    }
    return count
  }

  /** An honest host starts with these final blocks (O1 across restarts). */
  hostStarted(host: number, durableHeight: number): void {
    this.#heightByHost.set(host, durableHeight)
  }

  /** R1, at the moment of signing. @param signed by this process so far. */
  signing(authority: number, signed: SignedByView, signBytes: Uint8Array): void {
    const { kind, view, hash } = readSignBytes(signBytes)
    const left = this.#leftByAuthority[authority]!.get(view) ?? {}
    const own = signed.get(view) ?? {}
    const has = (vote: keyof SignedInView): boolean => own[vote] !== undefined || left[vote] !== undefined
    const forbidden =
      (kind === NOTARIZE && (own.notarize !== undefined || has('nullify'))) ||
      (kind === NULLIFY && (own.nullify !== undefined || has('finalize'))) ||
      (kind === FINALIZE && (own.finalize !== undefined || has('nullify')))
    if (forbidden) {
      const before = Object.keys({ ...left, ...own }).join(', ')
      throw new Violation(
        `O3: authority ${authority} signs kind ${kind} in view ${view} after ${before} (R1)`,
      )
    }
    if (kind === NOTARIZE) own.notarize = hash
    else if (kind === NULLIFY) own.nullify = true
    else own.finalize = hash
    signed.set(view, own)
  }

  /** @param authority of the honest sender; null on a full node. */
  messageLeft(authority: number | null, message: ConsensusMessage): void {
    switch (message.kind) {
      case 'vote':
        this.#voteLeft(authority, message.vote)
        break
      case 'certificate':
        this.#certificateLeft(message.certificate)
        break
      case 'proposal': {
        const { header } = message.proposal.block
        if (header.proposer === authority) {
          this.#signatureLeft(authority, NOTARIZE, message.proposal.view, bytesToHex(headerHash(header)))
        }
        message.proposal.parentCertificate.forEach((certificate) => this.#certificateLeft(certificate))
        message.proposal.nullCertificates.forEach((certificate) => this.#certificateLeft(certificate))
        break
      }
      case 'chain':
        this.#certificateLeft(message.reply.finalization)
        break
      default:
    }
  }

  /** @param finalization null when a later block's makes these final (R10). */
  committed(host: number, blocks: readonly FinalBlock[], finalization: Certificate | null): void {
    if (finalization !== null) {
      this.#finalizedView = Math.max(this.#finalizedView, finalization.view)
      this.#certificateLeft(finalization)
      const last = blocks.at(-1)
      if (last === undefined || !isFinalizationOf(finalization, last.hash)) {
        throw new Violation(`O2: host ${host} committed a batch that does not end at the finalized block`)
      }
    }
    for (const { block, hash } of blocks) {
      const { height, parent } = block.header
      const expected = this.#heightByHost.get(host)! + 1
      if (height !== expected)
        throw new Violation(`O1: host ${host} committed height ${height}, not ${expected}`)
      const hex = bytesToHex(hash)
      if ((this.#canonical[height] ??= hex) !== hex) {
        throw new Violation(
          `O1: host ${host} committed ${short(hex)} at ${height}; ${short(this.#canonical[height])} is final`,
        )
      }
      if (bytesToHex(parent) !== this.#canonical[height - 1]) {
        throw new Violation(
          `O1: host ${host} committed a block at ${height} that does not follow ${height - 1}`,
        )
      }
      this.#heightByHost.set(host, height)
    }
  }

  evidenceFound(host: number, first: Vote, second: Vote): void {
    if (this.#isHonest(first.signer) || this.#isHonest(second.signer)) {
      throw new Violation(`O6: host ${host} holds evidence against honest authority ${first.signer}`)
    }
  }

  #signatureLeft(authority: number, kind: number, view: number, hash: HashHex): void {
    if (!this.#isHonest(authority)) return
    const byView = this.#leftByAuthority[authority]!
    let signed = byView.get(view)
    if (signed === undefined) byView.set(view, (signed = {}))
    const clash = (what: string): never => {
      throw new Violation(`O3: authority ${authority} signed ${what} in view ${view}`)
    }
    switch (kind) {
      case NOTARIZE:
        if ((signed.notarize ??= hash) !== hash)
          clash(`notarize for ${short(signed.notarize)} and ${short(hash)}`)
        break
      case NULLIFY:
        if (signed.finalize !== undefined) clash('finalize, then nullify')
        signed.nullify = true
        break
      case FINALIZE:
        if (signed.nullify) clash('nullify, then finalize')
        if ((signed.finalize ??= hash) !== hash)
          clash(`finalize for ${short(signed.finalize)} and ${short(hash)}`)
        break
      default:
        clash(`a vote of unknown kind ${kind}`)
    }
  }

  #voteLeft(sender: number | null, vote: Vote): void {
    if (vote.signer === sender) this.#signatureLeft(vote.signer, vote.kind, vote.view, bytesToHex(vote.hash))
  }

  #certificateLeft(certificate: Certificate): void {
    if (this.#valid.has(certificate)) return
    const { kind, view } = certificate
    const hash = bytesToHex(certificate.hash)
    const verified = verifyCertificate(certificate, this.#epoch, this.#verify)
    if (!verified.ok)
      throw new Violation(`O5: an honest host sent a bad certificate: ${verified.fault.message}`)
    this.#valid.add(certificate)
    for (const signer of certificateSigners(certificate, this.#epoch.set.length)!) {
      this.#signatureLeft(signer, kind, view, hash)
    }
    this.#certified(kind, view, hash)
  }

  #certified(kind: number, view: number, hash: HashHex): void {
    let certified = this.#certifiedByView.get(view)
    if (certified === undefined) this.#certifiedByView.set(view, (certified = {}))
    if (kind === NULLIFY) certified.nullification = true
    if (kind === NOTARIZE) certified.notarization ??= hash
    if (kind === FINALIZE) certified.finalization ??= hash
    const blocks = new Set([hash, certified.notarization, certified.finalization])
    blocks.delete(undefined)
    if (kind === NULLIFY) blocks.delete(hash)
    if (blocks.size > 1) throw new Violation(`O4: view ${view} has certificates for two blocks`)
    if (certified.nullification && certified.finalization !== undefined) {
      throw new Violation(`O4: view ${view} is both nullified and finalized`)
    }
  }
}

/** Of `voteSignBytes`: tag, kind u8, anchor, epoch u64, view u64, hash. */
function readSignBytes(bytes: Uint8Array): { kind: number; view: number; hash: HashHex } {
  const hash = bytesToHex(bytes.subarray(bytes.length - HASH_BYTES))
  const numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const view = Number(numbers.getBigUint64(bytes.length - HASH_BYTES - 8))
  return { kind: bytes[bytes.length - 2 * HASH_BYTES - 17]!, view, hash }
}

function short(hash: HashHex): string {
  return hash.slice(0, 8)
}
