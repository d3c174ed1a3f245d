/**
 * Signature checks as one block of bytes, which moves to another thread without being copied.
 * count u32 ‖ per check: public key length u32, message length u32, signature length u32 ‖ all bytes, in that order.
 * @module
 */
import type { SignatureCheck } from '@althing/base'

export interface BatchQuestion {
  readonly id: number
  readonly packed: ArrayBuffer
}

export interface BatchAnswer {
  readonly id: number
  /** 1 for each check that holds. */
  readonly valid: Uint8Array<ArrayBuffer>
}

const LENGTHS_BYTES = 12

export function checkBytes({ publicKey, message, signature }: SignatureCheck): number {
  return publicKey.length + message.length + signature.length
}

export function packChecks(checks: readonly SignatureCheck[]): ArrayBuffer {
  const head = 4 + LENGTHS_BYTES * checks.length
  const packed = new ArrayBuffer(checks.reduce((bytes, check) => bytes + checkBytes(check), head))
  const view = new DataView(packed)
  const bytes = new Uint8Array(packed)
  view.setUint32(0, checks.length)
  let lengthAt = 4
  let offset = head
  for (const { publicKey, message, signature } of checks) {
    for (const part of [publicKey, message, signature]) {
      view.setUint32(lengthAt, part.length)
      bytes.set(part, offset)
      lengthAt += 4
      offset += part.length
    }
  }
  return packed
}

/** The checks share the block's memory. */
export function unpackChecks(packed: ArrayBuffer): SignatureCheck[] {
  const view = new DataView(packed)
  const checks: SignatureCheck[] = []
  const count = view.getUint32(0)
  let lengthAt = 4
  let offset = 4 + LENGTHS_BYTES * count
  const next = (): Uint8Array => {
    const part = new Uint8Array(packed, offset, view.getUint32(lengthAt))
    lengthAt += 4
    offset += part.length
    return part
  }
  for (let i = 0; i < count; i++) checks.push({ publicKey: next(), message: next(), signature: next() })
  return checks
}
