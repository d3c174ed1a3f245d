/**
 * A whole state as a file: entries in the order of their keys, each length u32be ‖ key ‖ length u32be ‖ value. Nothing in
 * it is believed: the root of what is read must be that of the genesis.
 * @module
 */
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { concatBytes } from '@althing/base'
import { VALUE_BYTES_MAX } from '@althing/ledger'
import type { StateChange, StateEntry } from '@althing/ledger'

const KEY_BYTES_MAX = 512
const CHUNK_BYTES = 1024 * 1024

/** Durable when it returns. @returns how many entries. */
export function writeStateFile(file: string, entries: Iterable<StateEntry>): number {
  const descriptor = openSync(file, 'wx', 0o644)
  let count = 0
  let waiting: Uint8Array[] = []
  let bytes = 0
  const flush = (): void => {
    const chunk = concatBytes(...waiting)
    for (let written = 0; written < chunk.length;) written += writeSync(descriptor, chunk, written)
    waiting = []
    bytes = 0
  }
  try {
    for (const { key, value } of entries) {
      waiting.push(u32(key.length), key, u32(value.length), value)
      bytes += key.length + value.length
      count += 1
      if (bytes > CHUNK_BYTES) flush()
    }
    flush()
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  return count
}

/** @throws {RangeError} when it is cut off, or no such file. */
export function* readStateFile(file: string): Generator<StateChange, void, undefined> {
  const descriptor = openSync(file, 'r')
  try {
    const read = (length: number): Uint8Array | null => {
      const bytes = new Uint8Array(length)
      let got = 0
      while (got < length) {
        const more = readSync(descriptor, bytes, got, length - got, null)
        if (more === 0) break
        got += more
      }
      if (got === 0 && length > 0) return null
      if (got < length) throw new RangeError(`${file} is cut off`)
      return bytes
    }
    const field = (bytesMax: number, head: Uint8Array): Uint8Array => {
      const length = new DataView(head.buffer).getUint32(0)
      if (length > bytesMax) throw new RangeError(`${file} is no state: a field of ${length} bytes`)
      const bytes = length === 0 ? new Uint8Array() : read(length)
      if (bytes === null) throw new RangeError(`${file} is cut off`)
      return bytes
    }
    for (let head = read(4); head !== null; head = read(4)) {
      const key = field(KEY_BYTES_MAX, head)
      const valueHead = read(4)
      if (key.length === 0 || valueHead === null) throw new RangeError(`${file} is cut off`)
      yield { key, value: field(VALUE_BYTES_MAX, valueHead) }
    }
  } finally {
    closeSync(descriptor)
  }
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}
