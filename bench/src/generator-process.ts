/**
 * The load of a benchmark, as a process of its own, so that what it costs can be told apart from what the nodes cost.
 * It signs everything first. Then it keeps so many transactions on their way that the chain never waits for it, and
 * sends single ones between, which it follows until they are final.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseHash, AlthingClient, bytesToBase64 } from '@althing/client'
import type { Signer, SubmissionsJson } from '@althing/client'
import { transactionId } from '@althing/base'
import type { GeneratorAnswer, GeneratorJob, GeneratorOrder } from './generator.ts'
import { readVocabularies } from './graph/dataset.ts'
import { benchAccounts, signPut, statementsSign } from './workload.ts'
import type { ChainIdentity, Sign } from './workload.ts'

/** Transactions of one account in one request, one after the other, at most. */
const RUN_MAX = 8
/** What the API takes in one request. */
const REQUEST_TRANSACTIONS_MAX = 256
/** How often each node is asked for its height: the resolution of the latencies. */
const WATCH_MS = 25
const PROBE_MS = 200

/** A request with transactions of several accounts. */
interface Batch {
  readonly body: string
  readonly count: number
}

interface Probe {
  readonly id: Uint8Array
  readonly submittedMs: number
}

class Load {
  readonly #job: GeneratorJob
  readonly #chain: ChainIdentity
  readonly #clients: readonly AlthingClient[]
  readonly #probers: readonly Signer[]
  readonly #batchesByNode: readonly Batch[][]
  /** Transactions, without the probes. */
  #submitted = 0
  #final = 0
  #stopped = false
  #latenciesMs: number[] = []

  constructor(job: GeneratorJob, sign: Sign) {
    this.#job = job
    this.#chain = { networkId: job.networkId, genesisHash: parseHash(job.genesisHash)! }
    this.#clients = job.urls.map((url) => new AlthingClient({ url, timeoutMs: 30_000 }))
    const accounts = benchAccounts(job.accounts + job.urls.length)
    this.#probers = accounts.slice(job.accounts)
    this.#batchesByNode = job.urls.map((_, node) =>
      signBatches(
        accounts.slice(0, job.accounts).filter((_account, i) => i % job.urls.length === node),
        job.transactions / job.urls.length,
        `node${node}`,
        this.#chain,
        sign,
      ),
    )
  }

  get signed(): number {
    return this.#batchesByNode.flat().reduce((sum, { count }) => sum + count, 0)
  }

  async run(): Promise<void> {
    const { transactions_total: before } = await this.#clients[0]!.info()
    await Promise.all(
      this.#clients.flatMap((client, node) => [
        this.#submit(this.#job.urls[node]!, this.#batchesByNode[node]!),
        this.#follow(client, this.#probers[node]!, node, before),
      ]),
    )
  }

  stop(): void {
    this.#stopped = true
  }

  /** @returns those since the last call. */
  takeLatenciesMs(): number[] {
    return this.#latenciesMs.splice(0)
  }

  async #submit(url: string, batches: Batch[]): Promise<void> {
    for (let batch = batches.shift(); batch !== undefined && !this.#stopped; batch = batches.shift()) {
      while (this.#submitted + batch.count - this.#final > this.#job.window && !this.#stopped) {
        await sleep(WATCH_MS / 5)
      }
      this.#submitted += batch.count
      await post(url, batch)
    }
    if (!this.#stopped) throw new Error('the load was used up before the measurement ended')
  }

  /** Watches one node, and sends it a transaction now and then whose way is timed. */
  async #follow(client: AlthingClient, signer: Signer, node: number, before: number): Promise<void> {
    let probes: Probe[] = []
    let height = -1
    let nonce = 0
    // Spread, so that not all nodes get theirs at the same moment.
    let probeAtMs = performance.now() + (PROBE_MS * node) / this.#clients.length
    while (!this.#stopped) {
      const info = await client.info()
      this.#final = Math.max(this.#final, info.transactions_total - before)
      if (info.finalized_height > height) {
        height = info.finalized_height
        probes = await this.#stillWaiting(client, probes)
      }
      if (performance.now() >= probeAtMs) {
        probeAtMs += PROBE_MS
        const bytes = signPut(signer, `probe${node}`, nonce++, this.#chain)
        probes.push({ id: transactionId(bytes), submittedMs: performance.now() })
        await client.submit(bytes)
      }
      await sleep(WATCH_MS)
    }
  }

  async #stillWaiting(client: AlthingClient, probes: readonly Probe[]): Promise<Probe[]> {
    const waiting: Probe[] = []
    for (const probe of probes) {
      const { status } = await client.transaction(probe.id)
      if (status === 'pending') waiting.push(probe)
      else if (status === 'final') this.#latenciesMs.push(performance.now() - probe.submittedMs)
      else throw new Error(`a transaction of the load is ${status}`)
    }
    return waiting
  }
}

/** Round by round, so that each account's nonces come in order. */
function signBatches(
  signers: readonly Signer[],
  count: number,
  name: string,
  chain: ChainIdentity,
  sign: Sign,
): Batch[] {
  const batches: Batch[] = []
  const run = Math.max(1, Math.min(RUN_MAX, Math.floor(REQUEST_TRANSACTIONS_MAX / signers.length)))
  for (let nonce = 0; nonce * signers.length < count; nonce += run) {
    const transactions = signers.flatMap((signer, account) =>
      Array.from({ length: run }, (_, i) =>
        bytesToBase64(sign(signer, `${name}/${account}`, nonce + i, chain)),
      ),
    )
    batches.push({ body: JSON.stringify({ transactions }), count: transactions.length })
  }
  return batches
}

async function post(url: string, { body }: Batch): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(new URL('api/v1/transactions', url), { method: 'POST', headers, body })
  const answer = (await response.json()) as { readonly data: SubmissionsJson | null; readonly error: unknown }
  if (answer.data === null) throw new Error(`the load was refused: ${JSON.stringify(answer.error)}`)
  const refused = answer.data.results.find(({ accepted }) => !accepted)
  if (refused !== undefined) throw new Error(`a transaction was refused: ${JSON.stringify(refused.error)}`)
}

let load: Load | null = null

function answer(message: GeneratorAnswer): void {
  process.send!(message)
}

function fail(error: unknown): void {
  answer({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
}

async function prepare(job: GeneratorJob): Promise<void> {
  const startMs = performance.now()
  load = new Load(job, job.workload === 'entries' ? signPut : statementsSign(await distinctStatements()))
  answer({ kind: 'prepared', transactions: load.signed, elapsedMs: performance.now() - startMs })
}

async function distinctStatements(): Promise<string[]> {
  const groups = await readVocabularies()
  return [...new Set(groups.flat().map(({ statement }) => statement))]
}

function obey(order: GeneratorOrder): void {
  switch (order.kind) {
    case 'prepare':
      prepare(order.job).catch(fail)
      return
    case 'begin':
      load!.run().catch(fail)
      return
    case 'report': {
      const { user, system } = process.cpuUsage()
      answer({ kind: 'report', cpuMs: (user + system) / 1000, latenciesMs: load!.takeLatenciesMs() })
      return
    }
    case 'end':
      load?.stop()
      process.disconnect()
  }
}

process.on('message', (order: GeneratorOrder) => {
  try {
    obey(order)
  } catch (error) {
    fail(error)
  }
})
