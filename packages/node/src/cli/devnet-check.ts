/**
 * Checks from outside, as its own process, that a network holds a dataset and agrees about it. It knows the client
 * library, the addresses of the nodes, the genesis hash and the files; how the data was loaded it does not know.
 *
 * 1. At one height, all nodes have the same block and the same state root.
 * 2. The last node has every resource of the files with exactly its statements, and the statements add up.
 * 3. Three values are proved, each against certificates from two different nodes.
 * 4. Three SPARQL queries over the graphs are answered alike by two nodes, and all nodes have the same graphs.
 *
 * Usage: `node devnet-check.ts --genesis <hash> [--file <name.nq>] … --api <url> …`; without files only 1 is checked.
 * Prints one JSON object; exit code 0 only when all of it holds.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import {
  AlthingClient,
  ApiError,
  base64ToBytes,
  fetchTrusted,
  followEpochs,
  parseHash,
  verifyGraph,
  verifyKv,
} from '@althing/client'
import type { KvJson, Trusted } from '@althing/client'
import { SHOWN_QUERIES } from './devnet/queries.ts'

export interface CheckReport {
  readonly ok: boolean
  /** What did not hold; empty when ok. */
  readonly problems: readonly string[]
  readonly height: number
  readonly state_root: string
  readonly nodes: number
  readonly keys: number
  readonly statements: number
  readonly proofs: readonly ProofReport[]
  readonly queries: readonly QueryReport[]
  readonly elapsed_ms: number
}

interface ProofReport {
  readonly key: string
  readonly api: string
  readonly height: number
  /** Authorities whose signatures the certificate holds. */
  readonly signers: readonly number[]
}

interface QueryReport {
  readonly question: string
  /** Nodes that gave it. */
  readonly api: readonly string[]
  /** As tab-separated values. */
  readonly answer: string
  readonly height: number
}

const GETS_AT_ONCE = 32
const PROBLEMS_MAX = 10
const PROVED_KEYS = 3
const PROVING_NODES = 2

type StatementsByKey = ReadonlyMap<string, readonly string[]>

/** What the files say, read for this check alone: a subject to a key, blank nodes named after their file. */
async function readExpected(files: readonly string[]): Promise<StatementsByKey> {
  const byKey = new Map<string, string[]>()
  for (const file of files) {
    const name = basename(file, '.nq')
    for (const line of (await readFile(file, 'utf8')).split('\n')) {
      if (line === '') continue
      const statement = line.replaceAll(/(?<=^|> )_:(?=\S+ [<.])/g, `_:${name}.`)
      const subject = statement.slice(0, statement.indexOf(' '))
      const key = subject.replace(/^<(.*)>$/, '$1')
      byKey.set(key, [...(byKey.get(key) ?? []), statement])
    }
  }
  return byKey
}

class Check {
  readonly #clients: readonly AlthingClient[]
  readonly #trusted: Trusted
  readonly #expected: StatementsByKey
  readonly #problems: string[] = []

  constructor(clients: readonly AlthingClient[], trusted: Trusted, expected: StatementsByKey) {
    this.#clients = clients
    this.#trusted = trusted
    this.#expected = expected
  }

  async run(): Promise<Omit<CheckReport, 'elapsed_ms'>> {
    const { height, stateRoot } = await this.#compareRoots()
    const { keys, statements } = await this.#compareValues()
    const proofs = await this.#proveValues()
    await this.#compareGraphs()
    const queries = await this.#askQueries()
    const problems = this.#problems.slice(0, PROBLEMS_MAX)
    const nodes = this.#clients.length
    return {
      ok: problems.length === 0,
      problems,
      height,
      state_root: stateRoot,
      nodes,
      keys,
      statements,
      proofs,
      queries,
    }
  }

  async #compareRoots(): Promise<{ height: number; stateRoot: string }> {
    const infos = await Promise.all(this.#clients.map((client) => client.info()))
    const height = Math.min(...infos.map((info) => info.finalized_height))
    const blocks = await Promise.all(this.#clients.map((client) => client.block(height)))
    const stateRoot = blocks[0]!.state_root
    for (const [i, block] of blocks.entries()) {
      if (block.state_root === stateRoot && block.hash === blocks[0]!.hash) continue
      this.#problems.push(
        `${this.#name(i)} has block ${block.hash} with state root ${block.state_root} at height ${height}; ` +
          `${this.#name(0)} has ${blocks[0]!.hash} with ${stateRoot}`,
      )
    }
    return { height, stateRoot }
  }

  async #compareValues(): Promise<{ keys: number; statements: number }> {
    const client = this.#clients.at(-1)!
    const waiting = [...this.#expected].values()
    let keys = 0
    let statements = 0
    const work = async (): Promise<void> => {
      for (const [key, expected] of waiting) {
        const found = statementsOf(await client.kv(key, { proof: false }))
        if (found.length > 0) keys++
        statements += found.length
        if (!isSame(found, expected)) {
          this.#problems.push(
            `${key}: ${found.length} statements found, not the ${expected.length} of the files`,
          )
        }
      }
    }
    await Promise.all(Array.from({ length: GETS_AT_ONCE }, work))
    const expectedStatements = [...this.#expected.values()].reduce((sum, lines) => sum + lines.length, 0)
    if (keys !== this.#expected.size)
      this.#problems.push(`${keys} keys found; the files have ${this.#expected.size}`)
    if (statements !== expectedStatements) {
      this.#problems.push(`${statements} statements found; the files have ${expectedStatements}`)
    }
    return { keys, statements }
  }

  async #proveValues(): Promise<ProofReport[]> {
    const keys = [...this.#expected.keys()]
    if (keys.length === 0) return []
    const chosen = Array.from(
      { length: PROVED_KEYS },
      (_, i) => keys[Math.floor((i * (keys.length - 1)) / (PROVED_KEYS - 1))]!,
    )
    const proofs: ProofReport[] = []
    for (const key of new Set(chosen)) {
      for (const client of this.#clients.slice(0, PROVING_NODES)) {
        const answer = await client.kv(key)
        const proved = verifyKv(key, answer, await followEpochs(client, this.#trusted))
        if (!proved.ok) {
          this.#problems.push(
            `${key} from ${client.url.origin}: ${proved.fault.code}, ${proved.fault.message}`,
          )
        } else if (!isSame(statementsOf(answer), this.#expected.get(key)!)) {
          this.#problems.push(
            `${key} from ${client.url.origin}: proved, but with other statements than the files`,
          )
        } else {
          const { header, signers } = proved.value.at
          proofs.push({ key, api: client.url.origin, height: header.height, signers })
        }
      }
    }
    return proofs
  }

  /** The root of a graph is equal exactly when its statements are. */
  async #compareGraphs(): Promise<void> {
    const { graphs } = await this.#clients[0]!.graphs.list()
    for (const { name } of graphs) {
      const roots = await Promise.all(this.#clients.map(async (client) => this.#graphRoot(client, name)))
      const other = roots.findIndex((root) => root !== roots[0])
      if (other !== -1)
        this.#problems.push(`graph ${name} differs between ${this.#name(0)} and ${this.#name(other)}`)
    }
  }

  async #graphRoot(client: AlthingClient, name: string): Promise<string> {
    const answer = await client.graphs.get(name)
    const proved = verifyGraph(name, answer, await followEpochs(client, this.#trusted))
    if (!proved.ok) this.#problems.push(`graph ${name} from ${client.url.origin}: ${proved.fault.message}`)
    return answer.root
  }

  async #askQueries(): Promise<QueryReport[]> {
    if (this.#expected.size === 0) return []
    const asked = [this.#clients[0]!, this.#clients.at(-1)!]
    const reports: QueryReport[] = []
    for (const { question, sparql } of SHOWN_QUERIES) {
      const answers = await Promise.all(
        asked.map((client) => client.query(sparql, { accept: 'text/tab-separated-values' })),
      )
      const [first, second] = answers
      if (first!.text !== second!.text || first!.text.split('\n').length < 3) {
        this.#problems.push(`${question} answered by ${first!.text} and by ${second!.text}`)
      }
      const api = asked.map(({ url }) => url.origin)
      reports.push({ question, api, answer: first!.text, height: first!.height })
    }
    return reports
  }

  #name(index: number): string {
    return this.#clients[index]!.url.origin
  }
}

function statementsOf(answer: KvJson): string[] {
  const bytes = answer.value === null ? null : base64ToBytes(answer.value)
  return bytes === null
    ? []
    : new TextDecoder()
        .decode(bytes)
        .split('\n')
        .filter((line) => line !== '')
}

function isSame(found: readonly string[], expected: readonly string[]): boolean {
  const sorted = expected.toSorted()
  return found.length === sorted.length && found.toSorted().every((line, i) => line === sorted[i])
}

/** @returns the exit code. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      genesis: { type: 'string', default: '' },
      file: { type: 'string', multiple: true, default: [] },
      api: { type: 'string', multiple: true, default: [] },
    },
  })
  const genesisHash = parseHash(values.genesis)
  if (genesisHash === null || values.api.length === 0) {
    console.error('Usage: node devnet-check.ts --genesis <hash> [--file <name.nq>] … --api <url> …')
    return 2
  }
  const startMs = performance.now()
  const clients = values.api.map((url) => new AlthingClient({ url }))
  // Each node must be on the chain; what is proved later is checked against this one genesis.
  const [trusted] = await Promise.all(clients.map((client) => fetchTrusted(client, genesisHash)))
  const check = new Check(clients, trusted!, await readExpected(values.file))
  const report: CheckReport = { ...(await check.run()), elapsed_ms: Math.round(performance.now() - startMs) }
  process.stdout.write(`${JSON.stringify(report)}\n`)
  return report.ok ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof ApiError ? `${error.code}: ${error.message}` : error)
  process.exitCode = 1
}
