/**
 * Bytes as text, the way the API writes them: base64 (RFC 4648, section 4, with padding), and hexadecimal for hashes.
 * Without Node's Buffer, so that it runs in browsers.
 * @module
 */
import { hexToBytes } from '@althing/base'
import type { Hash } from '@althing/base'

/** `String.fromCharCode` takes its bytes as arguments, and engines bound how many. */
const CHUNK_BYTES = 8_192

export function bytesToBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += CHUNK_BYTES) {
    text += String.fromCharCode(...bytes.subarray(i, i + CHUNK_BYTES))
  }
  return btoa(text)
}

/** @returns null when `text` is not base64. */
export function base64ToBytes(text: string): Uint8Array | null {
  let binary
  try {
    binary = atob(text)
  } catch {
    return null
  }
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}

/** Reads 32 bytes in hexadecimal: an account id, a transaction id, a genesis hash. @returns null when it is none. */
export function parseHash(text: string): Hash | null {
  const bytes = hexToBytes(text)
  return bytes?.length === 32 ? bytes : null
}
