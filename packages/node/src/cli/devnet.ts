/**
 * `althing devnet`: a network on this machine, with real data in its chain, checked.
 * @module
 */
import { relative, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bytesToHex } from '@althing/base'
import { Command } from 'commander'
import { readKeyFile } from '../keys/index.ts'
import type { CheckReport } from './devnet-check.ts'
import { checkData, loadData, missingEntries } from './devnet/data.ts'
import { openDevnet } from './devnet/folder.ts'
import { loadGraphs, missingGraphs, readGraphFiles } from './devnet/graphs.ts'
import type { Devnet } from './devnet/folder.ts'
import { createLiveView, silentView } from './devnet/live-view.ts'
import type { LiveView } from './devnet/live-view.ts'
import { RunningDevnet } from './devnet/network.ts'
import { readVocabularies, vocabularyFiles } from './devnet/vocabularies.ts'
import type { Resources } from './dataset.ts'
import { CliError } from './failure.ts'
import { parseInterval } from './init.ts'
import type { Loaded } from './load.ts'
import { accountKeyFile, configFile } from './network-files.ts'
import { jsonOption, parseInteger } from './options.ts'
import type { JsonOption } from './options.ts'
import { counted, createOutput, formatCount, formatMs } from './output.ts'
import { barLine } from './progress.ts'

interface DevnetCommandOptions extends JsonOption {
  readonly authorities: number
  readonly full: number
  readonly folder: string
  readonly interval: number
  readonly once?: boolean
  readonly data: boolean
}

const REDRAW_MS = 500

export function devnetCommand(): Command {
  return new Command('devnet')
    .description('start a network on this machine, load real data into its chain, and check it')
    .option('--authorities <count>', 'nodes that make blocks', parseInteger(1, 32), 4)
    .option('--full <count>', 'nodes that only follow', parseInteger(0, 32), 1)
    .option('--folder <folder>', 'where its data is kept', 'althing-devnet')
    .option('--interval <time>', 'least time between two blocks', parseInterval, 500)
    .option('--once', 'stop when the check is made; the exit code says whether it held')
    .option('--no-data', 'load no data; only check that the nodes agree')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
A folder that holds a devnet is continued, and --authorities, --full and --interval are those it was made with. Remove
the folder to start anew. Ports are found free from 9000 (peers) and 8545 (API) on; configurations are written anew each
time, logs are in FOLDER/logs.
Examples:
  althing devnet
  althing devnet --authorities 7 --full 0 --interval 50ms --folder /tmp/seven
  althing devnet --once --json`,
    )
    .action(devnet)
}

/** What a devnet came to. */
interface Outcome {
  /** Null without data, and when the chain had it all already. */
  readonly loaded: (Loaded & { readonly keys: number; readonly statements: number }) | null
  /** As RDF; null as above. */
  readonly graphs: (Loaded & { readonly statements: number }) | null
  readonly check: CheckReport
}

/** Ctrl-C, or SIGTERM. */
const INTERRUPTED = new Error('interrupted')

async function devnet(options: DevnetCommandOptions): Promise<void> {
  const files = options.data ? vocabularyFiles() : []
  const view = options.json === true ? silentView : createLiveView()
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(INTERRUPTED))

  const folder = resolve(options.folder)
  const plan = await openDevnet(folder, { ...options, intervalMs: options.interval }, Date.now())
  view.say(`Althing devnet ${plan.isNew ? 'in' : 'continued in'} ${folder}`)
  view.say(`Genesis hash ${bytesToHex(plan.genesisHash)}; logs in ${folder}/logs`)
  let isChecked = false
  const network = await RunningDevnet.start(plan, ({ name }, error) => {
    // After the check it is an experiment: the others show what they make of it.
    if (!isChecked) stop.abort(error)
    else
      view.say(
        `${error.message}. Start it again: ${PROGRAM} start --config ${shownPath(nodeConfig(plan, name))}`,
      )
  })
  try {
    const outcome = await bringUp(plan, network, files, view, stop.signal)
    isChecked = true
    if (options.json === true) createOutput(options).result('', outcomeJson(plan, outcome))
    if (options.once === true) return
    for (const line of await suggestions(plan)) view.say(line)
    await showUntilStopped(network, view, stop.signal)
  } catch (error) {
    const reason: unknown = stop.signal.aborted ? stop.signal.reason : error
    if (reason !== INTERRUPTED) throw reason
    if (options.once === true) throw new CliError('CHECK_FAILED', 'interrupted before the check was made')
  } finally {
    view.end()
    view.say('Stopping …')
    await network.stop()
    plan.lock.release()
    view.say(`Stopped. The chain is in ${folder}; start again to continue it.`)
  }
}

/** Mesh, data, check. @throws {CliError} what did not come about; the signal's reason. */
async function bringUp(
  plan: Devnet,
  network: RunningDevnet,
  files: readonly string[],
  view: LiveView,
  signal: AbortSignal,
): Promise<Outcome> {
  const startMs = performance.now()
  // While the nodes come up.
  const resources = await readVocabularies(files)
  await network.waitUntilMeshed((nodes) => view.draw(nodes), signal)
  view.say(
    `${counted(network.nodes.length, 'node')} linked to each other after ${formatMs(performance.now() - startMs)}`,
  )
  const loaded = files.length === 0 ? null : await bringData(plan, network, resources, view, signal)
  const graphs = files.length === 0 ? null : await bringGraphs(plan, network, files, view, signal)
  view.draw(await network.look(), ['Checking in a process of its own …'])
  const check = await checkData(files, plan, network, signal)
  view.draw(await network.look())
  view.say(checkText(check))
  return { loaded, graphs, check }
}

async function bringData(
  plan: Devnet,
  network: RunningDevnet,
  { entries, statements }: Resources,
  view: LiveView,
  signal: AbortSignal,
): Promise<Outcome['loaded']> {
  const what = `${counted(entries.length, 'resource')} of GS1, PROV-O and schema.org`
  let wanted = entries
  if (!plan.isNew) {
    wanted = await withBar(network, view, entries.length, 'keys looked at', (onDone) =>
      missingEntries(entries, network, onDone, signal),
    )
    if (wanted.length === 0) {
      view.say(`Loaded already: ${what} (${formatCount(statements)} statements)`)
      return null
    }
  }
  const loaded = await withBar(network, view, wanted.length, 'keys final', (onFinal) =>
    loadData(wanted, plan, network, onFinal, signal),
  )
  view.say(
    `Loaded ${what}: ${counted(wanted.length, 'key')}, ${formatCount(statements)} statements, ` +
      `${counted(loaded.transactions, 'signed transaction')}, final on all nodes after ${formatMs(loaded.elapsedMs)}`,
  )
  return { ...loaded, keys: wanted.length, statements }
}

/** The same statements as graphs, which can be asked in SPARQL (PC-6). */
async function bringGraphs(
  plan: Devnet,
  network: RunningDevnet,
  files: readonly string[],
  view: LiveView,
  signal: AbortSignal,
): Promise<Outcome['graphs']> {
  const wanted = await missingGraphs(await readGraphFiles(files), network, signal)
  const statements = wanted.reduce((sum, { quads }) => sum + quads, 0)
  if (wanted.length === 0) {
    view.say('Loaded already: the same statements as RDF graphs')
    return null
  }
  const loaded = await withBar(network, view, statements, 'statements final', (onFinal) =>
    loadGraphs(wanted, plan, network, onFinal, signal),
  )
  view.say(
    `Loaded the same as RDF: ${counted(wanted.length, 'graph')}, ${formatCount(statements)} statements, ` +
      `${counted(loaded.transactions, 'signed transaction')}, final on all nodes after ${formatMs(loaded.elapsedMs)}`,
  )
  return { ...loaded, statements }
}

/** Redraws the table with a bar below it while `work` goes on. */
async function withBar<T>(
  network: RunningDevnet,
  view: LiveView,
  total: number,
  unit: string,
  work: (onDone: (done: number) => void) => Promise<T>,
): Promise<T> {
  let nodes = await network.look()
  let done = 0
  let isOver = false
  const show = (): void =>
    view.progress(done, total, unit, () => view.draw(nodes, ['', barLine(done, total, unit)]))
  const look = async (): Promise<void> => {
    nodes = await network.look()
    if (!isOver) show()
  }
  const timer = setInterval(() => void look(), REDRAW_MS)
  try {
    return await work((now) => {
      done = now
      show()
    })
  } finally {
    isOver = true
    clearInterval(timer)
  }
}

function checkText(check: CheckReport): string {
  const proofs = check.proofs.map(
    ({ key, api, height, signers }) =>
      `  ${key}: proved by ${api} at height ${height}, signed by ${counted(signers.length, 'authority', 'authorities')}`,
  )
  const counts = `${counted(check.keys, 'key')} and ${counted(check.statements, 'statement')} are those of the files`
  return [
    `Checked by a process of its own in ${formatMs(check.elapsed_ms)}${check.keys === 0 ? '' : `: ${counts}`}`,
    `All ${check.nodes} nodes have state root ${check.state_root} at height ${check.height}`,
    ...proofs,
    ...check.queries.map(queryText),
  ].join('\n')
}

function queryText({ question, answer, api }: CheckReport['queries'][number]): string {
  const rows = answer.trimEnd().split('\n').slice(1)
  const text = rows.map(
    (row) =>
      `    ${row
        .replaceAll(/<([^>]*)>/g, '$1')
        .split('\t')
        .join('  ')}`,
  )
  return [`  ${question} Answered alike by ${api.join(' and ')}:`, ...text].join('\n')
}

async function showUntilStopped(network: RunningDevnet, view: LiveView, signal: AbortSignal): Promise<never> {
  for (;;) {
    view.draw(await network.look(), ['', 'Ctrl-C stops all nodes.'])
    await sleep(REDRAW_MS, undefined, { signal })
  }
}

/** How people call this program from where they are. */
const PROGRAM = process.env.npm_command === undefined ? 'althing' : 'npx althing'

async function suggestions(plan: Devnet): Promise<string[]> {
  const [first, second = first] = plan.nodes.map(({ apiPort }) => `http://127.0.0.1:${apiPort}`)
  const last = `http://127.0.0.1:${plan.nodes.at(-1)!.apiPort}`
  const alice = shownPath(accountKeyFile(plan.folder, 'alice'))
  const bob = bytesToHex((await readKeyFile(accountKeyFile(plan.folder, 'bob'))).publicKey)
  return [
    '',
    'Try, in another terminal:',
    `  ${PROGRAM} kv get http://www.w3.org/ns/prov#Entity --api ${last}`,
    `  ${PROGRAM} query 'SELECT ?class { ?class <http://www.w3.org/2000/01/rdf-schema#subClassOf> <http://schema.org/Event> }' --api ${last}`,
    `  ${PROGRAM} kv put greeting "hello" --key ${alice} --api ${first}`,
    `  ${PROGRAM} kv get greeting --api ${second} --genesis ${bytesToHex(plan.genesisHash)}`,
    `  ${PROGRAM} tx send ${bob} 1000 --key ${alice} --api ${first}`,
    `  ${PROGRAM} status --api ${plan.nodes.map(({ apiPort }) => `http://127.0.0.1:${apiPort}`).join(' ')}`,
  ]
}

function outcomeJson(plan: Devnet, { loaded, graphs, check }: Outcome): unknown {
  return {
    folder: plan.folder,
    network_id: plan.networkId,
    genesis_hash: bytesToHex(plan.genesisHash),
    nodes: plan.nodes.map(({ name, kind, p2pPort, apiPort }) => ({
      name,
      kind,
      p2p_port: p2pPort,
      api: `http://127.0.0.1:${apiPort}`,
    })),
    loaded:
      loaded === null
        ? null
        : {
            keys: loaded.keys,
            statements: loaded.statements,
            transactions: loaded.transactions,
            final_after_ms: Math.round(loaded.elapsedMs),
          },
    graphs:
      graphs === null
        ? null
        : {
            statements: graphs.statements,
            transactions: graphs.transactions,
            final_after_ms: Math.round(graphs.elapsedMs),
          },
    check,
  }
}

function nodeConfig(plan: Devnet, name: string): string {
  return configFile(
    plan.folder,
    plan.nodes.find((node) => node.name === name)!,
  )
}

/** Relative when it is below the current folder. */
function shownPath(path: string): string {
  const shown = relative(process.cwd(), path)
  return shown.startsWith('..') ? path : shown
}
