/**
 * The reports as text for people.
 * @module
 */
import type { ChainBenchReport } from './chain.ts'
import type { FaultsReport } from './faults.ts'
import type { GossipReport } from './gossip/bench.ts'
import type { Outcome } from './gossip/fleet.ts'
import type { IdleReport, LatencyReport } from './latency.ts'
import type { LoadWindow } from './load-window.ts'
import type { Spread } from './percentiles.ts'
import type { SessionReport } from './session/bench.ts'
import type { TlsReport } from './tls.ts'
import type { TreeBenchRow } from './tree.ts'

const IDLE_MEMORY_GOAL_MB = 240
const IDLE_CPU_GOAL = '3 %'
const LATENCY_GOAL_MS = 50

export function chainText(report: ChainBenchReport): string {
  return lines([
    ...loadRows(report),
    ['Ed25519 checks/s, all cores', whole(report.signatureChecksPerSecond)],
    ['ratio', `${report.ratio.toFixed(3)} (goal: at least ${report.goal})`],
  ])
}

export function faultsText(report: FaultsReport): string {
  return [
    'All authorities',
    lines(loadRows(report.all)),
    '',
    'One killed',
    lines(loadRows(report.oneKilled)),
    '',
    `ratio of blocks/s  ${report.ratio.toFixed(2)} (goal: at least ${report.goal})`,
  ].join('\n')
}

export function latencyText(report: LatencyReport): string {
  return lines([
    ['interval', `${report.intervalMs} ms; ${report.submitToFinalMs.samples} transactions, one at a time`],
    ['submit to final', spread(report.submitToFinalMs)],
    ['wait for the interval', spread(report.waitForIntervalMs)],
    ['beyond the wait', `${spread(report.beyondWaitMs)} (goal: p50 at most ${LATENCY_GOAL_MS} ms)`],
  ])
}

export function idleText({ seconds, memoryBytes, cores }: IdleReport): string {
  const megabytes = memoryBytes.map((bytes) => (bytes / 1e6).toFixed(0)).join(', ')
  return lines([
    ['idle for', `${seconds.toFixed(0)} s; each node:`],
    ['memory of its own', `${megabytes} MB (goal: at most ${IDLE_MEMORY_GOAL_MB} MB)`],
    ['CPU', `${cores.map(percent).join(', ')} of a core (goal: at most ${IDLE_CPU_GOAL})`],
  ])
}

export function sessionText(report: SessionReport): string {
  const { session, newStreams, oneStream } = report.requestsPerSecond
  const { idle, underBulk, bulkBytesPerSecond } = report.urgent
  const { count, bytesEach, collectedBytesEach, heldBytesEach, cores } = report.idlePeers
  const kilobytes = (bytes: number): string => `${(bytes / 1e3).toFixed(0)} KB`
  return lines([
    ['requests/s', `${whole(session)}; 256 bytes both ways, 32 in flight`],
    [
      'a new stream each',
      `${whole(newStreams)}; ratio ${(session / newStreams).toFixed(1)} (goal: at least 25)`,
    ],
    [
      'one bare stream',
      `${whole(oneStream)}; ratio ${(session / oneStream).toFixed(2)} (goal: at least 0.5)`,
    ],
    ['urgent, idle', fineSpread(idle)],
    ['urgent, under bulk', `${fineSpread(underBulk)} (goal: p99 at most 5 ms and 10 times idle)`],
    ['bulk meanwhile', `${(bulkBytesPerSecond / 1e6).toFixed(0)} MB/s`],
    [
      `${count} idle peers`,
      `${kilobytes(bytesEach)} each of memory, ${kilobytes(collectedBytesEach)} after a collection, ` +
        `of which ${kilobytes(heldBytesEach)} are in use by V8 (goal: at most 100 KB)`,
    ],
    ['CPU of all of them', `${percent(cores)} of a core (goal: at most 5 %)`],
  ])
}

export function tlsText({ bulkBytesPerSecond: bulk, messagesPerSecond: messages }: TlsReport): string {
  const bulkOf = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB/s`
  const ratio = (part: number, whole: number): string => (part / whole).toFixed(2)
  return lines([
    ['', 'bulk of 64 KiB pieces; messages of 256 bytes'],
    ['bare TCP', `${bulkOf(bulk.tcp)}; ${whole(messages.tcp)}/s`],
    ['stream, stock TLS', `${bulkOf(bulk.stock)}; ${whole(messages.stock)}/s`],
    ['stream, our TLS', `${bulkOf(bulk.ours)}; ${whole(messages.ours)}/s`],
    ['session, our TLS', `${bulkOf(bulk.session)}; ${whole(messages.session)}/s`],
    ['our TLS ÷ stock', `${ratio(bulk.ours, bulk.stock)}; ${ratio(messages.ours, messages.stock)}`],
    ['session ÷ stock', `${ratio(bulk.session, bulk.stock)} (goal: at least 1.6)`],
    ['session ÷ bare TCP', `${ratio(bulk.session, bulk.tcp)} (goal: at least 0.25)`],
  ])
}

export function gossipText({ sides: { althing, gossipsub } }: GossipReport): string {
  const at = ({
    messagesPerSecond,
    p50Ms,
    p99Ms,
    cpuMicrosecondsPerDelivery,
    bytesFactor,
  }: Outcome): string =>
    `${whole(messagesPerSecond)} messages/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, ` +
    `CPU ${cpuMicrosecondsPerDelivery.toFixed(1)} µs a delivery, ${bytesFactor.toFixed(2)} bytes a byte`
  const rate = althing.sustained.messagesPerSecond / gossipsub.sustained.messagesPerSecond
  const cpu = gossipsub.sustained.cpuMicrosecondsPerDelivery / althing.sustained.cpuMicrosecondsPerDelivery
  return lines([
    ['sustained, ours', at(althing.sustained)],
    ['sustained, gossipsub', at(gossipsub.sustained)],
    ['messages/s, ours ÷ gossipsub', `${rate.toFixed(1)} (goal: at least 15)`],
    ['CPU a delivery, gossipsub ÷ ours', `${cpu.toFixed(1)} (goal: at least 30)`],
    ['100 messages/s, ours', at(althing.calm)],
    ['100 messages/s, gossipsub', `${at(gossipsub.calm)} (goal: our p99 is no higher)`],
    ['256 KiB cold, ours', `${at(althing.block)}; the last after ${althing.block.maxMs.toFixed(1)} ms`],
    [
      '256 KiB cold, gossipsub',
      `${at(gossipsub.block)}; the last after ${gossipsub.block.maxMs.toFixed(1)} ms`,
    ],
  ])
}

function fineSpread({ samples, p50, p99 }: Spread): string {
  return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms (${samples} samples)`
}

export function treeText(rows: readonly TreeBenchRow[]): string {
  return rows
    .map((row) =>
      lines([
        ['keys', `${whole(row.keys)}, ${row.kind}`],
        ['updates/s', `${whole(row.updatesPerSecond)}; with commit ${whole(row.committedUpdatesPerSecond)}`],
        ['bytes', `${row.storedBytesPerKey} stored a key, ${row.pageBytesPerUpdate} written an update`],
        [
          'proofs',
          `${row.proofBytes.p50} bytes p50, ${row.proofBytes.p99} p99, ${row.proofBytes.max} at most`,
        ],
        ['proofs/s', `${whole(row.provesPerSecond)} made, ${whole(row.verifiesPerSecond)} verified`],
        ['memory', `${(row.memoryBytes / 1e6).toFixed(0)} MB`],
      ]),
    )
    .join('\n\n')
}

type Row = readonly [label: string, value: string]

function loadRows(load: LoadWindow): Row[] {
  return [
    ['measured for', `${load.seconds.toFixed(1)} s`],
    ['finalised transactions/s', whole(load.transactionsPerSecond)],
    ['blocks/s', load.blocksPerSecond.toFixed(2)],
    ['submit to final', spread(load.latencyMs)],
    ['CPU of the nodes', `${load.nodeCores.map(percent).join(', ')} of a core`],
    ['CPU of the generator', `${percent(load.generatorCores)} of a core`],
  ]
}

function lines(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join('\n')
}

function spread({ samples, p50, p99 }: Spread): string {
  return `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms (${samples} samples)`
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
