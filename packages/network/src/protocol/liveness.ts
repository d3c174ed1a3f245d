/**
 * Whether a peer is there, and how far away. Pure.
 * V1  any byte is a sign of life, so that bulk cannot kill a link; while we do not read, the silence is ours
 * V2  a peer that is silent, or whose link takes nothing, for `peerTimeoutMs` is gone
 * V3  the round trip is from a ping to its own pong, never to an older one
 * @module
 */
import type { Reason } from './reason.ts'

export interface LivenessLimits {
  readonly pingIntervalMs: number
  /** Without a byte from the peer, or with a link that takes none, for so long, the session ends. */
  readonly peerTimeoutMs: number
}

export type LivenessAct =
  | { readonly kind: 'ping'; readonly nonce: number }
  | { readonly kind: 'giveUp'; readonly reason: Reason }

export class Liveness {
  readonly #limits: LivenessLimits
  #latencyMs: number | null = null
  #pingNonce = 0
  #pingSentMs: number
  #pongAwaited = false
  #receivedMs: number
  #blockedSinceMs: number | null = null
  #readPaused = false

  constructor(limits: LivenessLimits, nowMs: number) {
    this.#limits = limits
    this.#receivedMs = nowMs
    this.#pingSentMs = nowMs
  }

  /** From ping to pong, queues included; null before the first. */
  get latencyMs(): number | null {
    return this.#latencyMs
  }

  get receivedMs(): number {
    return this.#receivedMs
  }

  /** The first ping is due at once. */
  opened(nowMs: number): void {
    this.#pingSentMs = nowMs - this.#limits.pingIntervalMs
  }

  received(nowMs: number): void {
    this.#receivedMs = nowMs
  }

  pong(nonce: number, nowMs: number): void {
    if (!this.#pongAwaited || nonce !== this.#pingNonce) return
    this.#pongAwaited = false
    this.#latencyMs = nowMs - this.#pingSentMs
  }

  linkWritable(writable: boolean, nowMs: number): void {
    if (writable) this.#blockedSinceMs = null
    else this.#blockedSinceMs ??= nowMs
  }

  pauseReading(): void {
    this.#readPaused = true
  }

  resumeReading(nowMs: number): void {
    this.#readPaused = false
    this.#receivedMs = nowMs
  }

  get nextDeadlineMs(): number {
    const { pingIntervalMs, peerTimeoutMs } = this.#limits
    return Math.min(
      this.#pingSentMs + pingIntervalMs,
      this.#readPaused ? Infinity : this.#receivedMs + peerTimeoutMs,
      this.#blockedSinceMs === null ? Infinity : this.#blockedSinceMs + peerTimeoutMs,
    )
  }

  /** @returns what is due now; null when nothing is. */
  tick(nowMs: number): LivenessAct | null {
    const { peerTimeoutMs, pingIntervalMs } = this.#limits
    if (this.#blockedSinceMs !== null && nowMs - this.#blockedSinceMs >= peerTimeoutMs) {
      const message = `nothing was read for ${peerTimeoutMs} ms`
      return { kind: 'giveUp', reason: { code: 'stopped-reading', message } }
    }
    if (!this.#readPaused && nowMs - this.#receivedMs >= peerTimeoutMs) {
      const message = `nothing was heard for ${peerTimeoutMs} ms`
      return { kind: 'giveUp', reason: { code: 'silent', message } }
    }
    if (nowMs - this.#pingSentMs < pingIntervalMs) return null
    this.#pingSentMs = nowMs
    this.#pongAwaited = true
    this.#pingNonce = (this.#pingNonce + 1) >>> 0
    return { kind: 'ping', nonce: this.#pingNonce }
  }
}
