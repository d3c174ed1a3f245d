/**
 * What TLS costs on one link: bare TCP, a libp2p stream over `@libp2p/tls`, the same over our encrypter, and a session of the network.
 * Each end is a process of its own.
 * @module
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { percentile } from './percentiles.ts'
import { say } from './say.ts'

const CARRIERS = ['tcp', 'stock', 'ours', 'session'] as const
/** `stock` and `ours` are libp2p streams over either encrypter; `session` is ours with the frames and lanes of the network. */
export type Carrier = (typeof CARRIERS)[number]

/** What a listener says first. */
export interface Listening {
  readonly address: string
}

/** What a listener says last. */
export interface Counted {
  readonly bytes: number
  readonly seconds: number
}

type PerCarrier = Readonly<Record<Carrier, number>>

export interface TlsReport {
  /** Pieces of 64 KiB, one way. */
  readonly bulkBytesPerSecond: PerCarrier
  /** Of 256 bytes each, one way. */
  readonly messagesPerSecond: PerCarrier
}

const BULK_PIECE_BYTES = 64 * 1024
const MESSAGE_BYTES = 256
/** Carriers take turns, and each gets the median of its rounds: a busy moment of the machine spoils no ratio. */
const ROUNDS = 3

/** @param seconds of each of the 24 measurements. */
export async function runTlsBench(seconds: number): Promise<TlsReport> {
  const messagesPerSecond = await inTurns(MESSAGE_BYTES, seconds, MESSAGE_BYTES)
  return { bulkBytesPerSecond: await inTurns(BULK_PIECE_BYTES, seconds, 1), messagesPerSecond }
}

/** @param unitBytes what is counted. */
async function inTurns(messageBytes: number, seconds: number, unitBytes: number): Promise<PerCarrier> {
  const rates: Record<Carrier, number[]> = { tcp: [], stock: [], ours: [], session: [] }
  for (let round = 1; round <= ROUNDS; round++) {
    for (const carrier of CARRIERS) {
      say(`${carrier}, ${messageBytes} bytes at a time, round ${round} of ${ROUNDS} …`)
      rates[carrier].push((await bytesPerSecond(carrier, messageBytes, seconds)) / unitBytes)
    }
  }
  const { tcp, stock, ours, session } = rates
  const median = (values: readonly number[]): number => percentile(values, 0.5)
  return { tcp: median(tcp), stock: median(stock), ours: median(ours), session: median(session) }
}

async function bytesPerSecond(carrier: Carrier, messageBytes: number, seconds: number): Promise<number> {
  using listener = new End(['listen', carrier, `${seconds}`])
  const { address } = await listener.said<Listening>()
  using dialler = new End(['dial', carrier, `${messageBytes}`, address])
  const counted = await Promise.race([listener.said<Counted>(), dialler.said<never>()])
  return counted.bytes / counted.seconds
}

class End implements Disposable {
  readonly #process: ChildProcess
  readonly #exited: Promise<never>

  constructor(args: readonly string[]) {
    this.#process = fork(join(import.meta.dirname, 'libp2p', 'tls-process.ts'), args)
    this.#exited = once(this.#process, 'exit').then(([code]) => {
      throw new Error(`${args.join(' ')} ended with code ${code}`)
    })
    this.#exited.catch(() => {})
  }

  async said<Said>(): Promise<Said> {
    const [message] = (await Promise.race([once(this.#process, 'message'), this.#exited])) as [Said]
    return message
  }

  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL')
  }
}
