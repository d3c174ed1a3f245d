/**
 * The guard of a signer on disk: two copies of its state, each with a checksum, written one after the other.
 * G1  a state is durable in both copies before `keep` returns: damage to either cannot bring an older one back
 * G2  of two copies that differ, the later one counts: a crash came between them, and nothing was signed since
 * G3  with no copy intact there is no guard, and nothing is signed
 * @module
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { randomUUID } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { bytesToHex, concatBytes, equalBytes, sha256, u64ToBytes, utf8ToBytes } from '@althing/base'
import type { Hash } from '@althing/base'
import { newGuardState } from './guard.ts'
import type { GuardState } from './guard.ts'

const MAGIC = utf8ToBytes('ALTHSG\0\u0001')
/** genesis ‖ key ‖ epoch u64be ‖ view u64be ‖ anchor ‖ signed u8 ‖ notarized ‖ finalized */
const STATE_BYTES = 32 + 32 + 8 + 8 + 32 + 1 + 32 + 32
const COPY_BYTES = MAGIC.length + STATE_BYTES + 32
/** Each copy in a sector of its own. */
const COPY_SPACING = 4_096

export type GuardErrorCode = 'GUARD_DAMAGED' | 'GUARD_EXISTS' | 'GUARD_MISSING' | 'GUARD_OF_ANOTHER'

export class GuardError extends Error {
  override readonly name = 'GuardError'
  readonly code: GuardErrorCode

  constructor(code: GuardErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export class GuardFile {
  readonly #descriptor: number
  #state: GuardState

  constructor(descriptor: number, state: GuardState) {
    this.#descriptor = descriptor
    this.#state = state
  }

  get state(): GuardState {
    return this.#state
  }

  /** Durable when it returns. @throws when the disk fails; then nothing may be signed with this object any more. */
  keep(state: GuardState): void {
    if (state === this.#state) return
    for (const copy of [0, 1]) {
      writeCopy(this.#descriptor, copy, state)
      fdatasyncSync(this.#descriptor)
    }
    this.#state = state
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}

/** @throws {GuardError} `GUARD_EXISTS`: a guard is never overwritten. */
export function createGuardFile(file: string, genesis: Hash, key: Uint8Array): void {
  const draft = `${file}.${randomUUID()}`
  mkdirSync(dirname(resolve(file)), { recursive: true })
  const descriptor = openSync(draft, 'wx', 0o600)
  try {
    for (const copy of [0, 1]) writeCopy(descriptor, copy, newGuardState(genesis, key))
    fsyncSync(descriptor)
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new GuardError('GUARD_EXISTS', `There is a file ${file} already; a guard is never overwritten.`, {
      cause: error,
    })
  } finally {
    closeSync(descriptor)
    rmSync(draft, { force: true })
  }
  if (process.platform === 'win32') return
  const folder = openSync(dirname(resolve(file)), 'r')
  fsyncSync(folder)
  closeSync(folder)
}

/** @throws {GuardError} `GUARD_MISSING`, `GUARD_DAMAGED`, `GUARD_OF_ANOTHER`. */
export function openGuardFile(file: string, genesis: Hash, key: Uint8Array): GuardFile {
  const descriptor = openDescriptor(file)
  try {
    const state = latest([readCopy(descriptor, 0), readCopy(descriptor, 1)])
    if (state === null) {
      throw new GuardError(
        'GUARD_DAMAGED',
        `The guard ${file} is damaged: what this key has signed is not known. Have the authorities replace the key; a new guard for the old one could sign twice.`,
      )
    }
    if (!equalBytes(state.genesis, genesis) || !equalBytes(state.key, key)) {
      throw new GuardError(
        'GUARD_OF_ANOTHER',
        `The guard ${file} is of the key ${bytesToHex(state.key)} on the chain ${bytesToHex(state.genesis)}. Name the guard of this key and chain.`,
      )
    }
    return new GuardFile(descriptor, state)
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

function openDescriptor(file: string): number {
  try {
    return openSync(file, 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new GuardError(
      'GUARD_MISSING',
      `There is no guard ${file}. For a key that has never signed, make one: althing signer init. For any other, restore it.`,
      { cause: error },
    )
  }
}

/** @returns null when neither is intact. */
function latest(copies: readonly (GuardState | null)[]): GuardState | null {
  const [first = null, second = null] = copies
  if (first === null || second === null) return first ?? second
  const order = second.epoch - first.epoch || second.view - first.view || second.signed - first.signed
  return order > 0 ? second : first
}

function writeCopy(descriptor: number, copy: number, state: GuardState): void {
  const content = concatBytes(MAGIC, encodeState(state))
  const bytes = concatBytes(content, sha256(content))
  for (let written = 0; written < bytes.length;)
    written += writeSync(descriptor, bytes, written, bytes.length - written, copy * COPY_SPACING + written)
}

function readCopy(descriptor: number, copy: number): GuardState | null {
  const bytes = new Uint8Array(COPY_BYTES)
  if (readSync(descriptor, bytes, 0, COPY_BYTES, copy * COPY_SPACING) < COPY_BYTES) return null
  const content = bytes.subarray(0, COPY_BYTES - 32)
  if (!equalBytes(sha256(content), bytes.subarray(COPY_BYTES - 32))) return null
  if (!equalBytes(content.subarray(0, MAGIC.length), MAGIC)) return null
  return decodeState(content.subarray(MAGIC.length))
}

function encodeState(state: GuardState): Uint8Array {
  return concatBytes(
    state.genesis,
    state.key,
    u64ToBytes(state.epoch),
    u64ToBytes(state.view),
    state.anchor,
    Uint8Array.of(state.signed),
    state.notarized,
    state.finalized,
  )
}

/** @param bytes whose checksum held. */
function decodeState(bytes: Uint8Array): GuardState {
  const numbers = new DataView(bytes.buffer, bytes.byteOffset)
  return {
    genesis: bytes.slice(0, 32),
    key: bytes.slice(32, 64),
    epoch: Number(numbers.getBigUint64(64)),
    view: Number(numbers.getBigUint64(72)),
    anchor: bytes.slice(80, 112),
    signed: bytes[112]!,
    notarized: bytes.slice(113, 145),
    finalized: bytes.slice(145, 177),
  }
}
