/**
 * What a devnet shows while it runs: a table and lines below it, redrawn in place in a terminal. In a pipe there are no
 * cursor codes: lasting lines only, and now and then the table as plain lines.
 * @module
 */
import type { NodeInfo } from '@althing/client'
import { formatCount, formatMs, styled, tableLines } from '../output.ts'
import type { Column } from '../output.ts'
import { roleOf } from '../status.ts'

export interface NodeView {
  readonly name: string
  /** What it said last; null before it answers, and when it is down. */
  readonly info: NodeInfo | null
  /** Its process ended, and nothing answers in its place. */
  readonly isDown: boolean
}

const COLUMNS: readonly Column[] = [
  { title: 'NODE' },
  { title: 'ROLE' },
  { title: 'HEIGHT', align: 'right' },
  { title: 'FINAL', align: 'right' },
  { title: 'PEERS', align: 'right' },
  { title: 'TX/S', align: 'right' },
  { title: 'FINALITY', align: 'right' },
]

const WIDTH_DEFAULT = 80

/** Between two tables in a pipe. */
const PLAIN_TABLE_MS = 30_000

export function nodeTable(nodes: readonly NodeView[]): string[] {
  return tableLines(COLUMNS, nodes.map(row))
}

function row({ name, info, isDown }: NodeView): string[] {
  if (info === null) return [name, isDown ? 'down' : 'starting', '-', '-', '-', '-', '-']
  return [
    name,
    roleOf(info),
    formatCount(info.head_height),
    formatCount(info.finalized_height),
    formatCount(info.peer_count),
    info.transactions_per_second.toFixed(1),
    info.finality_latency_ms === null ? '-' : formatMs(info.finality_latency_ms.p50),
  ]
}

export interface LiveView {
  /** A line that stays. */
  say(line: string): void
  /** Replaces table and footer. */
  draw(nodes: readonly NodeView[], footer?: readonly string[]): void
  /** Draws again in a terminal; in a pipe says how far it is, a quarter at a time. */
  progress(done: number, total: number, unit: string, draw: () => void): void
  /** Leaves what is drawn standing. */
  end(): void
}

/** @param nowMs monotonic. */
export function createLiveView(
  stream: NodeJS.WriteStream = process.stdout,
  nowMs: () => number = () => performance.now(),
): LiveView {
  return stream.isTTY ? terminalView(stream) : plainView(stream, nowMs)
}

function terminalView(stream: NodeJS.WriteStream): LiveView {
  let drawn: readonly string[] = []
  const erase = (): string => (drawn.length === 0 ? '' : `\x1b[${drawn.length}A\x1b[0J`)
  const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
  return {
    say(line) {
      stream.write(erase() + text([line]) + text(drawn))
    },
    draw(nodes, footer = []) {
      const before = erase()
      const [titles = '', ...rows] = nodeTable(nodes)
      // A line that wraps could not be erased. Some terminals do not tell their width, or say 0.
      const width = stream.columns > 0 ? stream.columns : WIDTH_DEFAULT
      const lines = ['', titles, ...rows, ...footer].map((line) => line.slice(0, width))
      drawn = lines.map((line, i) => (i === 1 ? styled('bold', line, stream) : line))
      stream.write(before + text(drawn))
    },
    progress: (_done, _total, _unit, draw) => draw(),
    end() {
      drawn = []
    },
  }
}

function plainView(stream: NodeJS.WriteStream, nowMs: () => number): LiveView {
  let shownMs: number | null = null
  let shown = ''
  let toldProgress = ''
  return {
    say(line) {
      stream.write(`${line}\n`)
    },
    draw(nodes) {
      const isDue =
        shownMs === null ? nodes.every(({ info }) => info !== null) : nowMs() - shownMs >= PLAIN_TABLE_MS
      if (!isDue) return
      const table = nodeTable(nodes).join('\n')
      if (table !== shown) stream.write(`${table}\n`)
      shown = table
      shownMs = nowMs()
    },
    progress(done, total, unit) {
      const quarters = Math.floor((4 * done) / total)
      const progress = `${unit} ${quarters}`
      if (quarters === 0 || progress === toldProgress) return
      stream.write(`${formatCount(done)} of ${formatCount(total)} ${unit}\n`)
      toldProgress = progress
    },
    end() {},
  }
}

/** Shows nothing: for `--json`. */
export const silentView: LiveView = { say() {}, draw() {}, progress() {}, end() {} }
