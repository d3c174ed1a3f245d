/**
 * `althing query`: SPARQL over the final graphs (PC-6).
 * @module
 */
import { readFile } from 'node:fs/promises'
import { text as readText } from 'node:stream/consumers'
import type { SparqlAnswer } from '@althing/client'
import { Command, Option } from 'commander'
import { configOption, openClient, tokenFileOption } from './api-access.ts'
import type { AccessOptions } from './api-access.ts'
import { CliError } from './failure.ts'
import { inLine } from '../printable.ts'
import { apiOption, jsonOption, parseInteger, parseIri } from './options.ts'
import type { JsonOption } from './options.ts'
import { counted, createOutput, tableLines } from './output.ts'
import type { Output } from './output.ts'

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  json: 'application/sparql-results+json, application/ld+json',
  xml: 'application/sparql-results+xml, application/rdf+xml',
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  turtle: 'text/turtle',
  nquads: 'application/n-quads',
}
const TABLE_TYPES = 'application/sparql-results+json, text/turtle;q=0.9'

interface QueryOptions extends AccessOptions, JsonOption {
  readonly file?: string
  readonly format?: string
  readonly height?: number
  readonly graph: readonly string[]
  readonly check?: number
}

export function queryCommand(): Command {
  return new Command('query')
    .description('ask the graphs on the chain in SPARQL')
    .argument('[query]', 'SPARQL 1.1 query; "-" or nothing reads standard input')
    .option('--file <file>', 'read the query from a file')
    .addOption(
      new Option('--format <format>', 'of the answer (default: a table, or Turtle)').choices(
        Object.keys(MEDIA_TYPES),
      ),
    )
    .option('--height <height>', 'ask as it was after that block', parseInteger(0, Number.MAX_SAFE_INTEGER))
    .option(
      '--graph <iri>',
      'ask this graph only; may be given several times (default: all together)',
      (graph: string, graphs: readonly string[]) => [...graphs, parseIri(graph)],
      [],
    )
    .option(
      '--check <nodes>',
      'have so many other nodes answer it too; exit code 1 when one answers otherwise, or fewer do',
      parseInteger(1, 8),
    )
    .addOption(apiOption())
    .addOption(configOption())
    .addOption(tokenFileOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  althing query 'SELECT ?class (COUNT(*) AS ?n) { ?s a ?class } GROUP BY ?class ORDER BY DESC(?n)'
  althing query 'CONSTRUCT WHERE { <http://example.org/1> ?p ?o }' --format nquads`,
    )
    .action(query)
}

async function query(text: string | undefined, options: QueryOptions): Promise<void> {
  const sparql = await readQuery(text, options)
  if (sparql.trim() === '') {
    throw new CliError('INPUT_INVALID', 'the query is empty', 'Give it as an argument, or with --file.')
  }
  const output = createOutput(options)
  const client = await openClient(options)
  const answer = await client.query(sparql, {
    accept: options.format === undefined ? TABLE_TYPES : MEDIA_TYPES[options.format]!,
    ...(options.height !== undefined && { height: options.height }),
    ...(options.check !== undefined && { check: options.check }),
    ...(options.graph.length > 0 && { defaultGraphs: options.graph }),
  })
  show(answer, options, output)
  if (answer.check !== null && answer.check.disagree + answer.check.silent > 0) process.exitCode = 1
}

async function readQuery(text: string | undefined, { file }: QueryOptions): Promise<string> {
  if (file === undefined) return text === undefined || text === '-' ? readText(process.stdin) : text
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new CliError('FILE_UNREADABLE', `${file} cannot be read: ${(cause as Error).message}`, '', {
      cause,
    })
  }
}

function show(answer: SparqlAnswer, { format }: QueryOptions, output: Output): void {
  const { text, mediaType, height, stateRoot, sources, check, receipts } = answer
  const isResults = mediaType === 'application/sparql-results+json'
  const results = isResults && (output.isJson || format === undefined) ? (JSON.parse(text) as Results) : null
  const value = {
    height,
    state_root: stateRoot,
    media_type: mediaType,
    sources,
    check,
    receipts,
    answer: results ?? text,
  }
  // As it is but for its last line feed, which comes back with the result: the last rows of a CSV may be empty lines.
  const shown = results === null ? text.replace(/\n$/, '') : tableOf(results)
  output.result(shown === '' ? null : shown, value)
  const rows = results?.results === undefined ? '' : `${counted(results.results.bindings.length, 'row')} `
  const from = sources.length === 0 ? '' : `, with statements from ${sources.join(', ')}`
  output.note(`${rows}at height ${height}${from}`)
  if (check !== null) {
    const { agree, disagree, silent } = check
    output.note(`checked: ${agree} other nodes agree, ${disagree} disagree, ${silent} did not answer`)
  }
}

interface Results {
  readonly head: { readonly vars?: readonly string[] }
  readonly boolean?: boolean
  readonly results?: { readonly bindings: readonly Readonly<Record<string, Term>>[] }
}

interface Term {
  readonly type: 'uri' | 'literal' | 'bnode'
  readonly value: string
  readonly datatype?: string
  readonly 'xml:lang'?: string
}

function tableOf({ head, boolean, results }: Results): string {
  if (results === undefined) return String(boolean)
  const names = head.vars ?? []
  const rows = results.bindings.map((binding) => names.map((name) => termText(binding[name])))
  return tableLines(
    names.map((title) => ({ title })),
    rows,
  ).join('\n')
}

/** Line ends would break the table, and control characters the terminal. */
function termText(term: Term | undefined): string {
  if (term === undefined) return ''
  const language = term['xml:lang'] === undefined ? '' : ` @${term['xml:lang']}`
  return `${inLine(term.value)}${language}`
}
