/**
 * Brings what peers send to its handler, and gossip onward. A handler that throws harms nobody but its message.
 * @module
 */
import { assert, AssertionError } from '@althing/base'
import type { Clock, Log } from '@althing/base'
import type { Message, Network, NetworkStats, Verdict } from './network-types.ts'
import type { PeerLink } from './peer-link.ts'
import type { ErrorAnswer } from './protocol/control.ts'
import { Gossip, gossipId } from './protocol/gossip.ts'
import type { GossipLimits } from './protocol/gossip.ts'
import type { Kind } from './protocol/kinds.ts'

type MessageHandler = Parameters<Network['handle']>[1]
type GossipHandler = Parameters<Network['handleGossip']>[1]
type RequestHandler = Parameters<Network['handleRequest']>[1]

interface RouterSetup {
  readonly limits: GossipLimits
  readonly clock: Clock
  readonly log: Log
  readonly send: (peer: string, kind: Kind, body: Uint8Array) => void
  readonly penalise: (peer: string, reason: string) => void
  /** The peer's gossip was accepted. */
  readonly accepted: (peer: string) => void
}

export class Router {
  readonly #setup: RouterSetup
  readonly #gossip: Gossip
  readonly #messageHandlerByKind = new Map<string, MessageHandler>()
  readonly #gossipHandlerByKind = new Map<string, GossipHandler>()
  readonly #requestHandlerByKind = new Map<string, RequestHandler>()
  readonly #counts = { published: 0, accepted: 0, ignored: 0, rejected: 0, duplicate: 0 }

  constructor(setup: RouterSetup) {
    this.#setup = setup
    this.#gossip = new Gossip(setup.limits, setup.clock.monotonicMs())
  }

  get gossipCounts(): NetworkStats['gossip'] {
    return { ...this.#counts }
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

  peerOpened(peer: string): void {
    this.#gossip.peerOpened(peer, this.#now())
  }

  peerClosed(peer: string): void {
    this.#gossip.peerClosed(peer)
  }

  publish(kind: Kind, body: Uint8Array): void {
    assert(kind.gossip, `kind ${kind.name} is no gossip`)
    const id = gossipId(kind.id, body)
    if (!this.#gossip.published(id, this.#now())) return
    this.#counts.published++
    this.#relay(kind, id, body)
  }

  received(link: PeerLink, of: Kind, body: Uint8Array): void {
    if (of.gossip) return this.#receivedGossip(link, of, body)
    const handler = this.#messageHandlerByKind.get(of.name)
    if (handler === undefined) return
    try {
      handler({ from: link.peer, kind: of.name, body })
    } catch (error) {
      this.#handlerFailed(of, error)
    }
  }

  #receivedGossip(link: PeerLink, of: Kind, body: Uint8Array): void {
    const id = gossipId(of.id, body)
    if (!this.#gossip.received(link.peer, id, this.#now())) {
      this.#counts.duplicate++
      return
    }
    const handler = this.#gossipHandlerByKind.get(of.name)
    if (handler === undefined) return
    link.hold(body.length)
    const judged = (verdict: Verdict) => {
      link.release(body.length)
      this.#judged(link.peer, of, id, body, verdict)
    }
    const failed = (error: unknown) => {
      this.#handlerFailed(of, error)
      judged('ignore')
    }
    try {
      const verdict = handler({ from: link.peer, kind: of.name, body })
      if (typeof verdict === 'string') judged(verdict)
      else verdict.then(judged, failed)
    } catch (error) {
      failed(error)
    }
  }

  #judged(peer: string, of: Kind, id: string, body: Uint8Array, verdict: Verdict): void {
    switch (verdict) {
      case 'accept':
        this.#counts.accepted++
        this.#setup.accepted(peer)
        return this.#relay(of, id, body)
      case 'ignore':
        this.#counts.ignored++
        return
      case 'reject':
        this.#counts.rejected++
        return this.#setup.penalise(peer, `invalid gossip of kind ${of.name}`)
    }
  }

  #relay(kind: Kind, id: string, body: Uint8Array): void {
    for (const peer of this.#gossip.relayTo(id, this.#now())) this.#setup.send(peer, kind, body)
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

  #now(): number {
    return this.#setup.clock.monotonicMs()
  }
}
