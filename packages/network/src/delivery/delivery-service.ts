/**
 * Delivers messages end to end: acknowledged, once only, over other nodes where there is no link, and sealed for the recipient unless that
 * is not wanted (PT-7, PC-11, PC-12). This part passes packets on, and brings those for this node to where they belong.
 * @module
 */
import { signerOf } from '#platform'
import { Counts } from '../counts.ts'
import type { Message, NetworkDelivery, PeerView } from '../network-types.ts'
import { decodePacket, encodePacket, PACKET_BYTES_MAX } from '../protocol/delivery-wire.ts'
import type { Content, Packet } from '../protocol/delivery-wire.ts'
import { HOPS_MAX, Relay, RELAY_LIMITS } from '../protocol/relay.ts'
import type { Service, ServiceHost, ServiceSpec } from '../service.ts'
import type { DeliveryHandler, DeliveryOptions, DeliveryReceipt, DeliveryStats } from './delivery-types.ts'
import type { Post } from './post.ts'
import { ReceivedLetters } from './received-letters.ts'
import { SentLetters } from './sent-letters.ts'

const PACKET = 'delivery-packet'

export const deliverySpec: ServiceSpec<DeliveryService> = {
  feature: 'delivery',
  kinds: { [PACKET]: { id: 170, lane: 'normal', maxBytes: PACKET_BYTES_MAX } },
  create: (host) => new DeliveryService(host),
}

export class DeliveryService implements Service, NetworkDelivery {
  readonly #host: ServiceHost
  readonly #relay: Relay
  readonly #neighbours = new Set<string>()
  readonly #post: Post
  readonly #sent: SentLetters
  readonly #received: ReceivedLetters

  constructor(host: ServiceHost) {
    this.#host = host
    this.#relay = new Relay(host.peerId, RELAY_LIMITS, this.#now())
    this.#post = {
      host,
      signer: signerOf(host.config.identity),
      counts: new Counts(),
      ways: { neighbours: this.#neighbours, nextHop: (peer) => host.nextHop(peer) },
      transmit: (packet) => this.#transmit(packet, this.#relay.ways(packet, this.#post.ways)),
      answer: (packet, content, payload) => this.#answer(packet, content, payload),
    }
    this.#sent = new SentLetters(this.#post)
    this.#received = new ReceivedLetters(this.#post)
  }

  send(
    peer: string,
    kind: string,
    body: Uint8Array,
    options: DeliveryOptions = {},
  ): Promise<DeliveryReceipt> {
    return this.#sent.send(peer, kind, body, options)
  }

  handle(kind: string, handler: DeliveryHandler): void {
    this.#received.handle(kind, handler)
  }

  stats(): DeliveryStats {
    const { count, bytes } = this.#sent.waiting
    return {
      waiting: count,
      waitingBytes: bytes,
      remembered: this.#received.remembered,
      counts: this.#post.counts.toRecord(),
    }
  }

  peerOpened({ id }: PeerView): void {
    const isFirst = this.#neighbours.size === 0
    this.#neighbours.add(id)
    this.#sent.peerAppeared(id, isFirst)
  }

  peerClosed(peer: string): void {
    this.#neighbours.delete(peer)
    this.#relay.peerClosed(peer)
  }

  tick(nowMs: number): number {
    return this.#sent.tick(nowMs)
  }

  stop(): void {
    this.#sent.stop()
    this.#received.stop()
  }

  received({ from, body }: Message): void {
    const decoded = decodePacket(body)
    if (!decoded.ok) return this.#host.penalise(from, `a packet: ${decoded.fault.message}`)
    const packet = decoded.value
    const { counts, ways } = this.#post
    const decision = this.#relay.received(packet, from, ways, this.#now())
    switch (decision.kind) {
      case 'drop':
        return counts.add(`left: ${decision.reason}`)
      case 'pass':
        counts.add('passed on')
        return this.#transmit({ ...packet, hopsLeft: decision.hopsLeft }, decision.to)
      case 'take':
        return this.#take(packet, from)
    }
  }

  /** It is for this node. */
  #take(packet: Packet, neighbour: string): void {
    switch (packet.content) {
      case 'letter':
        return this.#received.take(packet)
      case 'sealedLetter':
        return void this.#received.takeSealed(packet)
      case 'receipt':
        return this.#sent.takeReceipt(packet, packet.payload)
      case 'sealedReceipt':
        return void this.#sent.takeSealedReceipt(packet)
      case 'keyQuestion':
        return this.#answerQuestion(packet, neighbour)
      case 'keyAnswer':
        return this.#sent.takeKeyAnswer(packet)
    }
  }

  /** The answer is longer than the question: it counts as what the neighbour has us pass on. */
  #answerQuestion(packet: Packet, neighbour: string): void {
    const { encoded } = this.#host.records.own(this.#host.addresses())
    if (this.#relay.charge(neighbour, encoded.length, this.#now())) this.#answer(packet, 'keyAnswer', encoded)
    else this.#post.counts.add('left: budget')
  }

  #answer({ id, attempt, flood, from }: Packet, content: Content, payload: Uint8Array): void {
    const { peerId } = this.#host
    this.#post.transmit({ content, id, attempt, flood, hopsLeft: HOPS_MAX, from: peerId, to: from, payload })
  }

  #transmit(packet: Packet, to: readonly string[]): void {
    const encoded = encodePacket(packet)
    for (const peer of to) this.#host.send(peer, PACKET, encoded)
  }

  #now(): number {
    return this.#host.config.clock.monotonicMs()
  }
}
