/**
 * One session beside bare libp2p, in processes of their own: requests a second, what urgent messages wait while bulk fills
 * the link, and what idle peers cost.
 * @module
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Network } from '@althing/network'
import { connectStreams } from '../libp2p/streams.ts'
import { spreadOf } from '../percentiles.ts'
import type { Spread } from '../percentiles.ts'
import { cpuMsOf, memoryBytesOf } from '../process-usage.ts'
import { say } from '../say.ts'
import { BULK_BYTES, IN_FLIGHT, REQUEST_BYTES, seedOf, startPeer } from './wire.ts'
import type { ServerAddress } from './wire.ts'

export interface SessionReport {
  readonly requestsPerSecond: {
    readonly session: number
    readonly newStreams: number
    readonly oneStream: number
  }
  /** Round trips of urgent messages, in milliseconds. */
  readonly urgentMs: { readonly idle: Spread; readonly underBulk: Spread }
  readonly bulkBytesPerSecond: number
  readonly idlePeers: {
    readonly count: number
    readonly bytesEach: number
    /** Part of one core, all peers together. */
    readonly cores: number
  }
}

const URGENT_EVERY_MS = 10
const IDLE_PEERS = 200
const SETTLE_MS = 5_000

export async function runSessionBench(seconds: number): Promise<SessionReport> {
  say('Requests on bare libp2p streams …')
  const streams = await requestsOnStreams(seconds)
  say('Requests, urgent messages and bulk on a session …')
  const session = await onSession(seconds)
  say(`${IDLE_PEERS} idle peers …`)
  return {
    requestsPerSecond: { session: session.requestsPerSecond, ...streams },
    urgentMs: session.urgentMs,
    bulkBytesPerSecond: session.bulkBytesPerSecond,
    idlePeers: await idlePeers(seconds),
  }
}

async function requestsOnStreams(seconds: number): Promise<{ newStreams: number; oneStream: number }> {
  using server = await Child.start('server-process.ts', ['streams'])
  const client = await connectStreams(server.address)
  const newStreams = await rate(seconds, (question) => client.askOnNewStream(question))
  const oneStream = await rate(seconds, (question) => client.askOnOneStream(question))
  await client.stop()
  return { newStreams, oneStream }
}

async function onSession(
  seconds: number,
): Promise<{ requestsPerSecond: number; urgentMs: SessionReport['urgentMs']; bulkBytesPerSecond: number }> {
  using server = await Child.start('server-process.ts', ['session'])
  const network = await startPeer(seedOf(2))
  const peer = await network.connect(server.address)
  const requestsPerSecond = await rate(seconds, (question) => network.request(peer, 'question', question))
  const idle = await urgent(network, peer, seconds)
  const bulk = new Bulk(network, peer)
  const underBulk = await urgent(network, peer, seconds)
  const bulkBytes = await bulk.stop()
  await network.stop()
  return { requestsPerSecond, urgentMs: { idle, underBulk }, bulkBytesPerSecond: bulkBytes / seconds }
}

/** @returns answers a second, with `IN_FLIGHT` questions open. */
async function rate(seconds: number, ask: (question: Uint8Array) => Promise<unknown>): Promise<number> {
  const question = new Uint8Array(REQUEST_BYTES).fill(7)
  const startMs = performance.now()
  const endMs = startMs + seconds * 1000
  let answers = 0
  const askOn = async (): Promise<void> => {
    while (performance.now() < endMs) {
      await ask(question)
      answers++
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, askOn))
  return (answers * 1000) / (performance.now() - startMs)
}

async function urgent(network: Network, peer: string, seconds: number): Promise<Spread> {
  const times: number[] = []
  for (const endMs = performance.now() + seconds * 1000; performance.now() < endMs;) {
    const startMs = performance.now()
    await network.request(peer, 'urgent', new Uint8Array(REQUEST_BYTES))
    times.push(performance.now() - startMs)
    await sleep(URGENT_EVERY_MS)
  }
  return spreadOf(times)
}

/** Keeps the low lane to a peer full. */
class Bulk {
  readonly #done: Promise<void>
  #bytes = 0
  #stopped = false

  constructor(network: Network, peer: string) {
    this.#done = this.#run(network, peer)
  }

  async #run(network: Network, peer: string): Promise<void> {
    const body = new Uint8Array(BULK_BYTES)
    // Random, so that compression has nothing to gain.
    for (let at = 0; at < body.length; at += 65_536) crypto.getRandomValues(body.subarray(at, at + 65_536))
    while (!this.#stopped) {
      if (network.send(peer, 'bulk', body) === 'queued') this.#bytes += body.length
      await network.sendReady(peer, 'low')
    }
  }

  /** @returns bytes that were handed over; at most one full lane of them has not arrived. */
  async stop(): Promise<number> {
    this.#stopped = true
    await this.#done
    return this.#bytes
  }
}

async function idlePeers(seconds: number): Promise<SessionReport['idlePeers']> {
  using server = await Child.start('server-process.ts', ['session'])
  const { pid } = server
  await sleep(SETTLE_MS)
  const before = memoryBytesOf(pid)
  using peers = await Child.start('idle-process.ts', [server.address, `${IDLE_PEERS}`])
  void peers
  await sleep(SETTLE_MS)
  const cpuBefore = cpuMsOf(pid)
  const startMs = performance.now()
  await sleep(seconds * 1000)
  return {
    count: IDLE_PEERS,
    bytesEach: (memoryBytesOf(pid) - before) / IDLE_PEERS,
    cores: (cpuMsOf(pid) - cpuBefore) / (performance.now() - startMs),
  }
}

class Child implements Disposable {
  readonly #process: ChildProcess
  readonly address: string

  private constructor(child: ChildProcess, address: string) {
    this.#process = child
    this.address = address
  }

  /** Resolves with its first message. */
  static async start(file: string, args: readonly string[]): Promise<Child> {
    const child = fork(join(import.meta.dirname, file), args)
    const exited = once(child, 'exit').then(([code]) => {
      throw new Error(`${file} ended with code ${code}`)
    })
    const [message] = (await Promise.race([once(child, 'message'), exited])) as [Partial<ServerAddress>]
    return new Child(child, message.address ?? '')
  }

  get pid(): number {
    return this.#process.pid!
  }

  [Symbol.dispose](): void {
    this.#process.disconnect()
  }
}
