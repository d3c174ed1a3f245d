/**
 * How much of everything but the critical lane may be on its way to a peer, credited by the receiver as it reads. Pure.
 * Without it the buffers of sockets fill, and each critical frame waits behind them. The size follows what is measured, as in
 * LEDBAT (RFC 6817): the least round trip is that of the way, what is more is queueing, which is kept near `QUEUEING_MS`.
 * W1  critical frames pass, and are not counted
 * W2  at most the window is on its way; a receiver that reads nothing gets nothing more
 * W3  a receiver credits each `CREDIT_BYTES` at the latest, which is less than the least window: no timer is needed
 * W4  the window grows only while it is what holds the sender back
 * @module
 */

/** What a node that credits what it reads offers in its hello. */
export const WINDOW_FEATURE = 'credit'

const MIB = 1024 * 1024
const WINDOW_BYTES_MIN = 128 * 1024
const WINDOW_BYTES_MAX = 16 * MIB
const WINDOW_BYTES_START = 256 * 1024
const CREDIT_BYTES = 32 * 1024
const QUEUEING_MS = 2
/** Of the window, in a round trip without queueing. */
const GROWTH = 0.25
/** Of the window, in a round trip with twice the queueing or more. */
const CUT = 0.5
/** The way may have changed: its least round trip is that of the last one to two such times. */
const BASE_WINDOW_MS = 10_000
/** The least of so many round trips counts, so that a pause of either process is not taken for a queue. */
const FILTERED = 8
const U32 = 2 ** 32

interface Mark {
  /** Bytes sent until then. */
  readonly bytes: number
  readonly atMs: number
}

export class SendWindow {
  #bytes = WINDOW_BYTES_START
  #sent = 0
  #credited = 0
  /** Oldest first; about two for each credit. */
  readonly #marks: Mark[] = []
  #isFull = false
  /** Until queueing was first seen, the window doubles in a round trip. */
  #isStarting = true
  /** The newest last. */
  readonly #roundTripsMs: number[] = []
  #baseMs = Infinity
  #olderBaseMs = Infinity
  #baseSinceMs = 0

  /** What may be on its way, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** Something waits for credit. */
  get isFull(): boolean {
    return this.#isFull
  }

  admits(bytes: number): boolean {
    this.#isFull = this.#sent - this.#credited + bytes > this.#bytes
    return !this.#isFull
  }

  sent(bytes: number, nowMs: number): void {
    this.#sent += bytes
    const marked = this.#marks.at(-1)?.bytes ?? this.#credited
    if (this.#sent - marked >= CREDIT_BYTES / 2) this.#marks.push({ bytes: this.#sent, atMs: nowMs })
  }

  /**
   * The receiver read.
   * @param total all bytes since the session began, modulo 2^32.
   * @returns false when that is more than was sent.
   */
  credit(total: number, nowMs: number): boolean {
    const read = (((total - this.#credited) % U32) + U32) % U32
    if (read > this.#sent - this.#credited) return false
    this.#credited += read
    let newest: Mark | undefined
    while (this.#marks.length > 0 && this.#marks[0]!.bytes <= this.#credited) newest = this.#marks.shift()
    if (newest !== undefined) this.#adapt(nowMs - newest.atMs, read, nowMs)
    this.#isFull = false
    return true
  }

  #adapt(roundTripMs: number, read: number, nowMs: number): void {
    this.#roundTripsMs.push(roundTripMs)
    if (this.#roundTripsMs.length > FILTERED) this.#roundTripsMs.shift()
    const queueingMs = Math.min(...this.#roundTripsMs) - this.#base(roundTripMs, nowMs)
    if (queueingMs > QUEUEING_MS) this.#isStarting = false
    const over = Math.max(-1, Math.min(1, (queueingMs - QUEUEING_MS) / QUEUEING_MS))
    if (over > 0) this.#bytes -= read * over * CUT
    else if (this.#isFull) this.#bytes += read * (this.#isStarting ? 1 : -over * GROWTH)
    this.#bytes = Math.min(WINDOW_BYTES_MAX, Math.max(WINDOW_BYTES_MIN, this.#bytes))
  }

  #base(roundTripMs: number, nowMs: number): number {
    if (nowMs - this.#baseSinceMs > BASE_WINDOW_MS) {
      this.#olderBaseMs = this.#baseMs
      this.#baseMs = Infinity
      this.#baseSinceMs = nowMs
    }
    this.#baseMs = Math.min(this.#baseMs, roundTripMs)
    return Math.min(this.#baseMs, this.#olderBaseMs)
  }
}

/** The receiver's side. */
export class ReadCredit {
  #read = 0
  #credited = 0

  read(bytes: number): void {
    this.#read += bytes
  }

  /** Call it after a chunk was read. @returns what to tell the sender, modulo 2^32; null when it can wait. */
  due(): number | null {
    if (this.#read - this.#credited < CREDIT_BYTES) return null
    this.#credited = this.#read
    return this.#read % U32
  }
}
