/**
 * The vocabularies as RDF graphs in a devnet's chain, each owned by another account.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { fetchTrusted, graphCreate, Sender } from '@althing/client'
import type { AlthingClient, Trusted } from '@althing/client'
import type { StatementGroup } from '@althing/client/rdf'
import { loadSigner } from '../../keys/index.ts'
import { assertApplied } from '../chain-access.ts'
import { packGroups } from '../graph-files.ts'
import { loadPacked } from '../load.ts'
import type { Loaded, Packed } from '../load.ts'
import { accountKeyFile } from '../network-files.ts'
import { SENDERS } from './folder.ts'
import type { Devnet } from './folder.ts'
import type { RunningDevnet } from './network.ts'

/** A file's statements, all in graphs of the same owner. */
export interface GraphFile {
  /** IRIs. */
  readonly graphs: readonly string[]
  readonly groups: readonly StatementGroup[]
  readonly quads: number
}

export async function readGraphFiles(files: readonly string[]): Promise<GraphFile[]> {
  // Loaded only when it is needed, as in `graph-files.ts`.
  const { formatOfFile, readRdf } = await import('@althing/client/rdf')
  const read: GraphFile[] = []
  for (const file of files) {
    const { groups, quads } = await readRdf(await readFile(file), { format: formatOfFile(file) })
    const graphs = new Set(groups.flatMap((group) => group.map(({ graph }) => graph)))
    read.push({ graphs: [...graphs], groups, quads })
  }
  return read
}

/** Those whose graphs are not there, or have fewer statements. */
export async function missingGraphs(
  files: readonly GraphFile[],
  network: RunningDevnet,
  signal: AbortSignal,
): Promise<GraphFile[]> {
  const client = network.clients[0]!
  const missing: GraphFile[] = []
  for (const file of files) {
    const found = await Promise.all(file.graphs.map((graph) => client.graphs.find(graph, { signal })))
    const statements = found.reduce((sum, graph) => sum + (graph?.statements ?? 0), 0)
    if (statements < file.quads) missing.push(file)
  }
  return missing
}

/** Resolves when all are final on all nodes; the time says so. @throws {CliError} */
export async function loadGraphs(
  files: readonly GraphFile[],
  devnet: Devnet,
  network: RunningDevnet,
  onFinal: (statements: number) => void,
  signal: AbortSignal,
): Promise<Loaded> {
  const startMs = performance.now()
  const trusted = await fetchTrusted(network.clients[0]!, devnet.genesisHash)
  const finalByFile = files.map(() => 0)
  const loaded = await Promise.all(
    files.map(async (file, turn) => {
      const client = network.clients[turn % network.clients.length]!
      const name = SENDERS[turn % SENDERS.length]!
      return loadFile(file, accountKeyFile(devnet.folder, name), client, trusted, signal, (statements) => {
        finalByFile[turn] = statements
        onFinal(finalByFile.reduce((sum, each) => sum + each, 0))
      })
    }),
  )
  const height = Math.max(...loaded.map((each) => each.height))
  await network.waitForHeight(height, signal)
  const transactions = loaded.reduce((sum, each) => sum + each.transactions, 0)
  return { transactions, height, elapsedMs: performance.now() - startMs }
}

async function loadFile(
  { graphs, groups }: GraphFile,
  keyFile: string,
  client: AlthingClient,
  trusted: Trusted,
  signal: AbortSignal,
  onFinal: (statements: number) => void,
): Promise<Loaded> {
  const signer = await loadSigner(keyFile)
  const absent: string[] = []
  for (const graph of graphs) if ((await client.graphs.find(graph, { signal })) === null) absent.push(graph)
  if (absent.length > 0) {
    const sender = await Sender.open(client, signer, trusted, { signal })
    assertApplied(await sender.send(absent.map((graph) => graphCreate({ graph }))))
  }
  const packed: Packed[] = (await packGroups(groups, 'insert')).map(({ operations, statements }) => ({
    operations,
    units: statements,
  }))
  return loadPacked(packed, { clients: [client], signers: [signer], trusted, onFinal, signal })
}
