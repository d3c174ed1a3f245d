/**
 * The report of the graph's benchmark as text for people.
 * @module
 */
import type { Spread } from '../percentiles.ts'
import type { GraphBenchReport } from './bench.ts'

const GOAL_QUADS_PER_SECOND = 5_000
const GOAL_TREE_PART = 0.5
const GOAL_LOAD = 2.5
const GOAL_POINT = 2
const GOAL_P99 = 5
const GOAL_QUERIES_S = 15
const GOAL_DIFFERENCE_KB = 200

export function graphText({
  finality,
  bare,
  load,
  points,
  heavy,
  restart,
  difference,
}: GraphBenchReport): string {
  const bareMs = bare.oxigraphMs + bare.treeMs
  const { idle, busy } = heavy
  const kilobytes = (bytes: number): string => `${(bytes / 1e3).toFixed(0)} kB`
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
  const rows: [string, string][] = [
    [
      'final quads/s',
      `${whole(finality.quadsPerSecond)}; 100 a transaction, for ${finality.seconds.toFixed(1)} s`,
    ],
    ['tree alone, all cores', `${whole(finality.treeQuadsPerSecond)} quads/s`],
    [
      'ratio to its part of the trees',
      `${finality.ratio.toFixed(2)} (goal: ${GOAL_TREE_PART}, or ${whole(GOAL_QUADS_PER_SECOND)} quads/s)`,
    ],
    ['blocks/s', finality.blocksPerSecond.toFixed(2)],
    [
      'CPU of the nodes',
      `${finality.nodeCores.map((cores) => (cores * 100).toFixed(0)).join(', ')} % of a core`,
    ],
    ['', ''],
    [
      'loaded through one authority',
      `${whole(load.quads)} quads: final in ${seconds(load.finalMs)}, asked in ${seconds(load.answeredMs)}`,
    ],
    ['Oxigraph and tree alone', `${seconds(bare.oxigraphMs)} and ${seconds(bare.treeMs)}`],
    ['ratio', `${(load.answeredMs / bareMs).toFixed(2)} (goal: at most ${GOAL_LOAD})`],
    ['', ''],
    ['point query by HTTP', spread(points.httpMs)],
    ['Oxigraph in process', spread(points.inProcessMs)],
    [
      'ratio of p50',
      `${(points.httpMs.p50 / points.inProcessMs.p50).toFixed(2)} (goal: at most ${GOAL_POINT})`,
    ],
    ['', ''],
    ['cheap queries, idle', `${spread(idle.queryMs)}; finality ${spread(idle.finalityMs)}`],
    [
      'beside an expensive one',
      `${spread(busy.queryMs)}; finality ${spread(busy.finalityMs)}; ${heavy.ended} were ended`,
    ],
    ['ratio of p99', `${(busy.queryMs.p99 / idle.queryMs.p99).toFixed(2)} (goal: at most ${GOAL_P99})`],
    ['', ''],
    ['restart', `${whole(restart.quads)} quads; blocks after ${seconds(restart.blocksMs)}`],
    ['first query after', `${seconds(restart.queriesMs)} (goal: under ${GOAL_QUERIES_S} s)`],
    [
      'memory',
      `${megabytes(restart.memoryBytes.blocks)} at first, ${megabytes(restart.memoryBytes.queries)} at the first answer, ` +
        `${megabytes(restart.memoryBytes.settled)} with all copies`,
    ],
    ['', ''],
    [
      'difference sync',
      `${difference.differing} of ${whole(difference.quads)} quads: ${kilobytes(difference.bytesUp)} up, ${kilobytes(difference.bytesDown)} down, ${difference.rounds} rounds (goal: at most ${GOAL_DIFFERENCE_KB} kB)`,
    ],
    [
      'its time, both sides',
      `${seconds(difference.syncMs)}, after ${seconds(difference.hashMs)} for the hashes of the copy`,
    ],
  ]
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`.trimEnd()).join('\n')
}

function spread({ samples, p50, p99 }: Spread): string {
  return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms (${samples} samples)`
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
