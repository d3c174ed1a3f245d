/**
 * The graphs as the API shows them: of the latest final state that a certificate is for, so that all of it can be proved.
 * @module
 */
import {
  assert,
  decodeStatementEntry,
  graphId,
  graphPrefix,
  headerOfEncoded,
  ok,
  prefixEnd,
  readCanonicalQuad,
  quadLine,
  statementKey,
  subjectPrefix,
  successor,
} from '@althing/base'
import type { Hash, PartQuestion, Result } from '@althing/base'
import { graphOf, graphsOf, grantsOf, statementsOf } from '@althing/ledger'
import type {
  GrantView,
  GraphSource,
  GraphView,
  StatementView,
  StateTree,
  StateVersion,
} from '@althing/ledger'
import type { ServedProof } from './api/backend.ts'
import type { ChainStore } from './store/types.ts'

const GRANTS_SHOWN_MAX = 256
/** Of the statements of one piece, with their keys. */
const PIECE_BYTES_MAX = 1_048_576

export interface StatementPiece {
  readonly statements: readonly StatementView[]
  /** State key of the last one; null when none follow. */
  readonly next: Uint8Array | null
  readonly proof: ServedProof | null
}

/** Whether statements of the graph, and of the subject when one is given, have keys like this one. */
export function isInRange(key: Uint8Array, graph: string, subject: string | undefined): boolean {
  const prefix = prefixOf(graph, subject)
  return key.length > prefix.length && prefix.every((byte, i) => byte === key[i])
}

function prefixOf(graph: string, subject: string | undefined): Uint8Array {
  const id = graphId(graph)
  return subject === undefined ? graphPrefix(id) : subjectPrefix(id, subject)
}

interface Reading {
  readonly height: number
  readonly version: StateVersion
  readonly source: GraphSource
}

export class ServedGraphs {
  readonly #store: ChainStore
  readonly #tree: StateTree

  constructor(store: ChainStore, tree: StateTree) {
    this.#store = store
    this.#tree = tree
  }

  list(after: string | undefined, limit: number): { height: number; graphs: GraphView[]; isLast: boolean } {
    const { height, source } = this.#read()
    const graphs: GraphView[] = []
    for (const graph of graphsOf(source, after)) {
      if (graphs.length === limit) return { height, graphs, isLast: false }
      graphs.push(graph)
    }
    return { height, graphs, isLast: true }
  }

  /** IRIs of all graphs, read as they are taken. */
  *names(): Generator<string> {
    for (const { name } of graphsOf(this.#read().source)) yield name
  }

  /** @returns null when there is no such graph. */
  get(name: string): {
    readonly height: number
    readonly graph: GraphView
    readonly grants: readonly GrantView[]
    readonly root: Hash
    readonly proof: ServedProof
  } | null {
    const { height, version, source } = this.#read()
    const graph = graphOf(source, name)
    if (graph === null) return null
    const grants: GrantView[] = []
    for (const grant of grantsOf(source, name)) if (grants.push(grant) === GRANTS_SHOWN_MAX) break
    const prefix = graphPrefix(graphId(name))
    const root = this.#tree.subtree(version, prefix)
    return {
      height,
      graph,
      grants,
      root,
      proof: this.#proof(height, this.#tree.proveSubtree(version, prefix)),
    }
  }

  /** @param subject as canonical N-Quads writes it. @param after a state key that `isInRange`. */
  statements(
    graph: string,
    subject: string | undefined,
    after: Uint8Array | undefined,
    limit: number,
    isProved: boolean,
  ): StatementPiece & { readonly height: number } {
    const { height, version, source } = this.#read()
    const range = { ...(subject !== undefined && { subject }), ...(after !== undefined && { after }) }
    const statements: StatementView[] = []
    let bytes = 0
    let next: Uint8Array | null = null
    for (const statement of statementsOf(source, graph, range)) {
      const isFull =
        statements.length === limit || (bytes > 0 && bytes + statement.text.length > PIECE_BYTES_MAX)
      if (isFull) {
        next = statements.at(-1)!.key
        break
      }
      statements.push(statement)
      bytes += statement.text.length
    }
    const proof = isProved ? this.#proveRange(height, version, graph, subject, after, next) : null
    return { height, statements, next, proof }
  }

  /** @param statement canonical N-Quads without graph and full stop. @returns the faults of `readCanonicalQuad`. */
  statement(
    graph: string,
    statement: string,
  ): Result<{
    readonly height: number
    readonly found: Omit<StatementView, 'key'> | null
    readonly proof: ServedProof
  }> {
    const read = readCanonicalQuad(quadLine(statement, null))
    if (!read.ok) return read
    const { height, version, source } = this.#read()
    const key = statementKey(graphId(graph), read.value)
    const bytes = source.get(key)
    const proof = this.#proof(height, this.#tree.prove(version, key))
    if (bytes === null) return ok({ height, found: null, proof })
    const entry = decodeStatementEntry(bytes)
    assert(entry.ok, 'the state holds statements that can be read')
    return ok({ height, found: { ...entry.value, text: statement }, proof })
  }

  /**
   * Parts of the tree after block `height`, for the first of the places at least; further ones as long as there is room.
   * A place that no key is at ends them: who asks for it was told otherwise by somebody else.
   * @returns null when that state is not kept.
   */
  parts(height: number, { places, levels, isWhole }: PartQuestion): readonly Uint8Array[] | null {
    const state = this.#store.stateAt(height)
    if (state === undefined) return null
    const version = this.#tree.open(state)
    const parts: Uint8Array[] = []
    let bytes = 0
    for (const place of places) {
      if (bytes >= PIECE_BYTES_MAX) break
      const part = this.#tree.part(version, place, { levels, isWhole, bytesMax: PIECE_BYTES_MAX - bytes })
      if (part === null) break
      parts.push(part)
      bytes += part.length
    }
    return parts
  }

  /** What the newest final state has of a statement, without a proof. @param statement canonical. */
  find(graph: string, statement: string): Omit<StatementView, 'key'> | null {
    const read = readCanonicalQuad(quadLine(statement, null))
    if (!read.ok) return null
    const bytes = this.#read().source.get(statementKey(graphId(graph), read.value))
    if (bytes === null) return null
    const entry = decodeStatementEntry(bytes)
    assert(entry.ok, 'the state holds statements that can be read')
    return { ...entry.value, text: statement }
  }

  #proveRange(
    height: number,
    version: StateVersion,
    graph: string,
    subject: string | undefined,
    after: Uint8Array | undefined,
    next: Uint8Array | null,
  ): ServedProof {
    const prefix = prefixOf(graph, subject)
    const start = after === undefined ? prefix : successor(after)
    const end = prefixEnd(prefix)
    let entriesMax = Number.POSITIVE_INFINITY
    if (next !== null) {
      entriesMax = [...this.#tree.entries(version, start, successor(next))].length
    }
    return this.#proof(height, this.#tree.proveRange(version, start, end, { entriesMax }))
  }

  #read(): Reading {
    const state = this.#store.provableState()
    assert(state !== undefined, 'genesis can be read')
    const version = this.#tree.open(state)
    const source: GraphSource = {
      get: (key) => this.#tree.get(version, key),
      entries: (start, end) => this.#tree.entries(version, start, end),
    }
    return { height: state.height, version, source }
  }

  #proof(height: number, state: Uint8Array): ServedProof {
    const encoded = this.#store.encodedBlock(height)
    assert(encoded !== undefined, `final block ${height} is in the store`)
    return { header: headerOfEncoded(encoded), certificate: this.#store.finalizationAt(height), state }
  }
}
