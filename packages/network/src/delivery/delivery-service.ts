/**
 * Delivers messages end to end: acknowledged, once only, over other nodes where there is no link, and sealed for the recipient unless that
 * is not wanted (PT-7, PC-11, PC-12). A shell: `Outbox`, `Inbox` and `Relay` decide.
 * @module
 */
import { signerOf } from '#platform'
import { assert, bytesToHex } from '@althing/base'
import type { Signer } from '@althing/base'
import { Counts } from '../counts.ts'
import { NetworkError } from '../errors.ts'
import type { Message, NetworkDelivery, PeerView } from '../network-types.ts'
import {
  decodePacket,
  DELIVERY_BODY_BYTES_MAX,
  DELIVERY_ID_BYTES,
  encodePacket,
  openLetter,
  openReceipt,
  PACKET_BYTES_MAX,
  sealContext,
  signLetter,
  signReceipt,
} from '../protocol/delivery-wire.ts'
import type { DeliveryOutcome, Letter, Packet } from '../protocol/delivery-wire.ts'
import { Inbox, INBOX_LIMITS } from '../protocol/inbox.ts'
import { Outbox, OUTBOX_LIMITS } from '../protocol/outbox.ts'
import { keyOfPeerId } from '../protocol/peer-id.ts'
import { HOPS_MAX, Relay, RELAY_LIMITS } from '../protocol/relay.ts'
import type { Ways } from '../protocol/relay.ts'
import { sealKeyPairOf } from '../protocol/seal-key.ts'
import type { Service, ServiceHost, ServiceSpec } from '../service.ts'
import type { DeliveryHandler, DeliveryOptions, DeliveryReceipt, DeliveryStats } from './delivery-types.ts'
import { open, openingKey, openReceiptSeal, RECEIPT_NONCE_BYTES, seal, sealReceipt } from './sealing.ts'
import type { Sealed } from './sealing.ts'

const PACKET = 'delivery-packet'
const DEADLINE_DEFAULT_MS = 30_000
/** So that a letter's whole life fits into the window of its recipient, whose clock may be another. */
const DEADLINE_MAX_MS = INBOX_LIMITS.windowMs - INBOX_LIMITS.skewMs
const HOPS_DEFAULT = 16
/** Of sealed letters that are being opened; further ones are left alone, and come again. */
const OPENING_BYTES_MAX = 16 * 1024 * 1024
/** What one costs besides its payload, so that short ones are bounded too. */
const OPENING_BYTES = 16 * 1024
/** A longer letter is repeated, or sent to all, only when its recipient has just answered a question. */
const SHORT_LETTER_BYTES_MAX = 16 * 1024
/** A short one is sent so often before that. */
const SENT_UNASKED_MAX = 2
const NO_BYTES = new Uint8Array(0)

export const deliverySpec: ServiceSpec<DeliveryService> = {
  feature: 'delivery',
  kinds: { [PACKET]: { id: 170, lane: 'normal', maxBytes: PACKET_BYTES_MAX } },
  create: (host) => new DeliveryService(host),
}

interface Waiting {
  readonly to: string
  readonly isSealed: boolean
  readonly hopsMax: number
  readonly startedMs: number
  /** Signed, not sealed. */
  readonly letter: Uint8Array
  readonly resolve: (receipt: DeliveryReceipt) => void
  readonly reject: (error: NetworkError) => void
  /** With the key that was sealed to; null before the recipient's key is known. */
  sealed: (Sealed & { readonly key: Uint8Array }) | null
  isSealing: boolean
  /** The recipient answered a question since the letter was sent last. */
  isThere: boolean
  /** How often the letter itself left. */
  timesSent: number
  attempts: number
}

export class DeliveryService implements Service, NetworkDelivery {
  readonly #host: ServiceHost
  readonly #signer: Signer
  readonly #openingKey: ReturnType<typeof openingKey>
  readonly #outbox = new Outbox(OUTBOX_LIMITS)
  readonly #inbox = new Inbox(INBOX_LIMITS)
  readonly #relay: Relay
  readonly #ways: Ways & { readonly neighbours: Set<string> }
  readonly #waitingById = new Map<string, Waiting>()
  readonly #handlerByKind = new Map<string, DeliveryHandler>()
  readonly #counts = new Counts()
  #openingBytes = 0
  #isStopped = false

  constructor(host: ServiceHost) {
    this.#host = host
    this.#signer = signerOf(host.config.identity)
    this.#openingKey = openingKey(sealKeyPairOf(host.config.identity))
    this.#ways = { neighbours: new Set(), nextHop: (peer) => host.nextHop(peer) }
    this.#relay = new Relay(host.peerId, RELAY_LIMITS, this.#now())
  }

  stats(): DeliveryStats {
    return {
      waiting: this.#outbox.size,
      waitingBytes: this.#outbox.bytes,
      remembered: this.#inbox.size,
      counts: this.#counts.toRecord(),
    }
  }

  handle(kind: string, handler: DeliveryHandler): void {
    assert(this.#host.config.kinds.byName.has(kind), `there is no message kind ${kind}`)
    this.#handlerByKind.set(kind, handler)
  }

  send(
    peer: string,
    kindName: string,
    body: Uint8Array,
    options: DeliveryOptions = {},
  ): Promise<DeliveryReceipt> {
    const { sealed = true, deadlineMs = DEADLINE_DEFAULT_MS, hopsMax = HOPS_DEFAULT, signal } = options
    assert(
      deadlineMs >= 1 && deadlineMs <= DEADLINE_MAX_MS,
      `deadlineMs ${deadlineMs} is not 1 to ${DEADLINE_MAX_MS}`,
    )
    assert(hopsMax >= 0 && hopsMax <= HOPS_MAX, `hopsMax ${hopsMax} is not 0 to ${HOPS_MAX}`)
    const problem = this.#problem(peer, kindName, body, signal)
    if (problem !== null) return Promise.reject(problem)
    const { config } = this.#host
    const nowMs = this.#now()
    const id = bytesToHex(config.random.bytes(DELIVERY_ID_BYTES))
    const sentMs = Math.trunc(config.clock.wallMs())
    const letter = signLetter(
      {
        from: this.#host.peerId,
        to: peer,
        id,
        sentMs,
        expiresMs: sentMs + Math.ceil(deadlineMs),
        kindId: config.kinds.byName.get(kindName)!.id,
        body,
      },
      config.genesisHash,
      this.#signer,
    )
    const entry = { id, to: peer, bytes: letter.length, deadlineMs: nowMs + deadlineMs }
    if (!this.#outbox.add(entry, nowMs)) {
      return Promise.reject(new NetworkError('QUEUE_FULL', 'too many messages wait to be delivered'))
    }
    const { promise, resolve, reject } = Promise.withResolvers<DeliveryReceipt>()
    this.#waitingById.set(id, {
      to: peer,
      isSealed: sealed,
      hopsMax,
      startedMs: nowMs,
      letter,
      resolve,
      reject,
      sealed: null,
      isSealing: false,
      isThere: false,
      timesSent: 0,
      attempts: 0,
    })
    this.#sendDue(nowMs)
    this.#host.wakeBy(this.#outbox.nextDueMs())
    if (signal === undefined) return promise
    const onAbort = () => this.#end(id, cancelled())
    signal.addEventListener('abort', onAbort, { once: true })
    return promise.finally(() => signal.removeEventListener('abort', onAbort))
  }

  #problem(
    peer: string,
    kindName: string,
    body: Uint8Array,
    signal: AbortSignal | undefined,
  ): NetworkError | null {
    const kind = this.#host.config.kinds.byName.get(kindName)
    assert(kind !== undefined, `there is no message kind ${kindName}`)
    const bytesMax = Math.min(kind.maxBytes, DELIVERY_BODY_BYTES_MAX)
    if (this.#isStopped) return stopped()
    if (signal?.aborted) return cancelled()
    if (peer === this.#host.peerId) return new NetworkError('PEER_UNREACHABLE', 'this is the node itself')
    if (keyOfPeerId(peer) === null) return new NetworkError('PEER_UNREACHABLE', `"${peer}" is no peer id`)
    if (body.length <= bytesMax) return null
    return new NetworkError(
      'MESSAGE_TOO_LARGE',
      `${body.length} bytes; ${kindName} delivers at most ${bytesMax}`,
    )
  }

  peerOpened({ id }: PeerView): void {
    this.#outbox.peerAppeared(id, this.#ways.neighbours.size === 0, this.#now())
    this.#ways.neighbours.add(id)
    this.#host.wakeBy(this.#now())
  }

  peerClosed(peer: string): void {
    this.#ways.neighbours.delete(peer)
    this.#relay.peerClosed(peer)
  }

  tick(nowMs: number): number {
    this.#sendDue(nowMs)
    return this.#outbox.nextDueMs()
  }

  stop(): void {
    this.#isStopped = true
    for (const id of this.#waitingById.keys()) this.#end(id, stopped())
  }

  // Letters of our own

  #sendDue(nowMs: number): void {
    for (const effect of this.#outbox.due(nowMs)) {
      const waiting = this.#waitingById.get(effect.id)
      if (waiting === undefined) continue
      waiting.attempts = effect.attempts
      if (effect.kind === 'giveUp') this.#end(effect.id, outOfTime(waiting))
      else this.#attempt(effect.id, waiting)
    }
  }

  #attempt(id: string, waiting: Waiting): void {
    if (!waiting.isThere && this.#mustAsk(waiting)) return this.#ask(id, waiting)
    if (!waiting.isSealed) return this.#sendLetter(id, waiting, 'letter', waiting.letter)
    const key = this.#host.records.get(waiting.to)?.sealKey
    if (key === undefined) return this.#ask(id, waiting)
    // A newer record may name another key.
    if (waiting.sealed !== null && bytesToHex(waiting.sealed.key) === bytesToHex(key)) {
      return this.#sendLetter(id, waiting, 'sealedLetter', waiting.sealed.payload)
    }
    if (!waiting.isSealing) void this.#sealAndSend(id, waiting, key)
  }

  /** A question costs the network far less than a letter; and its answer tells whether the recipient's key has changed. */
  #mustAsk({ letter, timesSent, to }: Waiting): boolean {
    const isLong = letter.length > SHORT_LETTER_BYTES_MAX
    return isLong ? timesSent > 0 || !this.#hasWay(to) : timesSent >= SENT_UNASKED_MAX
  }

  async #sealAndSend(id: string, waiting: Waiting, key: Uint8Array): Promise<void> {
    const { peerId, config } = this.#host
    waiting.isSealing = true
    try {
      const context = sealContext({ from: peerId, to: waiting.to, id }, config.genesisHash)
      waiting.sealed = { ...(await seal(key, context, waiting.letter)), key }
    } catch (error) {
      config.log.warn('a message cannot be sealed', { to: waiting.to, error })
      return
    } finally {
      waiting.isSealing = false
    }
    if (this.#waitingById.get(id) === waiting) {
      this.#sendLetter(id, waiting, 'sealedLetter', waiting.sealed.payload)
    }
  }

  /** The first time along the map, afterwards to all: who drops packets cannot stop it while there is another way. */
  #sendLetter(id: string, waiting: Waiting, content: 'letter' | 'sealedLetter', payload: Uint8Array): void {
    const flood = waiting.timesSent > 0
    waiting.timesSent++
    waiting.isThere = false
    this.#counts.add(flood ? 'letters repeated' : 'letters sent')
    this.#sendWaiting(id, waiting, { content, flood, payload })
  }

  #ask(id: string, waiting: Waiting): void {
    this.#counts.add('keys asked for')
    const flood = waiting.attempts > 1
    this.#sendWaiting(id, waiting, { content: 'keyQuestion', flood, payload: NO_BYTES })
  }

  #isThere(peer: string): void {
    for (const waiting of this.#waitingById.values()) if (waiting.to === peer) waiting.isThere = true
    this.#outbox.peerAppeared(peer, false, this.#now())
    this.#host.wakeBy(this.#now())
  }

  #hasWay(peer: string): boolean {
    return this.#ways.neighbours.has(peer) || this.#host.nextHop(peer) !== null
  }

  #sendWaiting(id: string, waiting: Waiting, packet: Pick<Packet, 'content' | 'flood' | 'payload'>): void {
    if (waiting.hopsMax === 0 && !this.#ways.neighbours.has(waiting.to)) return
    const attempt = Math.min(waiting.attempts, 255)
    const from = this.#host.peerId
    this.#sendPacket({ ...packet, id, attempt, hopsLeft: waiting.hopsMax, from, to: waiting.to })
  }

  #sendPacket(packet: Packet): void {
    const encoded = encodePacket(packet)
    for (const peer of this.#relay.ways(packet, this.#ways)) this.#host.send(peer, PACKET, encoded)
  }

  /** No effect when it was settled already. */
  #end(id: string, result: NetworkError | 'delivered'): void {
    const waiting = this.#waitingById.get(id)
    if (waiting === undefined) return
    this.#waitingById.delete(id)
    this.#outbox.remove(id)
    this.#host.wakeBy(this.#outbox.nextDueMs()) // another one may take its turn
    this.#counts.add(result === 'delivered' ? 'delivered' : `failed: ${result.code}`)
    if (result !== 'delivered') return waiting.reject(result)
    waiting.resolve({ id, elapsedMs: this.#now() - waiting.startedMs, attempts: waiting.attempts })
  }

  // Packets of others

  received({ from, body }: Message): void {
    const decoded = decodePacket(body)
    if (!decoded.ok) return this.#host.penalise(from, `a packet: ${decoded.fault.message}`)
    const packet = decoded.value
    const decision = this.#relay.received(packet, from, this.#ways, this.#now())
    switch (decision.kind) {
      case 'drop':
        return this.#counts.add(`left: ${decision.reason}`)
      case 'pass': {
        this.#counts.add('passed on')
        const encoded = encodePacket({ ...packet, hopsLeft: decision.hopsLeft })
        for (const peer of decision.to) this.#host.send(peer, PACKET, encoded)
        return
      }
      case 'take':
        return this.#take(packet, from)
    }
  }

  /** It is for this node. */
  #take(packet: Packet, neighbour: string): void {
    switch (packet.content) {
      case 'letter':
        return this.#takeLetter(packet, packet.payload, null)
      case 'sealedLetter':
        return void this.#openLetter(packet)
      case 'receipt':
        return this.#takeReceipt(packet, packet.payload)
      case 'sealedReceipt':
        return void this.#openReceipt(packet)
      case 'keyQuestion': {
        const payload = this.#host.records.own(this.#host.addresses()).encoded
        if (!this.#relay.charge(neighbour, payload.length, this.#now()))
          return this.#counts.add('left: budget')
        return this.#answer(packet, 'keyAnswer', payload)
      }
      case 'keyAnswer':
        if (this.#host.records.take(packet.payload, false) === 'invalid')
          this.#counts.add('left: forged record')
        return this.#isThere(packet.from)
    }
  }

  async #openLetter(packet: Packet): Promise<void> {
    const bytes = packet.payload.length + OPENING_BYTES
    if (this.#openingBytes + bytes > OPENING_BYTES_MAX) return this.#counts.add('left: busy')
    this.#openingBytes += bytes
    try {
      const context = sealContext(packet, this.#host.config.genesisHash)
      const opened = await open(await this.#openingKey, context, packet.payload)
      if (opened === null) this.#counts.add('left: cannot be opened')
      else if (!this.#isStopped) this.#takeLetter(packet, opened.plaintext, opened.receiptKey)
    } finally {
      this.#openingBytes -= bytes
    }
  }

  #takeLetter(packet: Packet, bytes: Uint8Array, receiptKey: Uint8Array | null): void {
    const { genesisHash, verify, clock } = this.#host.config
    const opened = openLetter(bytes, packet, genesisHash, verify)
    if (!opened.ok) return this.#counts.add('left: forged letter')
    const letter = opened.value
    const arrival = this.#inbox.arrived(letter, clock.wallMs())
    switch (arrival.kind) {
      case 'new':
        return void this.#handle(letter, packet, receiptKey)
      case 'copy':
        this.#counts.add('left: copy')
        if (arrival.outcome !== null) void this.#acknowledge(packet, arrival.outcome, receiptKey)
        return
      case 'stale':
        this.#counts.add('left: stale')
        return void this.#acknowledge(packet, 'stale', receiptKey)
      case 'noRoom':
        return this.#counts.add('left: no room')
    }
  }

  async #handle(letter: Letter, packet: Packet, receiptKey: Uint8Array | null): Promise<void> {
    this.#counts.add('received')
    const outcome = await this.#giveToApplication(letter, receiptKey !== null)
    this.#inbox.finished(letter, outcome)
    if (!this.#isStopped) await this.#acknowledge(packet, outcome, receiptKey)
  }

  async #giveToApplication(letter: Letter, sealed: boolean): Promise<DeliveryOutcome> {
    const { config } = this.#host
    const kind = config.kinds.byId.get(letter.kindId)
    const handler = kind && this.#handlerByKind.get(kind.name)
    if (handler === undefined || kind === undefined) return 'unhandled'
    if (letter.body.length > kind.maxBytes) return 'refused'
    try {
      const { from, id, body, sentMs } = letter
      await handler({ from, kind: kind.name, body, id, sealed, sentAtMs: sentMs })
      return 'delivered'
    } catch (error) {
      config.log.warn('a delivered message was refused', { from: letter.from, kind: kind.name, error })
      return 'refused'
    }
  }

  async #acknowledge(packet: Packet, outcome: DeliveryOutcome, receiptKey: Uint8Array | null): Promise<void> {
    const { genesisHash, random } = this.#host.config
    const receipt = signReceipt({ id: packet.id, sender: packet.from, outcome }, genesisHash, this.#signer)
    if (receiptKey === null) return this.#answer(packet, 'receipt', receipt)
    const payload = await sealReceipt(receiptKey, random.bytes(RECEIPT_NONCE_BYTES), receipt)
    this.#answer(packet, 'sealedReceipt', payload)
  }

  /** Goes back as the packet came: along the map, or to all. */
  #answer({ id, attempt, flood, from }: Packet, content: Packet['content'], payload: Uint8Array): void {
    if (this.#isStopped) return
    const hopsLeft = HOPS_MAX
    this.#sendPacket({ content, id, attempt, flood, hopsLeft, from: this.#host.peerId, to: from, payload })
  }

  async #openReceipt(packet: Packet): Promise<void> {
    const receiptKey = this.#waitingById.get(packet.id)?.sealed?.receiptKey
    if (receiptKey === undefined) return
    const receipt = await openReceiptSeal(receiptKey, packet.payload)
    if (receipt === null) this.#counts.add('left: cannot be opened')
    else this.#takeReceipt(packet, receipt)
  }

  #takeReceipt(packet: Packet, bytes: Uint8Array): void {
    const waiting = this.#waitingById.get(packet.id)
    if (waiting === undefined || waiting.to !== packet.from) return
    const { genesisHash, verify } = this.#host.config
    const about = { id: packet.id, sender: this.#host.peerId, recipient: waiting.to }
    const outcome = openReceipt(bytes, about, genesisHash, verify)
    if (!outcome.ok) return this.#counts.add('left: forged receipt')
    this.#end(packet.id, outcome.value === 'delivered' ? 'delivered' : refused(waiting.to, outcome.value))
  }

  #now(): number {
    return this.#host.config.clock.monotonicMs()
  }
}

function stopped(): NetworkError {
  return new NetworkError('STOPPED', 'the network stopped')
}

function cancelled(): NetworkError {
  return new NetworkError(
    'REQUEST_CANCELLED',
    'the delivery was cancelled; the message may arrive all the same',
  )
}

function outOfTime({ to, attempts, timesSent }: Waiting): NetworkError {
  const what =
    timesSent === 0
      ? `its key was asked for ${attempts} times; it is not on this network, or not reachable`
      : `sent ${timesSent} times; it may have arrived all the same`
  return new NetworkError('DELIVERY_TIMEOUT', `no receipt from ${to} in time: ${what}`)
}

function refused(to: string, outcome: Exclude<DeliveryOutcome, 'delivered'>): NetworkError {
  const why = {
    refused: 'its application refused the message; its log says why',
    unhandled: 'nothing there handles messages of this kind',
    stale: 'the message came too late, or the clocks of the two nodes are too far apart',
  }[outcome]
  return new NetworkError('DELIVERY_REFUSED', `${to}: ${why}`, { remoteCode: outcome })
}
