/**
 * `althing trace` and `althing entity`: where a thing comes from, and what is said of it (PC-6).
 * @module
 */
import { writeFile } from 'node:fs/promises'
import type { EntityJson, SignedStatementJson } from '@althing/client'
import { Command } from 'commander'
import { inLine } from '../printable.ts'
import { traceSvg } from '../trace/svg.ts'
import { nameOf, traceLines } from '../trace/tree-text.ts'
import { openClient } from './api-access.ts'
import { CliError } from './failure.ts'
import { apiOption, jsonOption, parseInteger, parseIri } from './options.ts'
import type { ApiOption, JsonOption } from './options.ts'
import { counted, createOutput } from './output.ts'

const DEPTH_MAX = 128

interface TraceOptions extends ApiOption, JsonOption {
  readonly forward?: boolean
  readonly depth?: number
  readonly svg?: string
}

export function traceCommand(): Command {
  return new Command('trace')
    .description('where a thing comes from, step by step, with block, time and signer of each')
    .argument('<iri>', 'of a product, a batch, a document', parseIri)
    .option('--forward', 'what became of it, instead')
    .option('--depth <steps>', 'follow so many steps', parseInteger(1, DEPTH_MAX))
    .option('--svg <file>', 'write a picture of it')
    .addOption(apiOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Steps are statements in the terms of PROV-O (wasDerivedFrom, wasGeneratedBy, used …) and of GS1 EPCIS (transformation and
aggregation events).
Example:
  althing trace https://id.example.org/01/09506000134352/21/42 --svg trace.svg`,
    )
    .action(trace)
}

async function trace(iri: string, options: TraceOptions): Promise<void> {
  const client = await openClient(options)
  const found = await client.graphs.trace(iri, {
    direction: options.forward === true ? 'forth' : 'back',
    ...(options.depth !== undefined && { depth: options.depth }),
  })
  const output = createOutput(options)
  if (options.svg !== undefined) await write(options.svg, traceSvg(found))
  output.result(traceLines(found).join('\n'), found)
  const things = counted(found.things.length, 'thing')
  const steps = counted(found.steps.length, 'step')
  output.note(
    `${things}, ${steps} at height ${found.height}${options.svg === undefined ? '' : `; ${options.svg} written`}`,
  )
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (cause) {
    throw new CliError('INPUT_INVALID', `${file} cannot be written: ${(cause as Error).message}`, '', {
      cause,
    })
  }
}

export function entityCommand(): Command {
  return new Command('entity')
    .description('what is said of a thing under any of its IRIs, with source, block and signer')
    .argument('<iri>', 'of anything', parseIri)
    .addOption(apiOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nIRIs are the same when owl:sameAs says so, or when they share the value of an identifying property, such as a GTIN.',
    )
    .action(entity)
}

async function entity(iri: string, options: ApiOption & JsonOption): Promise<void> {
  const client = await openClient(options)
  const found = await client.graphs.entity(iri)
  createOutput(options).result(entityLines(found).join('\n'), found)
}

function entityLines({ iri, same, links, statements, conflicts, truncated }: EntityJson): string[] {
  if (statements.length === 0) return [`Nothing is said of ${iri}.`]
  const lines =
    same.length === 1 ? [iri] : [`${same.length} IRIs of the same thing:`, ...same.map((each) => `  ${each}`)]
  if (links.length > 0) lines.push('since', ...links.map((link) => `  ${sayWithSource(link)}`))
  lines.push('it is said', ...statements.map((statement) => `  ${sayWithSource(statement)}`))
  for (const { predicate, values } of conflicts) {
    lines.push(`conflict: ${predicate} has one value`, ...values.map((value) => `  ${sayWithSource(value)}`))
  }
  if (truncated) lines.push('… and more')
  return lines
}

function sayWithSource({ subject, predicate, object, graph, height, signer }: SignedStatementJson): string {
  const source = height === null ? '' : `, block ${height}, ${signer!.slice(0, 12)}…`
  return `${nameOf(subject)} ${nameOf(predicate)} ${inLine(object)}  [${graph}${source}]`
}
