/**
 * Zstandard (RFC 8878) from node:zlib, as the session's codec.
 * @module
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Codec } from './protocol/compression.ts'

const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
/** Gossip goes to several peers in one turn of the loop, as one body: it is compressed once. */
let latest: { readonly body: Uint8Array; readonly compressed: Uint8Array } | null = null

export const zstd: Codec = {
  compress(body) {
    if (latest?.body === body) return latest.compressed
    const compressed = zstdCompressSync(body, OPTIONS)
    if (latest === null) queueMicrotask(() => (latest = null))
    latest = { body, compressed }
    return compressed
  },
  decompress(body, bytesMax) {
    try {
      return zstdDecompressSync(body, { maxOutputLength: Math.max(1, bytesMax) })
    } catch {
      return null
    }
  },
}
