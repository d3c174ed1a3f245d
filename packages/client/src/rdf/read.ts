/**
 * Text in any of the formats, to canonical N-Quads without blank nodes: what a graph on the chain is made of (PC-5).
 * Literals get the one lexical form that the chain takes, and each statement is there once, however often it was said.
 * @module
 */
import { Store } from 'oxigraph'
import { RdfError } from './error.ts'
import type { RdfPosition } from './error.ts'
import type { RdfFormat } from './formats.ts'
import { nameBlankNodes } from './blank-nodes.ts'
import { joinStatement, splitStatement } from './statement.ts'
import type { Statement } from './statement.ts'

export interface ReadRdfOptions {
  readonly format: RdfFormat
  /** For relative IRIs; without it they are refused. */
  readonly baseIri?: string
  /** IRI of the graph for statements that name none; without it they are refused. */
  readonly graph?: string
  /** Default 2,000,000: about 1.5 GB of memory while they are read. */
  readonly quadsMax?: number
  /** Work spent on one knot of blank nodes; default 4,096 steps, a third of a second. */
  readonly stepsMax?: number
  /** Ends the naming of blank nodes early, with `RDF_TOO_COMPLEX`. */
  readonly signal?: AbortSignal
}

export interface GraphStatement {
  /** IRI. */
  readonly graph: string
  /** Canonical N-Quads without graph and full stop. */
  readonly statement: string
}

/** Statements that belong together, since they shared a blank node. */
export type StatementGroup = readonly GraphStatement[]

export interface ReadRdf {
  /** In the order of their first statements; those of each sorted. The same for every way to write the same graphs. */
  readonly groups: readonly StatementGroup[]
  /** Statements of all groups. */
  readonly quads: number
  /** Blank nodes that were given IRIs. */
  readonly blankNodes: number
}

const QUADS_MAX = 2_000_000

/** @throws {RdfError} */
export async function readRdf(text: string | Uint8Array, options: ReadRdfOptions): Promise<ReadRdf> {
  const { quadsMax = QUADS_MAX, graph } = options
  const store = new Store()
  try {
    store.load(text, {
      format: options.format,
      ...(options.baseIri !== undefined && { base_iri: options.baseIri }),
    })
  } catch (error) {
    throw syntaxError(error)
  }
  if (store.size > quadsMax) {
    throw new RdfError('RDF_TOO_LARGE', `${store.size} statements; at most ${quadsMax} at a time`)
  }
  const statements = linesOf(store).map((line) => inGraph(splitStatement(line), graph))
  const { groups, blankNodes } = await nameBlankNodes(statements, options)
  return { groups, quads: groups.reduce((sum, group) => sum + group.length, 0), blankNodes }
}

/** Canonical N-Quads of what blank nodes are not in: the form that each statement has on the chain. */
function linesOf(store: Store): readonly string[] {
  const lines = store.dump({ format: 'application/n-quads' }).split('\n')
  const statements = lines.filter((line) => line !== '')
  for (const line of statements) {
    if (line.includes('<<(') || /"@[a-z0-9-]+--(?:ltr|rtl) /i.test(line)) {
      const message = `RDF 1.2 is not supported (triple terms, base directions); found ${shorten(line)}`
      throw new RdfError('RDF_UNSUPPORTED', message)
    }
  }
  return statements
}

function inGraph(statement: Statement, graph: string | undefined): Statement {
  if (statement.graph !== '') return statement
  if (graph !== undefined) return { ...statement, graph: `<${graph}>` }
  const message = `a statement without a graph: ${shorten(joinStatement(statement))}; name the graph that it goes to`
  throw new RdfError('RDF_GRAPH_MISSING', message)
}

/** Oxigraph says where in its message only. */
function syntaxError(error: unknown): RdfError {
  const message = error instanceof Error ? error.message : String(error)
  // The parsers' own errors are plain ones. Others are traps of WebAssembly, whose stack was too small.
  if (error instanceof Error && error.name !== 'Error') {
    return new RdfError('RDF_TOO_COMPLEX', 'the text is too deeply nested to be read', { cause: error })
  }
  if (message.includes('LoadDocumentCallback')) {
    return new RdfError(
      'RDF_UNSUPPORTED',
      'a JSON-LD context that is only referred to; nothing is fetched while reading: put the context itself into the document',
      { cause: error },
    )
  }
  return new RdfError('RDF_SYNTAX', message, { cause: error, position: positionIn(message) })
}

function positionIn(message: string): RdfPosition | null {
  const match = /line (\d+)(?: between columns| column) (\d+)/.exec(message)
  return match === null ? null : { line: Number(match[1]), column: Number(match[2]) }
}

const SHOWN_CHARACTERS = 120

function shorten(line: string): string {
  return line.length <= SHOWN_CHARACTERS ? line : `${line.slice(0, SHOWN_CHARACTERS)}…`
}
