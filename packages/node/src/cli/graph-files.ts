/**
 * RDF files as a command reads them: brought into the form that the chain takes.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { text as readText } from 'node:stream/consumers'
import { formatOfFile, formatOfMediaType, RdfError, readRdf } from '@althing/client/rdf'
import type { RdfFormat, StatementGroup } from '@althing/client/rdf'
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
  const groups: StatementGroup[] = []
  let quads = 0
  let blankNodes = 0
  for (const file of files) {
    const text = await readInput(file)
    const read = await asCliError(file, () =>
      readRdf(text, {
        format: formatOf(file, options),
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

function formatOf(file: string, { format }: RdfFilesOptions): RdfFormat {
  return format === undefined ? formatOfFile(file) : formatOfMediaType(format)
}

async function asCliError<T>(file: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof RdfError)) throw error
    throw new CliError('INPUT_INVALID', `${file}: ${error.code}, ${error.message}`, adviceOf(error.code), {
      cause: error,
    })
  }
}

function adviceOf(code: RdfError['code']): string {
  if (code === 'RDF_GRAPH_MISSING') return 'Name it with --graph IRI.'
  if (code === 'RDF_FORMAT_UNKNOWN') return 'Name it with --format MEDIA-TYPE.'
  return ''
}
