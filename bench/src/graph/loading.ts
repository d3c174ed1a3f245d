/**
 * Loading a dataset through a chain of one authority, beside what its parts cost by themselves: Oxigraph and the state tree.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Store } from 'oxigraph'
import { bytesToBase64, graphCreate } from '@althing/client'
import type { Signer } from '@althing/client'
import { packStatements } from '@althing/client/rdf'
import type { StatementGroup } from '@althing/client/rdf'
import { StateTree } from '@althing/ledger'
import type { BenchNetwork, BenchNode } from '../network.ts'
import { PageStore } from '../tree.ts'
import { signOperations } from '../workload.ts'
import { statementChanges } from './statement-changes.ts'

export interface BareReport {
  readonly oxigraphMs: number
  readonly treeMs: number
}

export interface LoadReport {
  readonly quads: number
  /** From the first hand-in until all are final. */
  readonly finalMs: number
  /** The same, until a query is answered at that height. */
  readonly answeredMs: number
}

/** Of one operation on graphs. */
const CREATES_MAX = 64
const REQUEST_TRANSACTIONS = 32
const WINDOW = 512
const WATCH_MS = 10

/** @returns also the store, for comparing queries with. */
export function loadBare(groups: readonly StatementGroup[]): BareReport & { readonly store: Store } {
  const statements = groups.flat()
  const batches = statementChanges(statements)
  const lines = statements.map(({ graph, statement }) => `${statement} <${graph}> .\n`).join('')
  const store = new Store()
  const oxigraphMs = timed(() => store.load(lines, { format: 'application/n-quads' }))
  const pages = new PageStore()
  const tree = new StateTree(pages, null)
  const treeMs = timed(() => {
    for (const batch of batches) pages.commit(tree, batch)
  })
  return { oxigraphMs, treeMs, store }
}

/** One account that loads, again and again. */
export class Loader {
  readonly #network: BenchNetwork
  readonly #node: BenchNode
  readonly #signer: Signer
  #nonce = 0

  constructor(network: BenchNetwork, signer: Signer) {
    this.#network = network
    this.#node = network.nodes[0]!
    this.#signer = signer
  }

  /** Makes the graphs, which must be new, and signs everything before the clock starts. */
  async load(groups: readonly StatementGroup[]): Promise<LoadReport> {
    const graphs = [...new Set(groups.flatMap((group) => group.map(({ graph }) => graph)))]
    const packed = packStatements(groups, 'insert')
    for (let from = 0; from < graphs.length; from += CREATES_MAX) {
      const creates = graphs.slice(from, from + CREATES_MAX).map((graph) => graphCreate({ graph }))
      await this.#node.client.submit(this.#sign(creates))
    }
    await this.#settled(0)
    const signed = packed.map(({ operations }) => bytesToBase64(this.#sign(operations)))
    const startMs = performance.now()
    for (let from = 0; from < signed.length; from += REQUEST_TRANSACTIONS) {
      const transactions = signed.slice(from, from + REQUEST_TRANSACTIONS)
      await this.#settled(Math.max(WINDOW, signed.length - from))
      await this.#post(transactions)
    }
    await this.#settled(0)
    const finalMs = performance.now() - startMs
    const { finalized_height: height } = await this.#node.client.info()
    while ((await this.#node.client.query('ASK {}')).height < height) await sleep(WATCH_MS)
    const quads = packed.reduce((sum, { statements }) => sum + statements, 0)
    return { quads, finalMs, answeredMs: performance.now() - startMs }
  }

  #sign(operations: Parameters<typeof signOperations>[0]): Uint8Array {
    return signOperations(operations, this.#signer, this.#nonce++, this.#network.trusted)
  }

  /** Resolves when at most so many of all that were signed are not final. */
  async #settled(openMax: number): Promise<void> {
    while (true) {
      const { nonce } = await this.#node.client.account(this.#signer.publicKey)
      if (this.#nonce - nonce <= openMax) return
      await sleep(WATCH_MS)
    }
  }

  async #post(transactions: readonly string[]): Promise<void> {
    const response = await fetch(new URL('api/v1/transactions', this.#node.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ transactions }),
    })
    const text = await response.text()
    if (!response.ok || text.includes('"accepted":false')) {
      throw new Error(`the node refused a transaction of the load: ${text.slice(0, 500)}`)
    }
  }
}

function timed(work: () => void): number {
  const startMs = performance.now()
  work()
  return performance.now() - startMs
}
