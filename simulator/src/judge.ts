/**
 * What must hold in every run, whatever the faults, as long as at most f authorities are Byzantine or lost a disk.
 * Checked at each signature, at each message that leaves an honest host and at each commit, besides O3 and O4
 * (`SignatureBook`):
 * O1  all commits ever made by honest hosts, also across crashes, form one chain without gaps
 * O2  a committed finalization satisfies a light client, and is of the last block of its batch
 * O5  no certificate that leaves an honest host is invalid
 * O6  evidence names Byzantine authorities only; no honest host is charged by another, or halts
 * O7  the view of a process never moves back, and the messages that an honest host sends are bounded
 * The world adds, in liveness mode: O8 progress within a bound, with bounded logs and states
 * Of a network that more than f corrupt, O1, O4 and the halts are not promised: there `forked` says what became of them.
 * @module
 */
import {
  bytesToHex,
  certificateSigners,
  endsEpoch,
  epochAfter,
  headerHash,
  isFinalizationOf,
  NOTARIZE,
  verifyCertificate,
} from '@althing/base'
import type { Block, Certificate, Epoch, HashHex, Verify, Vote } from '@althing/base'
import type { ConsensusMessage, FinalBlock } from '@althing/chain'
import type { KeyOnDisk } from './machine.ts'
import type { Tally } from './milestones.ts'
import { SignatureBook } from './signature-book.ts'
import type { KeySignatures } from './signature-book.ts'
import { Violation } from './violation.ts'

/** How a host's own chain ends. */
interface Tip {
  readonly height: number
  readonly hash: HashHex
}

interface KnownEpoch {
  readonly epoch: Epoch
  readonly anchor: HashHex
  /** Of its authorities. */
  readonly keys: readonly HashHex[]
}

export class Judge {
  readonly #verify: Verify
  readonly #isHonestKey: (key: HashHex) => boolean
  readonly #isCorrupt: boolean
  readonly #tally: Tally
  readonly #book = new SignatureBook()
  readonly #epochs: KnownEpoch[] = []
  readonly #canonical: HashHex[]
  readonly #tipByHost = new Map<number, Tip>()
  readonly #haltedHosts = new Set<number>()
  readonly #valid = new WeakSet<Certificate>()
  #finalized = { epoch: 0, view: 0 }
  #forked: string | null = null

  /** @param isCorrupt more than f authorities are Byzantine. */
  constructor(
    epoch: Epoch,
    genesis: FinalBlock,
    verify: Verify,
    isHonestKey: (key: HashHex) => boolean,
    isCorrupt: boolean,
    tally: Tally,
  ) {
    this.#tally = tally
    this.#verify = verify
    this.#isHonestKey = isHonestKey
    this.#isCorrupt = isCorrupt
    this.#canonical = [bytesToHex(genesis.hash)]
    this.#learnEpoch(epoch)
  }

  /** Of the longest chain that an honest host committed. */
  get height(): number {
    return this.#canonical.length - 1
  }

  /** The block that is final at a height. */
  canonical(height: number): HashHex | undefined {
    return this.#canonical[height]
  }

  /** Whether a later view than this one was finalized. */
  isPast({ epoch, view }: { readonly epoch: number; readonly view: number }): boolean {
    return this.#finalized.epoch > epoch || (this.#finalized.epoch === epoch && this.#finalized.view >= view)
  }

  /** The latest epoch that an honest host entered. */
  get epoch(): Epoch {
    return this.#epochs.at(-1)!.epoch
  }

  /** The one before the latest; null when there is none. */
  get epochBefore(): Epoch | null {
    return this.#epochs.at(-2)?.epoch ?? null
  }

  /** Height of the block that the latest epoch rests on. */
  get anchorHeight(): number {
    return this.#canonical.indexOf(this.#epochs.at(-1)!.anchor)
  }

  get viewsNotarizedAndNullified(): number {
    return this.#book.viewsNotarizedAndNullified
  }

  /** What is final twice; null while there is one chain. */
  get forked(): string | null {
    return this.#forked
  }

  /** Honest hosts that halted (R7). */
  get haltedHosts(): ReadonlySet<number> {
    return this.#haltedHosts
  }

  /** An honest host starts with this final tip (O1 across restarts). */
  hostStarted(host: number, { block, hash }: FinalBlock): void {
    this.#tipByHost.set(host, { height: block.header.height, hash: bytesToHex(hash) })
  }

  /** @param signed by this process so far. */
  signing(host: number, { hex, lostInEpoch }: KeyOnDisk, signed: KeySignatures, signBytes: Uint8Array): void {
    if (this.#haltedHosts.has(host)) throw new Violation(`R7: host ${host} signs after it halted`)
    const { epoch } = this.#book.signing(hex, signed, signBytes)
    if (epoch <= lostInEpoch)
      throw new Violation(`O3: host ${host} signs in epoch ${epoch}, in which it lost its vote log (R12)`)
  }

  halted(host: number, reason: string): void {
    if (!this.#isCorrupt) throw new Violation(`O6: host ${host} halted: ${reason}`)
    this.#haltedHosts.add(host)
  }

  /** @param key of the honest sender; null on a full node. */
  messageLeft(key: HashHex | null, message: ConsensusMessage): void {
    switch (message.kind) {
      case 'vote':
        this.#voteLeft(key, message.vote)
        break
      case 'certificate':
        this.#certificateLeft(message.certificate)
        break
      case 'proposal': {
        const { block, epoch, view, parentCertificate, nullCertificates } = message.proposal
        const { keys, anchor } = this.#epochOf(epoch)
        const { header } = block
        if (key !== null && header.view === view && keys[header.proposer] === key)
          this.#book.left(key, NOTARIZE, { anchor, view }, bytesToHex(headerHash(header)))
        for (const certificate of [...parentCertificate, ...nullCertificates])
          this.#certificateLeft(certificate)
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
      if (!this.isPast(finalization)) this.#finalized = finalization
      this.#certificateLeft(finalization)
      const last = blocks.at(-1)
      if (last === undefined || !isFinalizationOf(finalization, last.hash)) {
        throw new Violation(`O2: host ${host} committed a batch that does not end at the finalized block`)
      }
    }
    for (const { block, hash } of blocks) {
      const { height, parent } = block.header
      const tip = this.#tipByHost.get(host)!
      if (height !== tip.height + 1)
        throw new Violation(`O1: host ${host} committed height ${height}, not ${tip.height + 1}`)
      if (bytesToHex(parent) !== tip.hash)
        throw new Violation(`O1: host ${host} committed a block at ${height} that does not follow its own`)
      const hex = bytesToHex(hash)
      if ((this.#canonical[height] ??= hex) !== hex) {
        this.#fork(
          `O1: host ${host} committed ${short(hex)} at ${height}; ${short(this.#canonical[height])} is final`,
        )
      }
      this.#tipByHost.set(host, { height, hash: hex })
      if (endsEpoch(block.header) && block.header.epoch === this.epoch.epoch) {
        this.#noteBoundary(block, finalization)
        this.#learnEpoch(epochAfter(block, hash))
      }
    }
  }

  evidenceFound(host: number, { epoch, signer }: Vote): void {
    const key = this.#epochOf(epoch).keys[signer]!
    if (this.#isHonestKey(key))
      throw new Violation(`O6: host ${host} holds evidence against honest authority ${signer}`)
  }

  #voteLeft(key: HashHex | null, { epoch, signer, kind, view, hash, anchor }: Vote): void {
    const place = { anchor: bytesToHex(anchor), view }
    const known = this.#epochs[epoch]
    if (known !== undefined && known.anchor !== place.anchor)
      throw new Violation(`O5: an honest host sent a vote of epoch ${epoch} on another anchor`)
    const signerKey = known?.keys[signer]
    if (signerKey !== undefined && signerKey === key) this.#book.left(key, kind, place, bytesToHex(hash))
  }

  #certificateLeft(certificate: Certificate): void {
    if (this.#valid.has(certificate)) return
    const { kind, view } = certificate
    const { epoch, anchor, keys } = this.#epochOf(certificate.epoch)
    const hash = bytesToHex(certificate.hash)
    const verified = verifyCertificate(certificate, epoch, this.#verify)
    if (!verified.ok)
      throw new Violation(`O5: an honest host sent a bad certificate: ${verified.fault.message}`)
    this.#valid.add(certificate)
    const place = { anchor, view }
    for (const signer of certificateSigners(certificate, keys.length)!) {
      const key = keys[signer]!
      if (this.#isHonestKey(key)) this.#book.left(key, kind, place, hash)
    }
    const broken = this.#book.certified(kind, place, hash)
    if (broken !== null && !this.#isCorrupt) throw new Violation(broken)
  }

  /** The end of the latest epoch, as the first honest host commits it. */
  #noteBoundary({ header, nextSet }: Block, finalization: Certificate | null): void {
    if (finalization !== null && finalization.view > header.view) this.#tally.reached('boundaryProposedAgain')
    const { keys } = this.#epochs.at(-1)!
    const next = nextSet.map(({ key }) => bytesToHex(key))
    if (next.join() === keys.join()) return
    this.#tally.reached('setChanged')
    if (next.length === keys.length) this.#tally.reached('keyChanged')
  }

  #fork(what: string): void {
    if (!this.#isCorrupt) throw new Violation(what)
    this.#forked ??= what
  }

  #learnEpoch(epoch: Epoch): void {
    const keys = epoch.set.map((member) => bytesToHex(member.key))
    this.#epochs[epoch.epoch] = { epoch, anchor: bytesToHex(epoch.anchor), keys }
  }

  #epochOf(epoch: number): KnownEpoch {
    const known = this.#epochs[epoch]
    if (known === undefined)
      throw new Violation(`O5: an honest host speaks of epoch ${epoch}, which no block began`)
    return known
  }
}

function short(hash: HashHex): string {
  return hash.slice(0, 8)
}
