/**
 * Lets a TLS socket read into one buffer that all of them share, instead of into a new one each time.
 * node:net offers that as `onread`, but node:tls passes it on for sockets that it opens itself only, so it is set where `onread` ends up.
 * It is safe to share: TLS gives out what it decrypted piece by piece, each handled to its end before the next, and never while it is
 * written to (`TLSWrap::Cycle` does not nest).
 * @module
 */
import type { TLSSocket } from 'node:tls'

/** Of one TLS record, the most that comes at once. */
const RECORD_BYTES_MAX = 16 * 1024
const shared = new Uint8Array(RECORD_BYTES_MAX)

interface Internals {
  readonly _handle?: { useUserBuffer?: (buffer: Uint8Array) => void } | null
  [name: symbol]: unknown
}

/**
 * @param take gets what was read; it is overwritten when it returns. False: it did not want it, and it becomes 'data'.
 * @returns false where node is made otherwise: then everything becomes 'data'.
 */
export function lendBuffer(socket: TLSSocket, take: (chunk: Uint8Array) => boolean): boolean {
  const internals = socket as unknown as Internals
  const buffer = symbolOf(socket, 'kBuffer')
  const callback = symbolOf(socket, 'kBufferCb')
  const { ['_handle']: handle } = internals
  if (buffer === undefined || callback === undefined || typeof handle?.useUserBuffer !== 'function')
    return false
  internals[buffer] = shared
  internals[callback] = (bytes: number): boolean => {
    const chunk = shared.subarray(0, bytes)
    // What came before must be read before.
    if (socket.readableLength === 0 && take(chunk)) return true
    return socket.push(Buffer.from(chunk))
  }
  handle.useUserBuffer(shared)
  return true
}

function symbolOf(socket: TLSSocket, name: string): symbol | undefined {
  return Object.getOwnPropertySymbols(socket).find(({ description }) => description === name)
}
