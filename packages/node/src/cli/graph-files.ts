/**
 * RDF files as a command reads them: brought into the form that the chain takes. What reads them is loaded when it is
 * needed: it takes half as long again as all the rest of the program.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { text as readText } from 'node:stream/consumers'
import type * as RdfLibrary from '@althing/client/rdf'
import type { PackedStatements, RdfError, StatementGroup } from '@althing/client/rdf'
import { CliError } from './failure.ts'

export interface RdfFilesOptions {
  /** For statements that name no graph. */
  readonly graph?: string
  /** Media type; else the ending of the file says it. */
  readonly format?: string
  readonly base?: string
}

export interface RdfFiles {
  readonly groups: readonly StatementGroup[]
  /** Distinct graphs that the statements are in. */
  readonly graphs: readonly string[]
  readonly quads: number
  readonly blankNodes: number
}

/** @param files "-" is standard input. @throws {CliError} `FILE_UNREADABLE`, `INPUT_INVALID`. */
export async function readRdfFiles(files: readonly string[], options: RdfFilesOptions): Promise<RdfFiles> {
  const { formatOfFile, formatOfMediaType, readRdf } = await rdfLibrary()
  const groups: StatementGroup[] = []
  let quads = 0
  let blankNodes = 0
  for (const file of files) {
    const text = await readInput(file)
    const read = await asCliError(file, () =>
      readRdf(text, {
        format: options.format === undefined ? formatOfFile(file) : formatOfMediaType(options.format),
        ...(options.graph !== undefined && { graph: options.graph }),
        ...(options.base !== undefined && { baseIri: options.base }),
      }),
    )
    groups.push(...read.groups)
    quads += read.quads
    blankNodes += read.blankNodes
  }
  const graphs = new Set(groups.flatMap((group) => group.map(({ graph }) => graph)))
  return { groups, graphs: [...graphs].sort(), quads, blankNodes }
}

async function readInput(file: string): Promise<string> {
  if (file === '-') return readText(process.stdin)
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new CliError('FILE_UNREADABLE', `${file} cannot be read: ${(cause as Error).message}`, '', {
      cause,
    })
  }
}

/** One for each transaction. @throws {CliError} `INPUT_INVALID` */
export function packGroups(
  groups: readonly StatementGroup[],
  kind: 'insert' | 'delete',
): Promise<PackedStatements[]> {
  return asCliError('the statements', async () => (await rdfLibrary()).packStatements(groups, kind))
}

function rdfLibrary(): Promise<typeof RdfLibrary> {
  return import('@althing/client/rdf')
}

async function asCliError<T>(file: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const { RdfError } = await rdfLibrary()
    if (!(error instanceof RdfError)) throw error
    throw new CliError('INPUT_INVALID', `${file}: ${error.code}, ${error.message}`, adviceOf(error), {
      cause: error,
    })
  }
}

function adviceOf({ code, message }: RdfError): string {
  if (code === 'RDF_GRAPH_MISSING') return 'Name it with --graph IRI.'
  if (code === 'RDF_FORMAT_UNKNOWN') return 'Name it with --format MEDIA-TYPE.'
  return message.includes('No scheme found') ? 'Relative IRIs need a base: --base IRI.' : ''
}
