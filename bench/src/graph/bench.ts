/**
 * What the graph costs: through consensus, into the index, by HTTP, and at a restart.
 * @module
 */
import { BenchNetwork } from '../network.ts'
import { say } from '../say.ts'
import { benchAccounts } from '../workload.ts'
import { readVocabularies, repeated } from './dataset.ts'
import { measureDifference } from './difference.ts'
import type { DifferenceReport } from './difference.ts'
import { measureFinality } from './finality.ts'
import type { FinalityReport } from './finality.ts'
import { loadBare, Loader } from './loading.ts'
import type { BareReport, LoadReport } from './loading.ts'
import { measureBesideExpensive, measurePoints, pointQueries } from './queries.ts'
import type { HeavyReport, PointReport } from './queries.ts'
import { measureRestart } from './restart.ts'
import type { RestartReport } from './restart.ts'

export interface GraphBenchOptions {
  readonly authorities: number
  readonly seconds: number
  readonly intervalMs: number
  readonly blockBytes: number
  /** Of the node that starts again. */
  readonly quads: number
}

export interface GraphBenchReport {
  readonly finality: FinalityReport
  readonly bare: BareReport
  readonly load: LoadReport
  readonly points: PointReport
  readonly heavy: HeavyReport
  readonly restart: RestartReport
  readonly difference: DifferenceReport
}

/** All that the packages of the npm scope @vocabulary had when the goal was set. */
const LOAD_QUADS = 261_190
/** Of the chain with one authority: small enough that nothing waits for it. */
const LOAD_INTERVAL_MS = 50
const LOAD_BLOCK_BYTES = 4_194_304

export async function runGraphBench(options: GraphBenchOptions): Promise<GraphBenchReport> {
  const finality = await measureFinality(options)
  const groups = [...repeated(await readVocabularies(), options.quads)]
  const first = groups.slice(0, countUntil(groups, LOAD_QUADS))
  say(`Loading ${LOAD_QUADS} statements into Oxigraph and a state tree …`)
  const { store, ...bare } = loadBare(first)
  await using network = await BenchNetwork.start({
    authorities: 1,
    intervalMs: LOAD_INTERVAL_MS,
    blockBytes: LOAD_BLOCK_BYTES,
  })
  const [loaderAccount, writer] = benchAccounts(2)
  await network.fund([loaderAccount!.publicKey, writer!.publicKey])
  const loader = new Loader(network, loaderAccount!)
  say('Loading the same through a chain of one authority …')
  const load = await loader.load(first)
  const queries = pointQueries(first)
  say('Asking …')
  const points = await measurePoints(queries, store, network.nodes[0]!.url)
  const heavy = await measureBesideExpensive(queries, network, writer!, options.seconds)
  let quads = load.quads
  for (let from = first.length; from < groups.length; from += first.length) {
    say(`${quads} statements; on to ${options.quads} …`)
    quads += (await loader.load(groups.slice(from, from + first.length))).quads
  }
  say('Starting again …')
  const restart = await measureRestart(network.nodes[0]!, quads)
  return { finality, bare, load, points, heavy, restart, difference: measureDifference(options.quads) }
}

/** How many of the first groups have so many statements together. */
function countUntil(groups: readonly { readonly length: number }[], statements: number): number {
  let sum = 0
  const index = groups.findIndex(({ length }) => (sum += length) >= statements)
  return index === -1 ? groups.length : index + 1
}
