/**
 * Changes of inputs, as fuzzers make them: few at a time, mostly small, and now and then parts of another input.
 * @module
 */

/** 32-bit, seeded: the same seed gives the same run (mulberry32). */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** @returns an integer from 0 to `below` − 1. */
  roll(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let x = this.#state
    x = Math.imul(x ^ (x >>> 15), x | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * below)
  }

  pick<T>(from: readonly T[]): T {
    return from[this.roll(from.length)]!
  }
}

const TELLING_BYTES = [0, 1, 2, 4, 0x7f, 0x80, 0xfe, 0xff]
const TELLING_WORDS = [0, 1, 4, 32, 64, 255, 256, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0xfffffffe, 0xffffffff]

type Mutation = (
  bytes: Uint8Array<ArrayBuffer>,
  dice: Dice,
  others: readonly Uint8Array[],
) => Uint8Array<ArrayBuffer>

const mutations: readonly Mutation[] = [
  function flipBit(bytes, dice) {
    if (bytes.length > 0) bytes[dice.roll(bytes.length)]! ^= 1 << dice.roll(8)
    return bytes
  },
  function setByte(bytes, dice) {
    if (bytes.length > 0) bytes[dice.roll(bytes.length)] = dice.roll(256)
    return bytes
  },
  function setTellingByte(bytes, dice) {
    if (bytes.length > 0) bytes[dice.roll(bytes.length)] = dice.pick(TELLING_BYTES)
    return bytes
  },
  /** Lengths, offsets and counts are little-endian words. */
  function setWord(bytes, dice) {
    if (bytes.length < 4) return bytes
    const at = dice.roll(bytes.length - 3)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const word = dice.roll(2) === 0 ? dice.pick(TELLING_WORDS) : view.getUint32(at, true) + dice.roll(17) - 8
    view.setUint32(at, word >>> 0, true)
    return bytes
  },
  function cutTail(bytes, dice) {
    return bytes.slice(0, dice.roll(bytes.length + 1))
  },
  function removePart(bytes, dice) {
    const from = dice.roll(bytes.length + 1)
    const to = Math.min(bytes.length, from + 1 + dice.roll(8))
    return join(bytes.subarray(0, from), bytes.subarray(to))
  },
  function repeatPart(bytes, dice) {
    const from = dice.roll(bytes.length + 1)
    const part = bytes.subarray(from, from + 1 + dice.roll(64))
    return join(bytes.subarray(0, from), part, bytes.subarray(from))
  },
  function insertBytes(bytes, dice) {
    const at = dice.roll(bytes.length + 1)
    const part = Uint8Array.from({ length: 1 + dice.roll(8) }, () => dice.roll(256))
    return join(bytes.subarray(0, at), part, bytes.subarray(at))
  },
  function splice(bytes, dice, others) {
    const other = dice.pick(others)
    return join(bytes.subarray(0, dice.roll(bytes.length + 1)), other.subarray(dice.roll(other.length + 1)))
  },
]

/**
 * @param others at least one; parts of them may be taken.
 * @returns a changed copy of at most `bytesMax` bytes.
 */
export function mutate(
  input: Uint8Array,
  dice: Dice,
  others: readonly Uint8Array[],
  bytesMax: number,
): Uint8Array {
  let bytes = Uint8Array.from(input)
  for (let left = 1 + dice.roll(4); left > 0; left--) bytes = dice.pick(mutations)(bytes, dice, others)
  return bytes.subarray(0, bytesMax)
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
