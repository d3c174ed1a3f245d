/**
 * An authority's key that another process holds, as the consensus core wants it: at once (decision 013). The main thread
 * waits for the answer, for a bounded time. When the signer is away, nothing is waited for: votes are not given, and the
 * node observes until it is back.
 * @module
 */
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { bytesToHex, equalBytes, hexToBytes, PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '@althing/base'
import type { Hash, Log, VoteSigner } from '@althing/base'
import { NodeError } from '../errors.ts'
import type { SignerAddress } from './address.ts'
import { ANSWERED, CAN_ASK } from './connection-messages.ts'
import type { ConnectionNews, ConnectionOrder, ConnectionSetup, SignAnswer } from './connection-messages.ts'

export interface RemoteSignerOptions {
  readonly address: SignerAddress
  /** For messages. */
  readonly name: string
  readonly token: string | null
  readonly genesis: Hash
  readonly log: Log
  /** How long one signature may take; the node stands still for so long. */
  readonly timeoutMs: number
}

const FIRST_HELLO_WITHIN_MS = 10_000

/**
 * Resolves when the signer has said whose key it holds.
 * @throws {NodeError} `SIGNER_UNREACHABLE` when it does not within ten seconds.
 */
export async function openRemoteSigner(options: RemoteSignerOptions): Promise<RemoteSigner> {
  const { port1: answers, port2 } = new MessageChannel()
  const shared = new Int32Array(new SharedArrayBuffer(8))
  const { address, token, genesis } = options
  const workerData: ConnectionSetup = { address, token, genesis: bytesToHex(genesis), shared, answers: port2 }
  const worker = new Worker(new URL('./connection.ts', import.meta.url), {
    workerData,
    transferList: [port2],
  })
  let last = 'it does not answer'
  const first = Promise.withResolvers<Uint8Array>()
  const listen = (news: ConnectionNews): void => {
    if (news.kind === 'lost') last = news.because
    else first.resolve(hexToBytes(news.publicKey) ?? new Uint8Array())
  }
  worker.on('message', listen)
  const timer = setTimeout(() => first.reject(unreachable(options.name, last)), FIRST_HELLO_WITHIN_MS)
  try {
    const publicKey = await first.promise
    if (publicKey.length !== PUBLIC_KEY_BYTES) throw unreachable(options.name, 'it names no public key')
    worker.off('message', listen)
    return new RemoteSigner(options, publicKey, { worker, shared, answers })
  } catch (error) {
    await worker.terminate()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

function unreachable(name: string, because: string): NodeError {
  return new NodeError(
    'SIGNER_UNREACHABLE',
    `The signer at ${name} cannot be used: ${because}. Start it with: althing signer start`,
  )
}

interface Connection {
  readonly worker: Worker
  readonly shared: Int32Array
  readonly answers: MessagePort
}

export class RemoteSigner implements VoteSigner {
  readonly publicKey: Uint8Array
  readonly #options: RemoteSignerOptions
  readonly #connection: Connection
  #asked = 1
  #lostBecause = 'it does not answer'
  /** It came back with another key. */
  #isOther = false

  constructor(options: RemoteSignerOptions, publicKey: Uint8Array, connection: Connection) {
    this.publicKey = publicKey
    this.#options = options
    this.#connection = connection
    connection.worker.on('message', (news: ConnectionNews) => this.#hear(news))
  }

  get unavailableBecause(): string | null {
    if (this.#isOther) return `the signer at ${this.#options.name} holds another key now`
    if (Atomics.load(this.#connection.shared, CAN_ASK) === 1) return null
    return `the signer at ${this.#options.name} is away: ${this.#lostBecause}`
  }

  sign(message: Uint8Array): Uint8Array | null {
    if (this.unavailableBecause !== null) return null
    const id = ++this.#asked
    this.#order({ kind: 'sign', id, message })
    const answer = this.#await(id)
    if (answer === null) return null
    const signature = answer.signature === undefined ? null : hexToBytes(answer.signature)
    if (signature?.length === SIGNATURE_BYTES) return signature
    this.#options.log.warn('the signer did not sign', { because: answer.refusal ?? 'no signature' })
    return null
  }

  async close(): Promise<void> {
    await this.#connection.worker.terminate()
  }

  /** Blocks. @returns null when it took too long or the connection was lost. */
  #await(id: number): SignAnswer | null {
    const { shared, answers } = this.#connection
    const { timeoutMs, name } = this.#options
    const end = performance.now() + timeoutMs
    for (;;) {
      const seen = Atomics.load(shared, ANSWERED)
      for (let got = receiveMessageOnPort(answers); got !== undefined; got = receiveMessageOnPort(answers)) {
        const answer = got.message as SignAnswer
        if (answer.id === id) return answer
      }
      if (Atomics.load(shared, CAN_ASK) === 0) return null
      const leftMs = end - performance.now()
      if (leftMs > 0 && Atomics.wait(shared, ANSWERED, seen, leftMs) !== 'timed-out') continue
      const because = `it did not answer within ${timeoutMs} ms`
      Atomics.store(shared, CAN_ASK, 0)
      this.#lostBecause = because
      this.#order({ kind: 'giveUp', because })
      this.#options.log.error('the signer is too slow', { signer: name, timeoutMs })
      return null
    }
  }

  #order(order: ConnectionOrder): void {
    this.#connection.worker.postMessage(order)
  }

  #hear(news: ConnectionNews): void {
    const { log, name } = this.#options
    if (news.kind === 'connected') {
      this.#isOther = !equalBytes(hexToBytes(news.publicKey) ?? new Uint8Array(), this.publicKey)
      return log.info('the signer is back', { signer: name, publicKey: news.publicKey })
    }
    if (news.because !== this.#lostBecause)
      log.error('the signer is away; this authority observes', { signer: name, because: news.because })
    this.#lostBecause = news.because
  }
}
