/**
 * The load generator as the benchmark sees it: a process that is told what to do.
 * @module
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { bytesToHex } from '@althing/base'
import type { BenchNetwork, BenchNode } from './network.ts'
import { benchAccounts } from './workload.ts'
import type { Workload } from './workload.ts'

export interface GeneratorJob {
  readonly workload: Workload
  /** Of the nodes' APIs; the accounts are spread over them. */
  readonly urls: readonly string[]
  readonly networkId: string
  readonly genesisHash: string
  readonly accounts: number
  /** How many are signed beforehand, at least. */
  readonly transactions: number
  /** Transactions handed in that are not final yet, at most. */
  readonly window: number
}

export type GeneratorOrder =
  | { readonly kind: 'prepare'; readonly job: GeneratorJob }
  | { readonly kind: 'begin' }
  | { readonly kind: 'report' }
  | { readonly kind: 'end' }

export type GeneratorAnswer =
  | { readonly kind: 'prepared'; readonly transactions: number; readonly elapsedMs: number }
  /** CPU time since the process began; latencies from submission to finality since the last report. */
  | { readonly kind: 'report'; readonly cpuMs: number; readonly latenciesMs: readonly number[] }
  | { readonly kind: 'failed'; readonly message: string }

type AnswerOf<Kind> = Extract<GeneratorAnswer, { kind: Kind }>

const PROCESS = fileURLToPath(new URL('./generator-process.ts', import.meta.url))

export class Generator implements AsyncDisposable {
  readonly #child: ChildProcess
  /** Rejects when the load cannot go on. */
  readonly failed: Promise<never>
  #answered: (answer: GeneratorAnswer) => void = () => {}

  private constructor() {
    this.#child = fork(PROCESS)
    this.failed = new Promise((_, reject) => {
      this.#child.once('error', reject)
      this.#child.on('message', (answer: GeneratorAnswer) => {
        if (answer.kind === 'failed') reject(new Error(`load generator: ${answer.message}`))
        else this.#answered(answer)
      })
    })
    this.failed.catch(() => {})
  }

  /** Gives the accounts money and signs all transactions; nothing is sent yet. */
  static async prepare(
    network: BenchNetwork,
    load: Pick<GeneratorJob, 'accounts' | 'transactions' | 'window'> &
      Partial<Pick<GeneratorJob, 'workload'>>,
    nodes: readonly BenchNode[] = network.nodes,
  ): Promise<Generator> {
    const generator = new Generator()
    const { networkId, genesisHash } = network.trusted
    const job = {
      workload: 'entries' as const,
      ...load,
      networkId,
      genesisHash: bytesToHex(genesisHash),
      urls: nodes.map(({ url }) => url),
    }
    // One account more for each node: for the transactions that are timed.
    await network.fund(benchAccounts(load.accounts + nodes.length).map(({ publicKey }) => publicKey))
    await generator.#ask('prepared', { kind: 'prepare', job })
    return generator
  }

  begin(): void {
    this.#tell({ kind: 'begin' })
  }

  report(): Promise<AnswerOf<'report'>> {
    return this.#ask('report', { kind: 'report' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    const exited = once(this.#child, 'exit')
    if (this.#child.connected) this.#tell({ kind: 'end' })
    await exited
  }

  #tell(order: GeneratorOrder): void {
    this.#child.send(order)
  }

  #ask<Kind extends GeneratorAnswer['kind']>(kind: Kind, order: GeneratorOrder): Promise<AnswerOf<Kind>> {
    const answered = new Promise<AnswerOf<Kind>>((resolve) => {
      this.#answered = (answer) => {
        if (answer.kind === kind) resolve(answer as AnswerOf<Kind>)
      }
    })
    this.#tell(order)
    return Promise.race([answered, this.failed])
  }
}
