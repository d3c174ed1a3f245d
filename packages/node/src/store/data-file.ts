/**
 * Looks at an LMDB file before LMDB maps it: reading a mapped page beyond the end of the file kills the process with
 * SIGBUS, and no message could be given then.
 * Layout of the meta pages 0 and 1: mdb.c of lmdb-js, `MDB_page_header` and `MDB_meta`, 64 bit, little endian.
 * @module
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { corrupt } from './errors.ts'

const MAGIC = 0xbeefc0de
const PAGE_HEADER_BYTES = 24
const PAGE_BYTES_MIN = 4096
const PAGE_BYTES_MAX = 65_536

/** Offsets in a meta page. */
const magicAt = PAGE_HEADER_BYTES
const pageBytesAt = PAGE_HEADER_BYTES + 24
const lastPageAt = PAGE_HEADER_BYTES + 120
const transactionAt = PAGE_HEADER_BYTES + 128
const META_BYTES = PAGE_HEADER_BYTES + 144

interface Meta {
  readonly pageBytes: number
  readonly lastPage: bigint
  readonly transaction: bigint
}

/** @throws {StoreError} `STORE_CORRUPT` when the file is not LMDB's, or shorter than its own record says. */
export function checkDataFile(file: string): void {
  const descriptor = openSync(file, 'r')
  try {
    const size = fstatSync(descriptor).size
    const first = readMeta(descriptor, 0)
    if (first === undefined)
      throw corrupt(file, `its first page is not that of a database (${size} bytes long)`)
    const second = readMeta(descriptor, first.pageBytes)
    const latest = second !== undefined && second.transaction > first.transaction ? second : first
    const expected = Number(latest.lastPage + 1n) * latest.pageBytes
    if (size < expected) throw corrupt(file, `it is cut off: ${size} bytes of ${expected}`)
  } finally {
    closeSync(descriptor)
  }
}

function readMeta(descriptor: number, position: number): Meta | undefined {
  const bytes = Buffer.alloc(META_BYTES)
  if (readSync(descriptor, bytes, 0, META_BYTES, position) < META_BYTES) return undefined
  if (bytes.readUInt32LE(magicAt) !== MAGIC) return undefined
  const pageBytes = bytes.readUInt32LE(pageBytesAt)
  if (pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX) return undefined
  return {
    pageBytes,
    lastPage: bytes.readBigUInt64LE(lastPageAt),
    transaction: bytes.readBigUInt64LE(transactionAt),
  }
}
