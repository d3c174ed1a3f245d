/**
 * Brings what peers send to its handler, and gossip onward. A handler that throws harms nobody but its message.
 * @module
 */
import { assert, AssertionError } from '@althing/base'
import type { Log } from '@althing/base'
import type { Message, Network, NetworkStats, Verdict } from './network-types.ts'
import type { PeerLink } from './peer-link.ts'
import type { ErrorAnswer } from './protocol/control.ts'
import { GossipRelay } from './gossip-relay.ts'
import type { RelaySetup } from './gossip-relay.ts'
import type { Kind } from './protocol/kinds.ts'
import { NOTICE_KINDS } from './protocol/notice.ts'

type MessageHandler = Parameters<Network['handle']>[1]
type GossipHandler = Parameters<Network['handleGossip']>[1]
type RequestHandler = Parameters<Network['handleRequest']>[1]

interface RouterSetup extends Omit<RelaySetup, 'judge'> {
  readonly log: Log
}

export class Router {
  readonly #setup: RouterSetup
  readonly #gossip: GossipRelay
  readonly #messageHandlerByKind = new Map<string, MessageHandler>()
  readonly #gossipHandlerByKind = new Map<string, GossipHandler>()
  readonly #requestHandlerByKind = new Map<string, RequestHandler>()

  constructor(setup: RouterSetup) {
    this.#setup = setup
    this.#gossip = new GossipRelay({
      ...setup,
      judge: (link, of, body, judged) => this.#judge(link, of, body, judged),
    })
    for (const name of Object.keys(NOTICE_KINDS)) {
      this.#messageHandlerByKind.set(name, ({ from, body }) => this.#gossip.noticed(from, name, body))
    }
  }

  get gossipStats(): NetworkStats['gossip'] {
    return this.#gossip.stats
  }

  handle(kind: Kind, handler: MessageHandler): void {
    assert(!kind.gossip, `kind ${kind.name} is gossip: use handleGossip`)
    this.#messageHandlerByKind.set(kind.name, handler)
  }

  handleGossip(kind: Kind, handler: GossipHandler): void {
    assert(kind.gossip, `kind ${kind.name} is no gossip: use handle`)
    this.#gossipHandlerByKind.set(kind.name, handler)
  }

  handleRequest(kind: Kind, handler: RequestHandler): void {
    this.#requestHandlerByKind.set(kind.name, handler)
  }

  peerOpened(peer: string, features: readonly string[]): void {
    this.#gossip.peerOpened(peer, features)
  }

  peerClosed(peer: string): void {
    this.#gossip.peerClosed(peer)
  }

  stop(): void {
    this.#gossip.stop()
  }

  publish(kind: Kind, body: Uint8Array): void {
    assert(kind.gossip, `kind ${kind.name} is no gossip`)
    this.#gossip.publish(kind, body)
  }

  /** @param origin of gossip: the number under which its origin sends, as the peer says. */
  received(link: PeerLink, of: Kind, body: Uint8Array, origin: number): void {
    if (of.gossip) return this.#gossip.received(link, of, body, origin)
    const handler = this.#messageHandlerByKind.get(of.name)
    if (handler === undefined) return
    try {
      handler({ from: link.peer, kind: of.name, body })
    } catch (error) {
      this.#handlerFailed(of, error)
    }
  }

  /** Kinds without a handler are not passed on. */
  #judge(link: PeerLink, of: Kind, body: Uint8Array, judged: (verdict: Verdict) => void): void {
    const handler = this.#gossipHandlerByKind.get(of.name)
    if (handler === undefined) return judged('ignore')
    link.hold(body.length)
    const settle = (verdict: Verdict) => {
      link.release(body.length)
      judged(verdict)
    }
    const failed = (error: unknown) => {
      this.#handlerFailed(of, error)
      settle('ignore')
    }
    let verdict: Verdict | Promise<Verdict>
    try {
      verdict = handler({ from: link.peer, kind: of.name, body })
    } catch (error) {
      return failed(error)
    }
    if (typeof verdict === 'string') settle(verdict)
    else verdict.then(settle, failed)
  }

  requested(link: PeerLink, of: Kind, requestId: number, body: Uint8Array): void {
    const handler = this.#requestHandlerByKind.get(of.name)
    const signal = link.beginAnswer(requestId)
    if (handler === undefined) {
      link.endAnswer(requestId, { code: 'NOT_SUPPORTED', message: `${of.name} is not answered here` })
      return
    }
    link.hold(body.length)
    void this.#answer(handler, { from: link.peer, kind: of.name, body }, of, signal).then((answer) => {
      link.release(body.length)
      link.endAnswer(requestId, answer)
    })
  }

  async #answer(
    handler: RequestHandler,
    message: Message,
    of: Kind,
    signal: AbortSignal,
  ): Promise<Uint8Array | ErrorAnswer> {
    try {
      const answer = await handler(message, signal)
      if (answer.length <= of.maxBytes) return answer
      return {
        code: 'MESSAGE_TOO_LARGE',
        message: `the answer has ${answer.length} bytes; ${of.maxBytes} are allowed`,
      }
    } catch (error) {
      if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
        return { code: error.code, message: error.message }
      }
      if (!signal.aborted) this.#handlerFailed(of, error)
      return { code: 'INTERNAL', message: 'the request failed here' }
    }
  }

  /** A broken assertion stops the process, anything else is logged. */
  #handlerFailed(of: Kind, error: unknown): void {
    this.#setup.log.error('handler failed', { kind: of.name, error })
    if (error instanceof AssertionError) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
