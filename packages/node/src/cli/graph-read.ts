/**
 * A graph as a node serves it, read whole and proved: every statement, and that there are no others.
 * @module
 */
import { bytesToHex } from '@althing/base'
import { verifyGraph, verifyStatementsOf } from '@althing/client'
import type { AlthingClient, GraphDetailsJson, StatementJson, Trusted } from '@althing/client'
import { CliError } from './failure.ts'

const PIECE = 1_000
/** A graph that changes while it is read is read again, so often. */
const ATTEMPTS = 5

export interface ReadGraph {
  readonly statements: readonly StatementJson[]
  /** In hexadecimal digits. */
  readonly root: string
  readonly height: number
}

/**
 * All statements of a graph at one moment.
 * @param trusted null: the node is believed.
 * @throws {CliError} `NOT_PROVED`, `NODE_NOT_READY` (the graph changes all the time). @throws {ApiError} `GRAPH_UNKNOWN`.
 */
export async function readGraph(
  client: AlthingClient,
  graph: string,
  trusted: Trusted | null,
): Promise<ReadGraph> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await detailsOf(client, graph, trusted)
    const statements = await readPieces(client, graph, trusted)
    const after = await detailsOf(client, graph, trusted)
    if (before.root === after.root) return { statements, root: after.root, height: after.height }
  }
  const message = `${graph} changed each of the ${ATTEMPTS} times that it was read`
  throw new CliError('NODE_NOT_READY', message, 'Try again when less is written to it.')
}

async function detailsOf(
  client: AlthingClient,
  graph: string,
  trusted: Trusted | null,
): Promise<GraphDetailsJson> {
  const answer = await client.graphs.get(graph)
  if (trusted === null) return answer
  const proved = verifyGraph(graph, answer, trusted)
  if (!proved.ok) throw notProved(client, proved.fault)
  return { ...answer, root: bytesToHex(proved.value.root) }
}

async function readPieces(
  client: AlthingClient,
  graph: string,
  trusted: Trusted | null,
): Promise<StatementJson[]> {
  const statements: StatementJson[] = []
  let after: string | undefined
  do {
    const range = { ...(after !== undefined && { after }) }
    const piece = await client.graphs.statements(graph, { ...range, limit: PIECE, proof: trusted !== null })
    if (trusted !== null) {
      const proved = verifyStatementsOf({ graph, ...range }, piece, trusted)
      if (!proved.ok) throw notProved(client, proved.fault)
    }
    statements.push(...piece.statements)
    after = piece.next ?? undefined
  } while (after !== undefined)
  return statements
}

function notProved(
  client: AlthingClient,
  fault: { readonly code: string; readonly message: string },
): CliError {
  const message = `${client.url.origin}'s answer is not proved: ${fault.code}, ${fault.message}`
  return new CliError('NOT_PROVED', message, 'Do not use the answer. Ask another node with --api URL.')
}
