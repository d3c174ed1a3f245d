/**
 * `althing graph`: RDF on the chain (PC-5, PC-6).
 * @module
 */
import { bytesToHex, graphCreate, graphGrant, graphRevoke } from '@althing/base'
import type { AlthingClient, GraphDetailsJson, GraphJson, HeldGraphsJson, Operation } from '@althing/client'
import { Argument, Command, Option } from 'commander'
import { loadSigner, passphraseFrom } from '../keys/index.ts'
import { configOption, openClient, tokenFileOption } from './api-access.ts'
import { genesisOption, openChain, sendOperations } from './chain-access.ts'
import type { GenesisOption, SendOptions } from './chain-access.ts'
import { CliError } from './failure.ts'
import { packGroups, readRdfFiles } from './graph-files.ts'
import type { RdfFiles, RdfFilesOptions } from './graph-files.ts'
import { mirrorCommand } from './graph-mirror.ts'
import { readGraph, readStatements } from './graph-read.ts'
import { loadPacked } from './load.ts'
import { apiOption, jsonOption, keyOption, parseAmount, parseHex32, parseIri } from './options.ts'
import type { ApiOption, JsonOption } from './options.ts'
import { counted, createOutput, formatCount, formatMs, tableLines } from './output.ts'
import { progressBar } from './progress.ts'

type WriteOptions = SendOptions & JsonOption
type ReadOptions = ApiOption & GenesisOption & JsonOption

export function graphCommand(): Command {
  const graph = new Command('graph').description('RDF graphs on the chain').addHelpText(
    'after',
    `
Files: Turtle (.ttl), TriG (.trig), N-Triples (.nt), N-Quads (.nq), JSON-LD (.jsonld). Blank nodes get IRIs that follow
from what is said of them, so loading a file again adds nothing.
Examples:
  althing graph load products.ttl --graph http://example.org/products --key alice.key
  althing graph diff products.ttl --graph http://example.org/products
  althing graph export http://example.org/products > products.nq
  althing query 'SELECT * { ?product a <http://example.org/Product> } LIMIT 10'`,
  )
  writing(graph.command('create'))
    .description('make a graph, which you then own')
    .addArgument(graphArgument())
    .option('--shapes <file>', 'SHACL shapes that everything in it has to conform to')
    .action(create)
  rdfOptions(writing(graph.command('load')))
    .description('add statements from files; graphs that are not there are made')
    .argument('<file...>', 'RDF; "-" is standard input')
    .action((files: string[], options: WriteOptions & RdfFilesOptions) => load(files, options))
  rdfOptions(writing(graph.command('delete')))
    .description('take the statements of files out')
    .argument('<file...>', 'RDF; "-" is standard input')
    .action((files: string[], options: WriteOptions & RdfFilesOptions) => remove(files, options))
  writing(graph.command('grant'))
    .description('let another account write to a graph that you own')
    .addArgument(graphArgument())
    .argument('<account>', '64 hexadecimal digits', parseHex32)
    .action((name: string, account: Uint8Array, options: WriteOptions) =>
      write(`${bytesToHex(account)} may write to ${name}`, graphGrant({ graph: name, account }), options),
    )
  writing(graph.command('revoke'))
    .description('take a grant back')
    .addArgument(graphArgument())
    .argument('<account>', '64 hexadecimal digits', parseHex32)
    .action((name: string, account: Uint8Array, options: WriteOptions) =>
      write(
        `${bytesToHex(account)} may no longer write to ${name}`,
        graphRevoke({ graph: name, account }),
        options,
      ),
    )
  reading(graph.command('list')).description('graphs, their owners and sizes').action(list)
  reading(graph.command('export'))
    .description('all statements of a graph as N-Quads, proved')
    .addArgument(graphArgument())
    .option('--no-proof', 'believe the node')
    .action(exportGraph)
  rdfOptions(reading(graph.command('diff')))
    .description(
      'what files say and the chain does not (+), and the other way round (-); exit code 1 when they differ',
    )
    .argument('<file...>', 'RDF; "-" is standard input')
    .action((files: string[], options: ReadOptions & RdfFilesOptions) => diff(files, options))
  rdfOptions(reading(graph.command('verify')))
    .description('prove that the chain holds all that files say')
    .argument('<file...>', 'RDF; "-" is standard input')
    .action((files: string[], options: ReadOptions & RdfFilesOptions) => verify(files, options))
  graph.addCommand(mirrorCommand())
  graph
    .command('holders')
    .description('which graphs the node and its peers keep for queries')
    .addOption(apiOption())
    .addOption(jsonOption())
    .action(holders)
  return graph
}

/** Of more grants a node tells only so many. */
const GRANTS_TOLD_MAX = 256

const graphArgument = (): Argument => new Argument('<graph>', 'its IRI').argParser(parseIri)

function writing(command: Command): Command {
  return command
    .option('--fee <amount>', "fee of a transaction (default: the genesis' least fee)", parseAmount)
    .addOption(keyOption())
    .addOption(apiOption())
    .addOption(configOption())
    .addOption(tokenFileOption())
    .addOption(genesisOption())
    .addOption(jsonOption())
}

function reading(command: Command): Command {
  return command.addOption(apiOption()).addOption(genesisOption()).addOption(jsonOption())
}

function rdfOptions(command: Command): Command {
  return command
    .addOption(new Option('--graph <iri>', 'the graph of statements that name none').argParser(parseIri))
    .addOption(
      new Option('--format <media-type>', 'such as text/turtle (default: by the ending of the file)'),
    )
    .addOption(
      new Option('--base <iri>', 'for relative IRIs; without it they are refused').argParser(parseIri),
    )
}

async function write(done: string, operation: Operation, options: WriteOptions): Promise<void> {
  const transaction = await sendOperations([operation], options)
  createOutput(options).result(`${done}: final in block ${transaction.height}`, transaction)
}

async function create(name: string, options: WriteOptions & { readonly shapes?: string }): Promise<void> {
  // The shapes are statements without a graph on the chain; here they need one to be read.
  const read = options.shapes === undefined ? null : await readRdfFiles([options.shapes], { graph: name })
  const shapes = read?.groups.flat().map(({ statement }) => statement) ?? []
  await write(`made ${name}`, graphCreate({ graph: name, shapes }), options)
}

async function load(files: readonly string[], options: WriteOptions & RdfFilesOptions): Promise<void> {
  const output = createOutput(options)
  const rdf = await readRdfFiles(files, options)
  const account = await accountOf(options)
  const { client } = await openChain(options)
  const known = new Map<string, ReadonlySet<string>>()
  for (const graph of rdf.graphs) {
    const found = await client.graphs.find(graph)
    if (found === null) {
      await sendOperations([graphCreate({ graph })], options)
      output.note(`made ${graph}`)
      continue
    }
    assertMayWrite(found, account)
    if (found.statements > 0) known.set(graph, await textsOf(client, graph))
  }
  const missing = rdf.groups.filter((group) =>
    group.some(({ graph, statement }) => known.get(graph)?.has(statement) !== true),
  )
  const there = rdf.quads - missing.reduce((sum, group) => sum + group.length, 0)
  if (there > 0) output.note(`${counted(there, 'statement')} there already`)
  await send({ ...rdf, groups: missing }, 'insert', options)
}

async function remove(files: readonly string[], options: WriteOptions & RdfFilesOptions): Promise<void> {
  const rdf = await readRdfFiles(files, options)
  const account = await accountOf(options)
  const { client } = await openChain(options)
  for (const graph of rdf.graphs) assertMayWrite(await client.graphs.get(graph), account)
  await send(rdf, 'delete', options)
}

async function accountOf(options: WriteOptions): Promise<string> {
  const signer = await loadSigner(options.key, passphraseFrom({ environment: process.env }))
  return bytesToHex(signer.publicKey)
}

/** The chain judges; but it takes the fee of every transaction that it refuses. */
function assertMayWrite({ name, owner, grants }: GraphDetailsJson, account: string): void {
  const isListed = owner === account || grants.some((grant) => grant.account === account)
  if (isListed || grants.length >= GRANTS_TOLD_MAX) return
  const message = `nothing was sent: NOT_OWNER, ${name} belongs to ${owner}, who has not let ${account} write to it`
  throw new CliError('TRANSACTION_REJECTED', message, `The owner can: althing graph grant ${name} ${account}`)
}

/** Read while others may write: what is not seen is sent again, and changes nothing. */
async function textsOf(client: AlthingClient, graph: string): Promise<ReadonlySet<string>> {
  const statements = await readStatements(client, graph)
  return new Set(statements.map(({ text }) => text))
}

async function send(
  { groups }: Pick<RdfFiles, 'groups'>,
  kind: 'insert' | 'delete',
  options: WriteOptions,
): Promise<void> {
  const output = createOutput(options)
  if (groups.length === 0) {
    return output.result('nothing to do', { statements: 0, transactions: 0, height: null, elapsed_ms: 0 })
  }
  const packed = await packGroups(groups, kind)
  const statements = packed.reduce((sum, transaction) => sum + transaction.statements, 0)
  const signer = await loadSigner(options.key, passphraseFrom({ environment: process.env }))
  const { client, trusted } = await openChain(options)
  const bar = progressBar(statements, 'statements')
  const loaded = await loadPacked(
    packed.map(({ operations, statements: units }) => ({ operations, units })),
    {
      clients: [client],
      signers: [signer],
      trusted,
      fee: options.fee,
      onFinal: (units) => options.json !== true && bar.show(units),
    },
  )
  bar.end()
  const done = kind === 'insert' ? 'added' : 'taken out'
  const text = `${counted(statements, 'statement')} ${done} in ${counted(loaded.transactions, 'transaction')}, final in ${formatMs(loaded.elapsedMs)}`
  output.result(text, {
    statements,
    transactions: loaded.transactions,
    height: loaded.height,
    elapsed_ms: loaded.elapsedMs,
  })
}

async function list(options: ReadOptions): Promise<void> {
  const client = await openClient(options)
  const graphs: GraphJson[] = []
  let after: string | undefined
  do {
    const page = await client.graphs.list({ ...(after !== undefined && { after }), limit: 1_000 })
    graphs.push(...page.graphs)
    after = page.next ?? undefined
  } while (after !== undefined)
  const rows = graphs.map(({ name, owner, statements, gated }) => [
    name,
    formatCount(statements),
    `${owner.slice(0, 16)}…`,
    gated ? 'yes' : 'no',
  ])
  const titles = [
    { title: 'graph' },
    { title: 'statements', align: 'right' as const },
    { title: 'owner' },
    { title: 'shapes' },
  ]
  const text = graphs.length === 0 ? 'There is no graph yet.' : tableLines(titles, rows).join('\n')
  createOutput(options).result(text, graphs)
}

async function holders(options: ApiOption & JsonOption): Promise<void> {
  const answer = await (await openClient(options)).graphs.holders()
  const shown = (held: HeldGraphsJson): string => (held === 'all' ? 'all graphs' : held.join(' '))
  const rows = answer.peers.map(({ peer_id: peer, held }) => [peer, shown(held)])
  const lines = tableLines(
    [{ title: 'node' }, { title: 'keeps' }],
    [['this one', shown(answer.held)], ...rows],
  )
  createOutput(options).result(lines.join('\n'), answer)
}

async function exportGraph(name: string, options: ReadOptions & { readonly proof: boolean }): Promise<void> {
  const output = createOutput(options)
  const { client, trusted } = await openChain(options)
  const { statements, root, height } = await readGraph(client, name, options.proof ? trusted : null)
  const lines = statements.map(({ text }) => `${text} <${name}> .`).sort()
  output.note(
    `${counted(lines.length, 'statement')} at height ${height}, root ${root}: ${options.proof ? 'proved' : 'not proved'}`,
  )
  output.result(lines.length === 0 ? null : lines.join('\n'), { graph: name, height, root, statements })
}

interface Difference {
  readonly missing: readonly string[]
  readonly surplus: readonly string[]
  readonly roots: Readonly<Record<string, string>>
}

/** @param rdf of files. */
async function compare(rdf: RdfFiles, options: ReadOptions & RdfFilesOptions): Promise<Difference> {
  const { client, trusted } = await openChain(options)
  // Files that say nothing are compared too, with the graph that they are for.
  const graphs = rdf.graphs.length === 0 && options.graph !== undefined ? [options.graph] : rdf.graphs
  const said = new Map(graphs.map((graph) => [graph, new Set<string>()]))
  for (const { graph, statement } of rdf.groups.flat()) said.get(graph)!.add(statement)
  const missing: string[] = []
  const surplus: string[] = []
  const roots: Record<string, string> = {}
  for (const [graph, statements] of said) {
    const found = await client.graphs.find(graph)
    const held = found === null ? null : await readGraph(client, graph, trusted)
    const texts = new Set(held?.statements.map(({ text }) => text))
    roots[graph] = held?.root ?? ''
    for (const text of statements) if (!texts.has(text)) missing.push(`${text} <${graph}> .`)
    for (const text of texts) if (!statements.has(text)) surplus.push(`${text} <${graph}> .`)
  }
  return { missing: missing.sort(), surplus: surplus.sort(), roots }
}

async function diff(files: readonly string[], options: ReadOptions & RdfFilesOptions): Promise<void> {
  const rdf = await readRdfFiles(files, options)
  const difference = await compare(rdf, options)
  const { missing, surplus } = difference
  const lines = [...missing.map((line) => `+ ${line}`), ...surplus.map((line) => `- ${line}`)]
  const output = createOutput(options)
  output.result(lines.length === 0 ? null : lines.join('\n'), difference)
  output.note(
    lines.length === 0
      ? `${counted(rdf.quads, 'statement')}: no difference`
      : `${formatCount(missing.length)} only in the files, ${formatCount(surplus.length)} only on the chain`,
  )
  if (lines.length > 0) process.exitCode = 1
}

async function verify(files: readonly string[], options: ReadOptions & RdfFilesOptions): Promise<void> {
  const rdf = await readRdfFiles(files, options)
  const { missing, roots } = await compare(rdf, options)
  if (missing.length > 0) {
    const message = `${counted(missing.length, 'statement is', 'statements are')} not on the chain, such as ${missing[0]}`
    throw new CliError('CHECK_FAILED', message, '"althing graph load" adds them.')
  }
  const text = `${counted(rdf.quads, 'statement')} in ${counted(rdf.graphs.length, 'graph')}: all on the chain, proved`
  createOutput(options).result(text, { statements: rdf.quads, roots })
}
