/**
 * Statements about things, found by queries of our own and shown with who signed them and when.
 * @module
 */
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { assert, bytesToHex, escapeText, headerOfEncoded } from '@althing/base'
import type { SparqlBackend } from '../api/sparql-routes.ts'
import type { ServedGraphs } from '../served-graphs.ts'
import { QueryFault } from '../sparql/fault.ts'
import type { ChainStore } from '../store/types.ts'
import type { Found } from './relations.ts'

/** In one query; more are asked in several. */
const THINGS_AT_ONCE = 256
/** Of one query: some megabytes that the main thread takes apart. */
const ROWS_MAX = 20_000
/** Statements looked up before others have their turn: some milliseconds. */
const SIGNED_AT_ONCE = 128
/** While blocks change what is read, it is read again; the last time at one height, whatever changes. */
const ATTEMPTS = 3
const RESULTS = 'application/sparql-results+json'

export interface Signed {
  /** Of the block that inserted the statement. */
  readonly height: number
  /** Of that block, in milliseconds since 1970. */
  readonly timeMs: number
  /** Account that signed it, in hexadecimal digits. */
  readonly signer: string
}

/** Null when the statement is no longer in the newest final state. */
export type SignedBy = (statement: Found) => Signed | null

interface Term {
  readonly type: string
  readonly value: string
  readonly datatype?: string
  readonly 'xml:lang'?: string
}

export class FoundStatements {
  readonly #queries: Pick<SparqlBackend, 'query'>
  readonly #graphs: ServedGraphs
  readonly #store: ChainStore

  constructor(queries: Pick<SparqlBackend, 'query'>, graphs: ServedGraphs, store: ChainStore) {
    this.#queries = queries
    this.#graphs = graphs
    this.#store = store
  }

  /**
   * What `read` makes of the graphs of one height.
   * @param client whose queries these are.
   * @throws {QueryFault}
   */
  async look<Result>(
    client: string,
    read: (look: Look) => Promise<Result>,
  ): Promise<{ readonly result: Result; readonly height: number }> {
    for (let attempt = 1; ; attempt++) {
      const look = new Look(this.#queries, client, attempt === ATTEMPTS)
      const result = await read(look)
      const [height, ...others] = look.heights
      assert(height !== undefined, 'something was read')
      if (others.length === 0) return { result, height }
    }
  }

  /** Looks up who signed these, and when. */
  async signed(statements: readonly Found[]): Promise<SignedBy> {
    const signedByText = new Map<string, Signed | null>()
    const timeByHeight = new Map<number, number>()
    for (const statement of statements) {
      const text = textOf(statement)
      if (signedByText.has(text)) continue
      if (signedByText.size % SIGNED_AT_ONCE === SIGNED_AT_ONCE - 1) await yieldToOthers()
      signedByText.set(text, this.#find(statement.graph, text, timeByHeight))
    }
    return (statement) => signedByText.get(textOf(statement)) ?? null
  }

  #find(graph: string, text: string, timeByHeight: Map<number, number>): Signed | null {
    const found = this.#graphs.find(graph, text.slice(0, text.length - graph.length - 1))
    if (found === null) return null
    const timeMs = timeByHeight.get(found.height) ?? this.#timeOf(found.height)
    timeByHeight.set(found.height, timeMs)
    return { height: found.height, timeMs, signer: bytesToHex(found.sender) }
  }

  #timeOf(height: number): number {
    const encoded = this.#store.encodedBlock(height)
    return encoded === undefined ? 0 : headerOfEncoded(encoded).timestamp
  }
}

/** Questions that are answered of one height, or say that they were not. */
export class Look {
  readonly #queries: Pick<SparqlBackend, 'query'>
  readonly #client: string
  readonly #isHeld: boolean
  /** Those that answers were of. */
  readonly heights = new Set<number>()

  /** @param isHeld all answers are of the height of the first, also when that takes long. */
  constructor(queries: Pick<SparqlBackend, 'query'>, client: string, isHeld: boolean) {
    this.#queries = queries
    this.#client = client
    this.#isHeld = isHeld
  }

  /**
   * @param pattern binds ?g, ?s, ?p and ?o of each statement, for the things that `VALUES ?thing` names before it.
   * @throws {QueryFault} also `QUERY_TOO_MANY_ROWS` for more than 20,000 statements.
   */
  async about(things: readonly string[], pattern: string): Promise<readonly Found[]> {
    const { found, isAll } = await this.some(things, pattern, ROWS_MAX)
    if (isAll) return found
    const message = `more than ${ROWS_MAX} statements are about ${things.length === 1 ? 'one thing' : `${things.length} things of one level`}, which is too much to show`
    throw new QueryFault('QUERY_TOO_MANY_ROWS', message)
  }

  /** As `about`; of more than `rowsMax` statements about the same 256 things only some. */
  async some(
    things: readonly string[],
    pattern: string,
    rowsMax: number,
  ): Promise<{ readonly found: readonly Found[]; readonly isAll: boolean }> {
    const found: Found[] = []
    let isAll = true
    for (let from = 0; from < things.length; from += THINGS_AT_ONCE) {
      const values = things.slice(from, from + THINGS_AT_ONCE).map((iri) => `<${iri}>`)
      const rows = await this.#ask(
        `SELECT ?g ?s ?p ?o { VALUES ?thing { ${values.join(' ')} } ${pattern} } LIMIT ${rowsMax + 1}`,
      )
      isAll &&= rows.length <= rowsMax
      for (const row of rows.slice(0, rowsMax)) found.push(row)
    }
    return { found, isAll }
  }

  async #ask(query: string): Promise<readonly Found[]> {
    const [height = null] = this.#isHeld ? this.heights : []
    const answer = await this.#queries.query({
      query,
      mediaType: RESULTS,
      defaultGraphs: null,
      namedGraphs: null,
      unionDefault: false,
      height,
      client: this.#client,
    })
    this.heights.add(answer.height)
    const { results } = JSON.parse(answer.text) as {
      results: { bindings: readonly Readonly<Record<string, Term>>[] }
    }
    return results.bindings.map(foundOf)
  }
}

function foundOf({ g, s, p, o }: Readonly<Record<string, Term>>): Found {
  assert(
    g !== undefined && s !== undefined && p !== undefined && o !== undefined,
    'a pattern binds the whole statement',
  )
  return { graph: g.value, subject: s.value, predicate: p.value, object: objectOf(o) }
}

function objectOf({ type, value, datatype, 'xml:lang': language }: Term): string {
  if (type === 'uri') return value
  const text = `"${escapeText(value)}"`
  if (language !== undefined) return `${text}@${language}`
  return datatype === undefined ? text : `${text}^^<${datatype}>`
}

/** As canonical N-Quads writes the statement, and the graph after it. */
function textOf({ graph, subject, predicate, object }: Found): string {
  const term = object.startsWith('"') ? object : `<${object}>`
  return `<${subject}> <${predicate}> ${term} ${graph}`
}
