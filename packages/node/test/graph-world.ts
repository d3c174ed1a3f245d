/**
 * Real nodes in this process, with graphs: one authority or several on loopback, each with a folder of its own.
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import {
  AUTHORITY_RULES_DEFAULT,
  GENESIS_VERSION,
  POLICY_OPEN,
  portableSigner,
  quadLine,
  signTransaction,
  silentLog,
  TRANSACTION_VERSION,
  transactionId,
  utf8ToBytes,
  ZERO_HASH,
} from '@althing/base'
import type { Genesis, Operation, Signer, TransactionId } from '@althing/base'
import { AlthingClient } from '@althing/client'
import { loadConfig } from '../src/config/index.ts'
import type { NodeConfig } from '../src/config/index.ts'
import { voteLogFolder } from '../src/consensus/authority-keys.ts'
import { createVoteLogFiles } from '../src/consensus/vote-log-segments.ts'
import { chainOf } from '../src/genesis-state.ts'
import { startNode } from '../src/node.ts'
import type { RunningNode } from '../src/node.ts'

const NETWORK = 'graphs'
const BOUND_MS = 60_000
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }

export async function until<T>(what: string, look: () => Promise<T | false> | T | false): Promise<T> {
  const endMs = performance.now() + BOUND_MS
  for (;;) {
    const seen = await look()
    if (seen !== false) return seen
    assert.ok(performance.now() < endMs, `not within ${BOUND_MS / 1000} s: ${what}`)
    await wait(10)
  }
}

export class GraphWorld implements AsyncDisposable {
  readonly authorities: readonly Signer[]
  readonly nodes: (RunningNode | null)[]
  readonly genesis: Genesis
  readonly #folder = mkdtempSync(join(tmpdir(), 'althing-graphs-'))
  readonly #nonceByAccount = new Map<Signer, number>()

  /** Nothing has started. @param writers accounts with money. */
  constructor(authorities: number, writers: readonly Signer[]) {
    this.authorities = Array.from({ length: authorities }, (_, i) =>
      portableSigner(new Uint8Array(32).fill(i + 1)),
    )
    this.nodes = this.authorities.map(() => null)
    this.genesis = {
      version: GENESIS_VERSION,
      networkId: utf8ToBytes(NETWORK),
      timestamp: Date.now(),
      authorities: this.authorities.map(({ publicKey }) => ({ key: publicKey, weight: 1 })),
      allocations: writers
        .map(({ publicKey }) => ({ account: publicKey, balance: 1_000_000n }))
        .toSorted((a, b) => Buffer.compare(a.account, b.account)),
      members: [],
      policy: POLICY_OPEN,
      feeSink: ZERO_HASH,
      feeMin: 1n,
      intervalMs: 20,
      idleIntervalMs: 200,
      blockBytesMax: 1_048_576,
      authorityRules: AUTHORITY_RULES_DEFAULT,
    }
    const { hash: genesis } = chainOf(this.genesis)
    for (const [index, { publicKey: key }] of this.authorities.entries())
      createVoteLogFiles(voteLogFolder(this.#dataFolder(index), key), { genesis, key })
  }

  #dataFolder(index: number): string {
    return join(this.#folder, String(index))
  }

  async start(index: number, graph: Partial<NodeConfig['graph']> = {}): Promise<RunningNode> {
    const config = await loadConfig({ environment: {} })
    const bootstrap = this.nodes.flatMap((node) => node?.addresses ?? [])
    const node = await startNode({
      config: {
        ...config,
        node: { ...config.node, dataFolder: this.#dataFolder(index), name: `node ${index}` },
        network: { ...config.network, listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap, mdns: false, dht: false },
        api: { ...config.api, port: 0 },
        graph: { ...config.graph, ...graph },
      },
      genesis: this.genesis,
      identity: new Uint8Array(32).fill(100 + index),
      authority: { signer: this.authorities[index]!, keyFile: null },
      log: silentLog,
      clock,
    })
    this.nodes[index] = node
    return node
  }

  async stop(index: number): Promise<void> {
    await this.nodes[index]?.stop()
    this.nodes[index] = null
  }

  client(index: number): AlthingClient {
    return new AlthingClient({ url: this.nodes[index]!.apiUrl, retries: 0 })
  }

  /** Hands in to a node; not final yet. */
  async submit(index: number, writer: Signer, operations: readonly Operation[]): Promise<TransactionId> {
    const nonce = this.#nonceByAccount.get(writer) ?? 0
    this.#nonceByAccount.set(writer, nonce + 1)
    const body = {
      version: TRANSACTION_VERSION,
      genesis: chainOf(this.genesis).hash,
      sender: writer.publicKey,
      nonce,
      validUntil: 1_000_000,
      fee: 1n,
      operations: [...operations],
    }
    const bytes = signTransaction(body, NETWORK, writer)
    const [result] = await this.nodes[index]!.backend.submit([bytes])
    assert.ok(result!.ok, result!.ok ? '' : result!.fault.message)
    return transactionId(bytes)
  }

  /** The next transaction of this writer takes the place of its last one. */
  again(writer: Signer): void {
    this.#nonceByAccount.set(writer, this.#nonceByAccount.get(writer)! - 1)
  }

  /** Resolves with the height when it is final and applied on that node. */
  async write(index: number, writer: Signer, operations: readonly Operation[]): Promise<number> {
    const id = await this.submit(index, writer, operations)
    const found = await until('a transaction is final', () => {
      const transaction = this.nodes[index]!.backend.transaction(id)
      return transaction?.kind === 'final' && transaction
    })
    assert.ok(found.receipt.ok, found.receipt.fault?.message)
    return found.height
  }

  height(index: number): number {
    return this.nodes[index]!.backend.info().finalized_height
  }

  /** All statements by SPARQL, as lines of N-Quads in order, of a height that is at least `height`. */
  async asked(index: number, height: number): Promise<{ readonly height: number; readonly lines: string[] }> {
    const query = 'CONSTRUCT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }'
    const answer = await until(`an answer at height ${height}`, async () => {
      const found = await this.client(index).query(query, { accept: 'application/n-triples' })
      return found.height >= height && found
    })
    return { height: answer.height, lines: sortedLines(answer.text) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const index of this.nodes.keys()) await this.stop(index)
    rmSync(this.#folder, { recursive: true })
  }
}

/** @param statements without graph and full stop. */
export function triples(statements: readonly string[]): string[] {
  return statements.map((statement) => quadLine(statement, null)).sort()
}

export function sortedLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .sort()
}
