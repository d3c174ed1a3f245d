/**
 * Whether a message is sent compressed (PT-13). Pure; how bytes are compressed is the codec's business.
 * Z1  only bodies of `COMPRESS_BYTES_MIN` to `COMPRESS_BYTES_MAX`, of kinds that allow it, never in the critical lane
 * Z2  only when it makes the body smaller by an eighth
 * Z3  a kind whose last tries did not pay is tried less often, down to every 64th message: a try costs time
 * @module
 */
import type { Kind } from './kinds.ts'
import type { Lane } from './lane.ts'

/** What a node that can read compressed messages offers in its hello. */
export const COMPRESSION_FEATURE = 'zstd'

export interface Codec {
  /** Fewer bytes than given is normal, not certain. */
  compress(body: Uint8Array): Uint8Array
  /** @returns null when the bytes cannot be read, or stand for more than `bytesMax`; no more than that is ever allocated. */
  decompress(body: Uint8Array, bytesMax: number): Uint8Array | null
}

const COMPRESS_BYTES_MIN = 1024
/** A longer one would hold the process up for milliseconds. */
const COMPRESS_BYTES_MAX = 1024 * 1024
/** Of a long body, a part from its middle is tried first. */
const SAMPLE_BYTES = 4096
const SKIPS_MAX = 63

interface Tries {
  /** Messages left to send without a try. */
  skips: number
  skipsNext: number
}

/** The tries of one session. */
export class Compression {
  readonly #codec: Codec
  readonly #triesByKind = new Map<number, Tries>()

  constructor(codec: Codec) {
    this.#codec = codec
  }

  /** @returns the compressed body; null when it is to be sent as it is. */
  compress(kind: Kind, lane: Lane, body: Uint8Array): Uint8Array | null {
    const { length } = body
    if (!kind.compress || lane === 'critical' || length < COMPRESS_BYTES_MIN || length > COMPRESS_BYTES_MAX) {
      return null
    }
    let tries = this.#triesByKind.get(kind.id)
    if (tries === undefined) this.#triesByKind.set(kind.id, (tries = { skips: 0, skipsNext: 0 }))
    if (tries.skips > 0) {
      tries.skips--
      return null
    }
    const compressed = this.#try(body)
    tries.skipsNext = compressed === null ? Math.min(SKIPS_MAX, tries.skipsNext * 2 + 1) : 0
    tries.skips = tries.skipsNext
    return compressed
  }

  #try(body: Uint8Array): Uint8Array | null {
    if (body.length > 4 * SAMPLE_BYTES) {
      const start = (body.length - SAMPLE_BYTES) >>> 1
      const sample = body.subarray(start, start + SAMPLE_BYTES)
      if (!pays(this.#codec.compress(sample), sample)) return null
    }
    const compressed = this.#codec.compress(body)
    return pays(compressed, body) ? compressed : null
  }
}

function pays(compressed: Uint8Array, plain: Uint8Array): boolean {
  return compressed.length * 8 <= plain.length * 7
}
