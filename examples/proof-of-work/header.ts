/**
 * Headers of the example chain, and the work that they prove.
 * @module
 */
import { createHash } from 'node:crypto'
import type { BlockInfo } from '@althing/network'

export interface Header {
  /** 32 bytes. */
  readonly parent: Uint8Array
  /** 32 bytes: `bodyHash` of the transactions. */
  readonly body: Uint8Array
  readonly height: number
  /** Leading zero bits that its hash has at least. */
  readonly bits: number
  /** When mining began, so that two miners do not try the same headers. */
  readonly timeMs: number
  readonly nonce: number
}

const HASH_BYTES = 32
const AT = { body: 32, height: 64, bits: 68, timeMs: 69, nonce: 77 }
const HEADER_BYTES = 81

export const NONCE_MAX = 0xffff_ffff

export function encodeHeader({ parent, body, height, bits, timeMs, nonce }: Header): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  bytes.set(parent)
  bytes.set(body, AT.body)
  view.setUint32(AT.height, height)
  view.setUint8(AT.bits, bits)
  view.setFloat64(AT.timeMs, timeMs)
  view.setUint32(AT.nonce, nonce)
  return bytes
}

/** Of an encoded header, in place: the miner tries many. */
export function setNonce(header: Uint8Array, nonce: number): void {
  new DataView(header.buffer, header.byteOffset).setUint32(AT.nonce, nonce)
}

/** @returns null for anything else. */
export function decodeHeader(bytes: Uint8Array): Header | null {
  if (bytes.length !== HEADER_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return {
    parent: bytes.slice(0, HASH_BYTES),
    body: bytes.slice(AT.body, AT.height),
    height: view.getUint32(AT.height),
    bits: view.getUint8(AT.bits),
    timeMs: view.getFloat64(AT.timeMs),
    nonce: view.getUint32(AT.nonce),
  }
}

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export function bodyHash(transactions: readonly Uint8Array[]): Uint8Array {
  return sha256(...transactions.map((bytes) => sha256(bytes)))
}

export function idOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex')
}

export function infoOf(bytes: Uint8Array, { parent, height }: Header): BlockInfo {
  return { id: idOf(sha256(bytes)), parentId: idOf(parent), height }
}

export function leadingZeroBits(hash: Uint8Array): number {
  const first = hash.findIndex((byte) => byte !== 0)
  return first === -1 ? 8 * hash.length : 8 * first + Math.clz32(hash[first]!) - 24
}
