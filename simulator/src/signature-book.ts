/**
 * Who signed what, in which view of which epoch: oracles over signatures and certificates.
 * O3  no two conflicting honest signatures leave: N/N or F/F with different hashes, or U with F, in one view;
 *     nor does an honest process sign what R1 forbids after what it signed, or what has left in an earlier life
 * O4  no view has certificates for two blocks, nor both a nullification and a finalization
 * @module
 */
import { bytesToHex, FINALIZE, HASH_BYTES, NOTARIZE, NULLIFY } from '@althing/base'
import type { HashHex } from '@althing/base'
import { Violation } from './violation.ts'

/** What one authority signed in one view. */
interface SignedInView {
  notarize?: HashHex
  nullify?: true
  finalize?: HashHex
}

/** A view of an epoch; the epoch is named by its anchor. */
export interface Place {
  readonly anchor: HashHex
  readonly view: number
}

/** Signatures of one key: those of one life of a process, or those that left. */
export class KeySignatures {
  readonly #byView = new Map<HashHex, Map<number, SignedInView>>()

  signedIn({ anchor, view }: Place): SignedInView {
    let views = this.#byView.get(anchor)
    if (views === undefined) this.#byView.set(anchor, (views = new Map()))
    let signed = views.get(view)
    if (signed === undefined) views.set(view, (signed = {}))
    return signed
  }
}

interface CertifiedInView {
  notarization?: HashHex
  nullification?: true
  finalization?: HashHex
}

export class SignatureBook {
  readonly #leftByKey = new Map<HashHex, KeySignatures>()
  readonly #certifiedByAnchor = new Map<HashHex, Map<number, CertifiedInView>>()

  /** Views that got both a notarization and a nullification: rare, and benign. */
  get viewsNotarizedAndNullified(): number {
    let count = 0
    for (const views of this.#certifiedByAnchor.values()) {
      for (const { notarization, nullification } of views.values())
        if (notarization !== undefined && nullification) count++
    }
    return count
  }

  /** R1, at the moment of signing. @param signed by this process so far. @returns the epoch of the vote. */
  signing(key: HashHex, signed: KeySignatures, signBytes: Uint8Array): { epoch: number } {
    const { kind, epoch, place, hash } = readSignBytes(signBytes)
    const left = this.#leftOf(key).signedIn(place)
    const own = signed.signedIn(place)
    const has = (vote: keyof SignedInView): boolean => own[vote] !== undefined || left[vote] !== undefined
    const forbidden =
      (kind === NOTARIZE && (own.notarize !== undefined || has('nullify'))) ||
      (kind === NULLIFY && (own.nullify !== undefined || has('finalize'))) ||
      (kind === FINALIZE && (own.finalize !== undefined || has('nullify')))
    if (forbidden) {
      const before = Object.keys({ ...left, ...own }).join(', ')
      throw new Violation(
        `O3: key ${short(key)} signs kind ${kind} in view ${place.view} after ${before} (R1)`,
      )
    }
    if (kind === NOTARIZE) own.notarize = hash
    else if (kind === NULLIFY) own.nullify = true
    else own.finalize = hash
    return { epoch }
  }

  /** A signature of an honest key is out in the world. */
  left(key: HashHex, kind: number, place: Place, hash: HashHex): void {
    const signed = this.#leftOf(key).signedIn(place)
    const clash = (what: string): never => {
      throw new Violation(`O3: key ${short(key)} signed ${what} in view ${place.view}`)
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

  /** @returns what O4 forbids about this view; null when all is well. */
  certified(kind: number, { anchor, view }: Place, hash: HashHex): string | null {
    let views = this.#certifiedByAnchor.get(anchor)
    if (views === undefined) this.#certifiedByAnchor.set(anchor, (views = new Map()))
    let certified = views.get(view)
    if (certified === undefined) views.set(view, (certified = {}))
    if (kind === NULLIFY) certified.nullification = true
    if (kind === NOTARIZE) certified.notarization ??= hash
    if (kind === FINALIZE) certified.finalization ??= hash
    const blocks = new Set([hash, certified.notarization, certified.finalization])
    blocks.delete(undefined)
    if (kind === NULLIFY) blocks.delete(hash)
    if (blocks.size > 1) return `O4: view ${view} has certificates for two blocks`
    if (certified.nullification && certified.finalization !== undefined)
      return `O4: view ${view} is both nullified and finalized`
    return null
  }

  #leftOf(key: HashHex): KeySignatures {
    let left = this.#leftByKey.get(key)
    if (left === undefined) this.#leftByKey.set(key, (left = new KeySignatures()))
    return left
  }
}

/** Of `voteSignBytes`: tag, kind u8, anchor, epoch u64, view u64, hash. */
function readSignBytes(bytes: Uint8Array): { kind: number; epoch: number; place: Place; hash: HashHex } {
  const hashAt = bytes.length - HASH_BYTES
  const anchorAt = hashAt - 16 - HASH_BYTES
  const numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const view = Number(numbers.getBigUint64(hashAt - 8))
  return {
    kind: bytes[anchorAt - 1]!,
    epoch: Number(numbers.getBigUint64(hashAt - 16)),
    place: { anchor: bytesToHex(bytes.subarray(anchorAt, anchorAt + HASH_BYTES)), view },
    hash: bytesToHex(bytes.subarray(hashAt)),
  }
}

function short(hash: HashHex): string {
  return hash.slice(0, 8)
}
