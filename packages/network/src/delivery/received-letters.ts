/**
 * Letters for this node: opened, verified, given to the application once, acknowledged. A shell around `Inbox`, which says which are new.
 * @module
 */
import { AssertionError, assert } from '@althing/base'
import { openLetter, sealContext, signReceipt } from '../protocol/delivery-wire.ts'
import type { DeliveryOutcome, Letter, Packet } from '../protocol/delivery-wire.ts'
import { Inbox, INBOX_LIMITS } from '../protocol/inbox.ts'
import { sealKeyPairOf } from '../protocol/seal-key.ts'
import type { DeliveryHandler } from './delivery-types.ts'
import type { Post } from './post.ts'
import { open, openingKey, RECEIPT_NONCE_BYTES, sealReceipt } from './sealing.ts'

/** Of sealed letters that are being opened; further ones are left alone, and come again. */
const OPENING_BYTES_MAX = 16 * 1024 * 1024
/** What one costs besides its payload, so that short ones are bounded too. */
const OPENING_BYTES = 16 * 1024

export class ReceivedLetters {
  readonly #post: Post
  readonly #openingKey: ReturnType<typeof openingKey>
  readonly #inbox = new Inbox(INBOX_LIMITS)
  readonly #handlerByKind = new Map<string, DeliveryHandler>()
  #openingBytes = 0
  #isStopped = false

  constructor(post: Post) {
    this.#post = post
    this.#openingKey = openingKey(sealKeyPairOf(post.host.config.identity))
  }

  /** Ids that are kept. */
  get remembered(): number {
    return this.#inbox.size
  }

  handle(kind: string, handler: DeliveryHandler): void {
    assert(this.#post.host.config.kinds.byName.has(kind), `there is no message kind ${kind}`)
    this.#handlerByKind.set(kind, handler)
  }

  /** What is not acknowledged yet is not any more. */
  stop(): void {
    this.#isStopped = true
  }

  async takeSealed(packet: Packet): Promise<void> {
    const bytes = packet.payload.length + OPENING_BYTES
    if (this.#openingBytes + bytes > OPENING_BYTES_MAX) return this.#post.counts.add('left: busy')
    this.#openingBytes += bytes
    try {
      const context = sealContext(packet, this.#post.host.config.genesisHash)
      const opened = await open(await this.#openingKey, context, packet.payload)
      if (opened === null) this.#post.counts.add('left: cannot be opened')
      else if (!this.#isStopped) this.take(packet, opened.plaintext, opened.receiptKey)
    } finally {
      this.#openingBytes -= bytes
    }
  }

  take(packet: Packet, bytes = packet.payload, receiptKey: Uint8Array | null = null): void {
    const { genesisHash, verify, clock } = this.#post.host.config
    const opened = openLetter(bytes, packet, genesisHash, verify)
    if (!opened.ok) return this.#post.counts.add('left: forged letter')
    const letter = opened.value
    const arrival = this.#inbox.arrived(letter, clock.wallMs())
    switch (arrival.kind) {
      case 'new':
        return void this.#handle(letter, packet, receiptKey)
      case 'copy':
        this.#post.counts.add('left: copy')
        if (arrival.outcome !== null) void this.#acknowledge(packet, arrival.outcome, receiptKey)
        return
      case 'stale':
        this.#post.counts.add('left: stale')
        return void this.#acknowledge(packet, 'stale', receiptKey)
      case 'noRoom':
        return this.#post.counts.add('left: no room')
    }
  }

  async #handle(letter: Letter, packet: Packet, receiptKey: Uint8Array | null): Promise<void> {
    this.#post.counts.add('received')
    const outcome = await this.#giveToApplication(letter, receiptKey !== null)
    this.#inbox.finished(letter, outcome)
    if (!this.#isStopped) await this.#acknowledge(packet, outcome, receiptKey)
  }

  async #giveToApplication(letter: Letter, sealed: boolean): Promise<DeliveryOutcome> {
    const { config } = this.#post.host
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
      if (error instanceof AssertionError)
        queueMicrotask(() => {
          throw error
        }) // our own bug, not the message's
      return 'refused'
    }
  }

  async #acknowledge(packet: Packet, outcome: DeliveryOutcome, receiptKey: Uint8Array | null): Promise<void> {
    const { genesisHash, random } = this.#post.host.config
    const receipt = signReceipt(
      { id: packet.id, sender: packet.from, outcome },
      genesisHash,
      this.#post.signer,
    )
    if (receiptKey === null) return this.#post.answer(packet, 'receipt', receipt)
    const payload = await sealReceipt(receiptKey, random.bytes(RECEIPT_NONCE_BYTES), receipt)
    if (!this.#isStopped) this.#post.answer(packet, 'sealedReceipt', payload)
  }
}
