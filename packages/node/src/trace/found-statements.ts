/**
 * Statements about things, found by queries of our own and shown with who signed them and when.
 * @module
 */
import { assert, bytesToHex, escapeText, headerOfEncoded } from '@althing/base'
import type { ServedGraphs } from '../served-graphs.ts'
import type { SparqlBackend } from '../api/sparql-routes.ts'
import type { ChainStore } from '../store/types.ts'
import type { Found } from './relations.ts'

/** In one query; more are asked in several. */
const THINGS_AT_ONCE = 256
const RESULTS = 'application/sparql-results+json'

export interface Signed {
  /** Of the block that inserted the statement. */
  readonly height: number
  /** Of that block, in milliseconds since 1970. */
  readonly timeMs: number
  /** Account that signed it, in hexadecimal digits. */
  readonly signer: string
}

export interface Reading {
  readonly found: readonly Found[]
  /** Of the graphs that were asked. */
  readonly height: number
}

interface Term {
  readonly type: string
  readonly value: string
  readonly datatype?: string
  readonly 'xml:lang'?: string
}

export class FoundStatements {
  readonly #index: Pick<SparqlBackend, 'query'>
  readonly #graphs: ServedGraphs
  readonly #store: ChainStore

  constructor(index: Pick<SparqlBackend, 'query'>, graphs: ServedGraphs, store: ChainStore) {
    this.#index = index
    this.#graphs = graphs
    this.#store = store
  }

  /**
   * @param pattern binds ?g, ?s, ?p and ?o of each statement, for the things that `VALUES ?thing` names before it.
   * @throws {QueryFault}
   */
  async about(things: readonly string[], pattern: string): Promise<Reading> {
    const found: Found[] = []
    let height = 0
    for (let from = 0; from < things.length; from += THINGS_AT_ONCE) {
      const values = things.slice(from, from + THINGS_AT_ONCE).map((iri) => `<${iri}>`)
      const reading = await this.#ask(
        `SELECT ?g ?s ?p ?o { VALUES ?thing { ${values.join(' ')} } ${pattern} }`,
      )
      found.push(...reading.found)
      height = Math.max(height, reading.height)
    }
    return { found, height }
  }

  /** @returns null when the statement is no longer in the newest final state. */
  signed({ graph, subject, predicate, object }: Found): Signed | null {
    const term = object.startsWith('"') ? object : `<${object}>`
    const answer = this.#graphs.find(graph, `<${subject}> <${predicate}> ${term}`)
    if (answer === null) return null
    const encoded = this.#store.encodedBlock(answer.height)
    const timeMs = encoded === undefined ? 0 : headerOfEncoded(encoded).timestamp
    return { height: answer.height, timeMs, signer: bytesToHex(answer.sender) }
  }

  async #ask(query: string): Promise<Reading> {
    const answer = await this.#index.query({
      query,
      mediaType: RESULTS,
      defaultGraphs: null,
      namedGraphs: null,
      unionDefault: false,
      height: null,
      client: 'this node',
    })
    const { results } = JSON.parse(answer.text) as {
      results: { bindings: readonly Readonly<Record<string, Term>>[] }
    }
    return { found: results.bindings.map(foundOf), height: answer.height }
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
