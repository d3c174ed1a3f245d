/**
 * `althing graph mirror`: a copy of one graph in a folder, kept in step with the chain by its differences alone, each
 * proved (PC-5).
 * @module
 */
import { setTimeout as wait } from 'node:timers/promises'
import { bytesToHex } from '@althing/base'
import { EntrySet, followEpochs, synchroniseGraph } from '@althing/client'
import type { Synchronised } from '@althing/client'
import { Argument, Command } from 'commander'
import { genesisOption, openChain } from './chain-access.ts'
import type { GenesisOption } from './chain-access.ts'
import { CliError } from './failure.ts'
import { MirrorFolder } from './mirror-folder.ts'
import type { MirrorInfo } from './mirror-folder.ts'
import { apiOption, jsonOption, parseInteger } from './options.ts'
import type { ApiOption, JsonOption } from './options.ts'
import { counted, createOutput, formatCount } from './output.ts'
import { stopRequested } from './stop-requested.ts'

interface MirrorOptions extends ApiOption, GenesisOption, JsonOption {
  readonly to: string
  readonly follow?: boolean
  readonly every: number
  readonly check?: boolean
}

const FOLLOW_SECONDS = 2

export function mirrorCommand(): Command {
  return new Command('mirror')
    .description('keep a copy of a graph in a folder; only what differs is fetched, and all of it is proved')
    .addArgument(new Argument('<graph>', 'its IRI'))
    .requiredOption('--to <folder>', 'holds statements.nq, provenance.tsv and mirror.json')
    .option('--follow', 'go on until stopped')
    .option('--every <seconds>', 'with --follow', parseInteger(1, 86_400), FOLLOW_SECONDS)
    .option('--check', 'without a node: whether the files are what was proved when they were written')
    .addOption(apiOption())
    .addOption(genesisOption())
    .addOption(jsonOption())
    .action((graph: string, options: MirrorOptions) =>
      options.check === true ? check(graph, options) : mirror(graph, options),
    )
}

async function mirror(graph: string, options: MirrorOptions): Promise<void> {
  const folder = new MirrorFolder(options.to)
  const info = await folder.info()
  const { client, trusted: first } = await openChain(options)
  let trusted = first
  const genesis = bytesToHex(trusted.genesisHash)
  if (info !== null && (info.graph !== graph || info.genesis !== genesis)) {
    const found = `${options.to} holds <${info.graph}> of the chain ${info.genesis}`
    throw new CliError('INPUT_INVALID', found, 'Choose another folder with --to.')
  }
  const stopped = stopRequested().then(() => true)
  let held = info === null ? new EntrySet([]) : await folder.entries(graph)
  let root = info?.root ?? ''
  for (let isStopped = false; !isStopped;) {
    const done = await synchroniseGraph(client, trusted, graph, held)
    held = done.entries
    if (bytesToHex(done.root) !== root || done.inserted + done.deleted > 0 || options.follow !== true) {
      root = bytesToHex(done.root)
      const statements = held.entries.length
      const written: MirrorInfo = { graph, genesis, height: done.height, root, statements }
      await folder.write(written, held)
      tell(written, done, options)
    }
    if (options.follow !== true) return
    isStopped = await Promise.race([stopped, wait(1_000 * options.every, false)])
    trusted = await followEpochs(client, trusted)
  }
}

function tell(info: MirrorInfo, { inserted, deleted, bytes }: Synchronised, options: MirrorOptions): void {
  const { statements, height } = info
  const changes = `${formatCount(inserted)} new, ${formatCount(deleted)} gone`
  const text = `${counted(statements, 'statement')} at height ${height}: ${changes}, ${formatCount(bytes)} bytes`
  createOutput(options).result(text, { ...info, inserted, deleted, bytes })
}

async function check(graph: string, options: MirrorOptions): Promise<void> {
  const folder = new MirrorFolder(options.to)
  const info = await folder.info()
  if (info === null || info.graph !== graph) {
    throw new CliError(
      'INPUT_INVALID',
      `${options.to} holds no copy of <${graph}>`,
      'Leave --check out to make one.',
    )
  }
  const entries = await folder.entries(graph)
  if (bytesToHex(entries.hash) !== info.root) {
    const message = `${options.to} is not what was proved at height ${info.height}: its ${counted(entries.entries.length, 'statement')} have the root ${bytesToHex(entries.hash)}`
    throw new CliError('CHECK_FAILED', message, 'Without --check, what differs is fetched again.')
  }
  const text = `${counted(info.statements, 'statement')}, root ${info.root}: as at height ${info.height}`
  createOutput(options).result(text, info)
}
