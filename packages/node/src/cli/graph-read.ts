/**
 * A graph as a node serves it, read whole and proved: the root of what was read is the root that the proof shows. So it is
 * every statement of one moment and no other, though it comes in pieces while blocks go on.
 * @module
 */
import { bytesToHex, hexToBytes } from '@althing/base'
import { graphRootOf, verifyGraph } from '@althing/client'
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
  let wrong: { readonly code: string; readonly message: string } | null = null
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await detailsOf(client, graph, trusted)
    const statements = await readStatements(client, graph)
    const after = await detailsOf(client, graph, trusted)
    if (before.root !== after.root) continue
    if (trusted !== null) wrong = differenceFrom(after.root, graph, statements)
    if (wrong === null) return { statements, root: after.root, height: after.height }
  }
  if (wrong !== null) throw notProved(client, wrong)
  const message = `${graph} changed each of the ${ATTEMPTS} times that it was read`
  throw new CliError('NODE_NOT_READY', message, 'Try again when less is written to it.')
}

/** @param root that is proved. */
function differenceFrom(
  root: string,
  graph: string,
  statements: readonly StatementJson[],
): { readonly code: string; readonly message: string } | null {
  const read = statements.map(({ text, height, sender }) => ({
    text,
    height,
    sender: hexToBytes(sender) ?? new Uint8Array(0),
  }))
  if (read.some(({ sender }) => sender.length !== ACCOUNT_BYTES)) {
    return { code: 'ANSWER_NOT_PROVED', message: 'a sender is not an account' }
  }
  const computed = graphRootOf(graph, read)
  if (!computed.ok) return computed.fault
  if (bytesToHex(computed.value) === root) return null
  const message = `its ${statements.length} statements are not those of the graph with root ${root}`
  return { code: 'ANSWER_NOT_PROVED', message }
}

const ACCOUNT_BYTES = 32

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

/** All statements of a graph as the node tells them; what changes meanwhile may be among them or not. */
export async function readStatements(client: AlthingClient, graph: string): Promise<StatementJson[]> {
  const statements: StatementJson[] = []
  let after: string | undefined
  do {
    const from = after === undefined ? {} : { after }
    const piece = await client.graphs.statements(graph, { ...from, limit: PIECE, proof: false })
    for (const statement of piece.statements) statements.push(statement)
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
