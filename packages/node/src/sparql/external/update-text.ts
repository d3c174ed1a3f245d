/**
 * What is told to a SPARQL 1.1 server so that it holds the graphs of one height. Pure.
 * E1  the height stands in the store itself, and is written by the update that makes the graphs those of that height
 * E2  an update names the height that it leads on from, and changes nothing in a store of another one: sent twice, or
 *     arriving late, it does no harm. What is too much for one update is in several, between which the store is being filled
 * @module
 */
import type { IndexedBlock } from '../source.ts'

/** The graph in which the store says which height it is at. No graph of the chain has such a name. */
const INDEX = '<urn:althing:index>'
const HEIGHT = '<urn:althing:index#height>'
const GENESIS = '<urn:althing:index#genesis>'
/** There while the store is of no height. */
const FILLING = '<urn:althing:index#filling>'

/** Where the store is: `name` (`height` or `filling`) and `value`. Whether it holds anything at all: `SOMETHING_QUERY`. */
export const POSITION_QUERY = `SELECT ?name ?value { GRAPH ${INDEX} { ${INDEX} ?name ?value } }`
export const SOMETHING_QUERY = 'ASK { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }'

export interface StorePosition {
  /** Null while it is being filled. */
  readonly height: number | null
  /** Of the chain, in hexadecimal digits. */
  readonly genesis: string
}

/** @param bindings of the answer to `POSITION_QUERY`. @returns null when the store says nothing that is understood. */
export function readPosition(
  bindings: readonly { readonly name: string; readonly value: string }[],
): StorePosition | null {
  const values = new Map(bindings.map(({ name, value }) => [`<${name}>`, value]))
  const genesis = values.get(GENESIS)
  if (genesis === undefined) return null
  const height = values.get(HEIGHT)
  const isHeight = height !== undefined && /^[0-9]{1,15}$/.test(height)
  return { genesis, height: isHeight ? Number(height) : null }
}

/** Empties the store, which from then on is being filled. */
export function startUpdate(genesis: string): string {
  return `DROP ALL;\nINSERT DATA { GRAPH ${INDEX} { ${INDEX} ${GENESIS} "${genesis}" ; ${FILLING} true } }`
}

/** While it is being filled. @param lines of N-Quads, which are to be there afterwards, or not. */
export function fillUpdate(lines: string, kind: 'INSERT' | 'DELETE' = 'INSERT'): string {
  return `${kind} DATA {\n${graphGroups(lines)}}`
}

/** The store is filled: its graphs are those of `height`. */
export function filledUpdate(height: number): string {
  return move(`${INDEX} ${FILLING} true`, `${INDEX} ${HEIGHT} ${height}`, '', '')
}

/** Goes on from `from` to the height of `block`, whose changes are those of all blocks between. */
export function blockUpdate(from: number, { height, deleted, inserted }: IndexedBlock): string {
  return move(`${INDEX} ${HEIGHT} ${from}`, `${INDEX} ${HEIGHT} ${height}`, deleted, inserted)
}

/** The store is of height `from` no more, and is being filled. */
export function leaveUpdate(from: number): string {
  return move(`${INDEX} ${HEIGHT} ${from}`, `${INDEX} ${FILLING} true`, '', '')
}

/** One operation, so that a store does all of it or nothing. */
function move(expected: string, next: string, deleted: string, inserted: string): string {
  return [
    `DELETE {\nGRAPH ${INDEX} { ${expected} }`,
    `${graphGroups(deleted)}}`,
    `INSERT {\nGRAPH ${INDEX} { ${next} }`,
    `${graphGroups(inserted)}}`,
    `WHERE { GRAPH ${INDEX} { ${expected} } }`,
  ].join('\n')
}

/** What all blocks together change: of one statement insertions and deletions take turns. @param blocks at least one. */
export function joinBlocks(blocks: readonly IndexedBlock[]): IndexedBlock {
  const last = blocks.at(-1)!
  if (blocks.length === 1) return last
  const isInsertedByLine = new Map<string, boolean>()
  const note = (lines: string, isInserted: boolean): void => {
    for (const line of lines.split('\n')) {
      if (line === '') continue
      if (isInsertedByLine.has(line)) isInsertedByLine.delete(line)
      else isInsertedByLine.set(line, isInserted)
    }
  }
  for (const { deleted, inserted } of blocks) {
    note(deleted, false)
    note(inserted, true)
  }
  const pick = (isInserted: boolean): string =>
    [...isInsertedByLine].flatMap(([line, is]) => (is === isInserted ? [`${line}\n`] : [])).join('')
  return { height: last.height, deleted: pick(false), inserted: pick(true) }
}

/** Pieces of whole lines; a line that is longer alone. */
export function* piecesOf(lines: string, linesMax: number, charactersMax: number): Generator<string> {
  let from = 0
  let count = 0
  let end = 0
  while (end < lines.length) {
    const next = lines.indexOf('\n', end) + 1
    if (end > from && (count === linesMax || next - from > charactersMax)) {
      yield lines.slice(from, end)
      from = end
      count = 0
    }
    end = next
    count++
  }
  if (end > from) yield lines.slice(from, end)
}

/** Lines of N-Quads as SPARQL writes statements of graphs. */
function graphGroups(lines: string): string {
  const statementsByGraph = new Map<string, string[]>()
  for (const line of lines.split('\n')) {
    if (line === '') continue
    const graphAt = line.lastIndexOf(' ', line.length - LINE_END.length - 1) + 1
    const graph = line.slice(graphAt, -LINE_END.length)
    const statement = `${literalSafe(line.slice(0, graphAt))}.`
    const statements = statementsByGraph.get(graph)
    if (statements === undefined) statementsByGraph.set(graph, [statement])
    else statements.push(statement)
  }
  let text = ''
  for (const [graph, statements] of statementsByGraph)
    text += `GRAPH ${graph} {\n${statements.join('\n')}\n}\n`
  return text
}

const LINE_END = ' .'

/**
 * SPARQL reads `\uXXXX` before anything else, also behind an escaped backslash (section 19.2), where N-Quads does not: there
 * the `u` is written as such an escape itself.
 */
function literalSafe(statement: string): string {
  if (!statement.includes('\\\\')) return statement
  return statement.replace(/\\\\([uU])|\\[^]/g, (escape, letter?: string) => {
    if (letter === undefined) return escape
    return letter === 'u' ? '\\\\\\u0075' : '\\\\\\u0055'
  })
}
