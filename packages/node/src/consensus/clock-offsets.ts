/**
 * By how much the wall clocks of peers differ from this node's: each is asked now and then what time it is there, and
 * the answer with the shortest way of the last few counts. Nothing is set by it and no rule uses it: people want to
 * know, since a proposal that comes from the future is not voted on (R4).
 * question: 0 ‖ nonce u32be. answer: 1 ‖ nonce u32be ‖ milliseconds since 1970, f64be.
 * @module
 */
import { concatBytes } from '@althing/base'
import type { Clock } from '@althing/base'
import type { Network } from '@althing/network'

export interface ClockOffset {
  /** What the peer's clock shows more than ours. */
  readonly offsetMs: number
  /** Half of the round trip: how wrong that may be. */
  readonly uncertaintyMs: number
}

export const CLOCK_KIND = { id: 7, lane: 'high', maxBytes: 13 } as const

const QUESTION = 0
const ANSWER = 1
const QUESTION_BYTES = 5
const ANSWER_BYTES = 13
const SAMPLES_KEPT = 4
const ASK_EVERY_MS = 5_000
const PEERS_ASKED_MAX = 256

export class ClockOffsets {
  readonly #clock: Clock
  #nonce = 0
  readonly #asked = new Map<string, { readonly nonce: number; readonly atMs: number }>()
  readonly #samples = new Map<string, readonly ClockOffset[]>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Asks all peers now, new ones as they come, and everyone again every five seconds. @returns how to stop. */
  attach(network: Network): () => void {
    network.handle('clock', ({ from, body }) => {
      const answer = this.receive(from, body)
      if (answer === 'malformed')
        network.penalise(from, 'invalidMessage', 'a question about the time that is none')
      else if (answer !== null) network.send(from, 'clock', answer)
    })
    const ask = (peer: string): void => void network.send(peer, 'clock', this.question(peer))
    network.subscribe((event) => {
      if (event.kind === 'peerConnected') ask(event.peer.id)
      else if (event.kind === 'peerDisconnected') this.forget(event.peer)
    })
    const askAll = (): void => {
      for (const { id } of network.peers().slice(0, PEERS_ASKED_MAX)) ask(id)
    }
    askAll()
    const timer = setInterval(askAll, ASK_EVERY_MS)
    return () => clearInterval(timer)
  }

  /** Null before the first answer. */
  of(peer: string): ClockOffset | null {
    const samples = this.#samples.get(peer) ?? []
    return samples.reduce<ClockOffset | null>(
      (best, one) => (best === null || one.uncertaintyMs < best.uncertaintyMs ? one : best),
      null,
    )
  }

  /** An unanswered one before it does not count any more. */
  question(peer: string): Uint8Array {
    this.#nonce = (this.#nonce + 1) >>> 0
    this.#asked.set(peer, { nonce: this.#nonce, atMs: this.#clock.monotonicMs() })
    return head(QUESTION, this.#nonce)
  }

  /** @returns what to answer, if anything. */
  receive(from: string, body: Uint8Array): Uint8Array | null | 'malformed' {
    const view = new DataView(body.buffer, body.byteOffset, body.length)
    if (body.length === QUESTION_BYTES && body[0] === QUESTION) {
      const now = new DataView(new ArrayBuffer(8))
      now.setFloat64(0, this.#clock.wallMs())
      return concatBytes(head(ANSWER, view.getUint32(1)), new Uint8Array(now.buffer))
    }
    if (body.length !== ANSWER_BYTES || body[0] !== ANSWER) return 'malformed'
    const asked = this.#asked.get(from)
    const theirsMs = view.getFloat64(5)
    if (!Number.isFinite(theirsMs)) return 'malformed'
    if (asked?.nonce !== view.getUint32(1)) return null
    this.#asked.delete(from)
    const roundTripMs = this.#clock.monotonicMs() - asked.atMs
    const uncertaintyMs = roundTripMs / 2
    const sample = { offsetMs: theirsMs + uncertaintyMs - this.#clock.wallMs(), uncertaintyMs }
    this.#samples.set(from, [...(this.#samples.get(from) ?? []), sample].slice(-SAMPLES_KEPT))
    return null
  }

  forget(peer: string): void {
    this.#asked.delete(peer)
    this.#samples.delete(peer)
  }
}

function head(kind: number, nonce: number): Uint8Array {
  const bytes = new Uint8Array(QUESTION_BYTES)
  bytes[0] = kind
  new DataView(bytes.buffer).setUint32(1, nonce)
  return bytes
}
