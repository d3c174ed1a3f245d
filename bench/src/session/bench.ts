/**
 * One session beside bare libp2p, in processes of their own: requests a second, what urgent messages wait while bulk fills
 * the link, and what idle peers cost.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { connectStreams } from '../libp2p/streams.ts'
import { cpuMsOf, memoryBytesOf } from '../process-usage.ts'
import { say } from '../say.ts'
import { Child } from './child.ts'
import { measureUrgent } from './urgent.ts'
import type { UrgentReport } from './urgent.ts'
import { IN_FLIGHT, REQUEST_BYTES, seedOf, startPeer } from './wire.ts'
import type { HeldBytes, ServerAddress } from './wire.ts'

export interface SessionReport {
  readonly requestsPerSecond: {
    readonly session: number
    readonly newStreams: number
    readonly oneStream: number
  }
  readonly urgent: UrgentReport
  readonly idlePeers: {
    readonly count: number
    /** Memory of the process, garbage and what V8 keeps for later included. */
    readonly bytesEach: number
    /** The same after a collection. */
    readonly collectedBytesEach: number
    /** Of the heap and of arrays outside of it, after a collection. */
    readonly heldBytesEach: number
    /** Part of one core, all peers together. */
    readonly cores: number
  }
}

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
    urgent: session.urgent,
    idlePeers: await idlePeers(seconds),
  }
}

async function requestsOnStreams(seconds: number): Promise<{ newStreams: number; oneStream: number }> {
  using server = new Child('server-process.ts', ['streams'])
  const client = await connectStreams((await server.said<ServerAddress>()).address)
  const newStreams = await rate(seconds, (question) => client.askOnNewStream(question))
  const oneStream = await rate(seconds, (question) => client.askOnOneStream(question))
  await client.stop()
  return { newStreams, oneStream }
}

async function onSession(
  seconds: number,
): Promise<{ readonly requestsPerSecond: number; readonly urgent: UrgentReport }> {
  using server = new Child('server-process.ts', ['session'])
  const { address } = await server.said<ServerAddress>()
  const network = await startPeer(seedOf(2))
  const peer = await network.connect(address)
  const requestsPerSecond = await rate(seconds, (question) => network.request(peer, 'question', question))
  const urgent = await measureUrgent(network, peer, seconds)
  await network.stop()
  return { requestsPerSecond, urgent }
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

async function idlePeers(seconds: number): Promise<SessionReport['idlePeers']> {
  using server = new Child('server-process.ts', ['session'])
  const { pid } = server
  const { address } = await server.said<ServerAddress>()
  await sleep(SETTLE_MS)
  const heldBefore = await server.ask<HeldBytes>('collect')
  const before = memoryBytesOf(pid)
  using peers = new Child('idle-process.ts', [address, `${IDLE_PEERS}`])
  await peers.said()
  await sleep(2 * SETTLE_MS)
  const cpuBefore = cpuMsOf(pid)
  const startMs = performance.now()
  await sleep(seconds * 1000)
  const cores = (cpuMsOf(pid) - cpuBefore) / (performance.now() - startMs)
  const bytesEach = (memoryBytesOf(pid) - before) / IDLE_PEERS
  const held = await server.ask<HeldBytes>('collect')
  return {
    count: IDLE_PEERS,
    bytesEach,
    collectedBytesEach: (memoryBytesOf(pid) - before) / IDLE_PEERS,
    heldBytesEach: (held.bytes - heldBefore.bytes) / IDLE_PEERS,
    cores,
  }
}
