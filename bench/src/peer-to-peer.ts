/**
 * All figures that the network package is held to, each beside the peer's of the same run, and its goal.
 * @module
 */
import { loadavg } from 'node:os'
import { runGossipBench } from './gossip/bench.ts'
import type { GossipReport } from './gossip/bench.ts'
import { runGrowthBench } from './gossip/growth.ts'
import type { GrowthReport } from './gossip/growth.ts'
import { runSessionBench } from './session/bench.ts'
import type { SessionReport } from './session/bench.ts'
import { ROUND_TRIP_MS, runSlowLinkBench } from './session/slow-link.ts'
import type { SlowLinkReport } from './session/slow-link.ts'
import { runTlsBench } from './tls.ts'
import type { TlsReport } from './tls.ts'

export interface Figure {
  readonly what: string
  readonly ours: string
  /** What it is held against, of the same run. */
  readonly beside: string
  readonly value: number
  readonly goal: string
  readonly isReached: boolean
}

export interface PeerToPeerReport {
  /** Processes that wanted to run before the first measurement: of the last minute, on average. Far below 1, or nothing here counts. */
  readonly loadBefore: number
  readonly figures: readonly Figure[]
  readonly gossip: GossipReport
  readonly tls: TlsReport
  readonly session: SessionReport
  readonly slowLink: SlowLinkReport
  readonly growth: GrowthReport
}

export async function runPeerToPeerBench(seconds: number): Promise<PeerToPeerReport> {
  const loadBefore = loadavg()[0]!
  const tls = await runTlsBench(seconds)
  const session = await runSessionBench(seconds)
  const slowLink = await runSlowLinkBench(seconds)
  const growth = await runGrowthBench()
  const gossip = await runGossipBench(seconds)
  const figures = [
    ...gossipFigures(gossip),
    ...bulkFigures(tls),
    ...sessionFigures(session),
    slowLinkFigure(slowLink),
    growthFigure(growth),
  ]
  return { loadBefore, figures, gossip, tls, session, slowLink, growth }
}

function gossipFigures({ sides: { althing, gossipsub } }: GossipReport): Figure[] {
  const [ours, theirs] = [althing.sustained, gossipsub.sustained]
  const us = (microseconds: number): string => `${microseconds.toFixed(1)} µs`
  const ms = (milliseconds: number): string => `${milliseconds.toFixed(1)} ms`
  return [
    atLeast('gossip: CPU a delivery, gossipsub ÷ ours', {
      value: theirs.cpuMicrosecondsPerDelivery / ours.cpuMicrosecondsPerDelivery,
      ours: us(ours.cpuMicrosecondsPerDelivery),
      beside: us(theirs.cpuMicrosecondsPerDelivery),
      goal: 30,
    }),
    atLeast('gossip: sustained messages/s, ours ÷ gossipsub', {
      value: ours.messagesPerSecond / theirs.messagesPerSecond,
      ours: whole(ours.messagesPerSecond),
      beside: whole(theirs.messagesPerSecond),
      goal: 15,
    }),
    atMost('gossip: p99 at 100 messages/s, in ms', {
      value: althing.calm.p99Ms,
      ours: ms(althing.calm.p99Ms),
      beside: ms(gossipsub.calm.p99Ms),
      goal: gossipsub.calm.p99Ms,
    }),
    atMost('gossip: bytes sent a byte delivered, 512 bytes', {
      value: ours.bytesFactor,
      ours: ours.bytesFactor.toFixed(2),
      beside: theirs.bytesFactor.toFixed(2),
      goal: 1.3,
    }),
    atMost('gossip: the same of 256 KiB, cold', {
      value: althing.block.bytesFactor,
      ours: althing.block.bytesFactor.toFixed(2),
      beside: gossipsub.block.bytesFactor.toFixed(2),
      goal: 1.3,
    }),
    atMost('gossip: 256 KiB cold to all eight, the last, in ms', {
      value: althing.block.maxMs,
      ours: ms(althing.block.maxMs),
      beside: ms(gossipsub.block.maxMs),
      goal: gossipsub.block.maxMs,
    }),
  ]
}

function bulkFigures({ bulkBytesPerSecond: { tcp, stock, session } }: TlsReport): Figure[] {
  const rate = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB/s`
  return [
    atLeast('bulk: session ÷ bare TCP', {
      value: session / tcp,
      ours: rate(session),
      beside: rate(tcp),
      goal: 0.25,
    }),
    atLeast('bulk: session ÷ a stream over stock TLS', {
      value: session / stock,
      ours: rate(session),
      beside: rate(stock),
      goal: 1.6,
    }),
  ]
}

function sessionFigures({ requestsPerSecond, urgent, idlePeers }: SessionReport): Figure[] {
  const { session, newStreams, oneStream } = requestsPerSecond
  const { idle, underBulk, bulkBytesPerSecond } = urgent
  const p99 = `${underBulk.p99.toFixed(2)} ms`
  const kilobytes = idlePeers.bytesEach / 1e3
  return [
    atLeast('requests/s, session ÷ a new stream each', {
      value: session / newStreams,
      ours: whole(session),
      beside: whole(newStreams),
      goal: 25,
    }),
    atLeast('requests/s, session ÷ one bare stream', {
      value: session / oneStream,
      ours: whole(session),
      beside: whole(oneStream),
      goal: 0.5,
    }),
    atMost('urgent p99 while bulk fills the link, in ms', {
      value: underBulk.p99,
      ours: p99,
      beside: `bulk ${(bulkBytesPerSecond / 1e6).toFixed(0)} MB/s`,
      goal: 5,
    }),
    atMost('the same ÷ on an idle link', {
      value: underBulk.p99 / idle.p99,
      ours: p99,
      beside: `${idle.p99.toFixed(2)} ms`,
      goal: 10,
    }),
    atMost(`${idlePeers.count} idle peers: memory each, in KB`, {
      value: kilobytes,
      ours: `${kilobytes.toFixed(0)} KB`,
      beside: `${(idlePeers.heldBytesEach / 1e3).toFixed(0)} KB in use`,
      goal: 100,
    }),
    atMost(`${idlePeers.count} idle peers: CPU, in % of a core`, {
      value: idlePeers.cores * 100,
      ours: `${(idlePeers.cores * 100).toFixed(1)} %`,
      beside: '',
      goal: 5,
    }),
  ]
}

function slowLinkFigure({ idle, underBulk, relayedBecause }: SlowLinkReport): Figure {
  return atMost('urgent p99 under bulk at 50 Mbit/s and 40 ms, in ms', {
    value: underBulk.p99,
    ours: `${underBulk.p99.toFixed(1)} ms`,
    beside: `idle ${idle.p50.toFixed(1)} ms${relayedBecause === null ? '' : ', wire in user space'}`,
    goal: 2 * ROUND_TRIP_MS,
  })
}

function growthFigure({ cpuMicrosecondsPerDelivery, ratio }: GrowthReport): Figure {
  const [few, many] = Object.values(cpuMicrosecondsPerDelivery)
  return atMost('gossip: CPU a delivery, 64 nodes ÷ 8, in memory', {
    value: ratio,
    ours: `${many!.toFixed(1)} µs`,
    beside: `${few!.toFixed(1)} µs`,
    goal: 1.3,
  })
}

interface Measured extends Pick<Figure, 'ours' | 'beside' | 'value'> {
  readonly goal: number
}

function atLeast(what: string, { goal, ...measured }: Measured): Figure {
  return { what, ...measured, goal: `at least ${short(goal)}`, isReached: measured.value >= goal }
}

function atMost(what: string, { goal, ...measured }: Measured): Figure {
  return { what, ...measured, goal: `at most ${short(goal)}`, isReached: measured.value <= goal }
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100)
}

export function peerToPeerText({ loadBefore, figures, slowLink }: PeerToPeerReport): string {
  const rows = [
    ['', 'figure', 'goal', 'ours', 'beside'],
    ...figures.map(({ what, value, goal, isReached, ours, beside }) => [
      isReached ? 'reached' : 'missed',
      what,
      goal,
      `${short(value)} (${ours})`,
      beside,
    ]),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const table = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
  const because = slowLink.relayedBecause
  return [
    `load before: ${loadBefore.toFixed(2)}`,
    '',
    ...table,
    ...(because === null ? [] : ['', `The slow wire was a process, since the kernel has none: ${because}`]),
  ].join('\n')
}
