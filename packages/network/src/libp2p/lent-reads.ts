/**
 * Reading without an array of its own for each read: V8 counts every one as memory outside of its heap, and collects the whole heap
 * for each 64 MiB of them, which costs more than the reading itself.
 * @module
 */
import type { MessageStream } from '@libp2p/interface'

/** Gets bytes that are overwritten when it returns. */
export type LentReader = (chunk: Uint8Array) => void

const readerByStream = new WeakMap<MessageStream, LentReader>()

/** Bytes of the stream go to the reader, where the stream can lend them; else, and what was read before, to 'message' listeners. */
export function readLent(stream: MessageStream, reader: LentReader): void {
  readerByStream.set(stream, reader)
}

/** Called by who reads for the stream. @returns whether the reader took the bytes. */
export function lend(stream: MessageStream, chunk: Uint8Array): boolean {
  const reader = readerByStream.get(stream)
  if (reader === undefined || stream.readBufferLength > 0) return false
  reader(chunk)
  return true
}
