/**
 * What went wrong between this node and others, counted by kind of error and peer, with the last example of each (PT-15). Bounded.
 * @module
 */
import type { NetworkError } from './errors.ts'
import type { NetworkEvent } from './network-types.ts'
import { reasonText } from './protocol/reason.ts'
import type { ReasonCode } from './protocol/reason.ts'

export interface NetworkErrorCount {
  /** `refused`: a handshake. `ended`: a session, unless both sides go on well. `fault`: what no honest peer does. */
  readonly type: 'refused' | 'ended' | 'fault' | 'dial' | 'request'
  /** Of a refusal or an end the reason, of a fault the offence, of a request the error's code; `failed` for a dial. */
  readonly code: string
  /** Null for a dial, whose other end nobody has proved to be. */
  readonly peer: string | null
  readonly count: number
  /** Wall clock. */
  readonly lastAtMs: number
  /** The last one, for people. */
  readonly example: string
}

export interface ErrorView {
  /** The last 512 of different type, code or peer; the newest last. */
  readonly errors: readonly NetworkErrorCount[]
  /** By type and code together, as `fault flood`; of all peers since the start. */
  readonly errorsByType: Readonly<Record<string, number>>
}

const COUNTS_MAX = 512
const EXAMPLE_CHARACTERS_MAX = 300

/** Ends and refusals that belong to good order. */
const ROUTINE: ReadonlySet<ReasonCode> = new Set(['shutting-down', 'requested', 'duplicate', 'replaced'])

export class ErrorLog {
  /** The one that happened last stands last. */
  readonly #countByKey = new Map<string, NetworkErrorCount>()
  readonly #totalByType = new Map<string, number>()

  note(event: NetworkEvent, wallMs: number): void {
    switch (event.kind) {
      case 'peerRefused':
      case 'peerDisconnected': {
        const { peer, reason } = event
        if (ROUTINE.has(reason.code)) return
        const type = event.kind === 'peerRefused' ? 'refused' : 'ended'
        return this.#add({ type, code: reason.code, peer, example: reasonText(reason) }, wallMs)
      }
      case 'peerFault':
        return this.#add(
          { type: 'fault', code: event.offence, peer: event.peer, example: event.reason },
          wallMs,
        )
      case 'dialFailed':
        return this.#add({ type: 'dial', code: 'failed', peer: null, example: event.message }, wallMs)
      default:
        return
    }
  }

  /** A request of ours that was refused, or not answered. */
  requestFailed(peer: string, { code, message }: NetworkError, wallMs: number): void {
    this.#add({ type: 'request', code, peer, example: message }, wallMs)
  }

  get view(): ErrorView {
    return {
      errors: [...this.#countByKey.values()],
      errorsByType: Object.fromEntries(this.#totalByType),
    }
  }

  #add(error: Pick<NetworkErrorCount, 'type' | 'code' | 'peer' | 'example'>, wallMs: number): void {
    const total = `${error.type} ${error.code}`
    this.#totalByType.set(total, (this.#totalByType.get(total) ?? 0) + 1)
    const key = `${total} ${error.peer}`
    const count = (this.#countByKey.get(key)?.count ?? 0) + 1
    this.#countByKey.delete(key)
    this.#countByKey.set(key, {
      ...error,
      example: error.example.slice(0, EXAMPLE_CHARACTERS_MAX),
      count,
      lastAtMs: wallMs,
    })
    if (this.#countByKey.size <= COUNTS_MAX) return
    const [oldest] = this.#countByKey.keys()
    this.#countByKey.delete(oldest!)
  }
}
