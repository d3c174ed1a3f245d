/**
 * Transactions as they travel: judged, put into the mempool, relayed.
 * @module
 */
import type { Message, Network, Verdict } from '../network-types.ts'
import type { ChainParts } from './block-import.ts'
import { ChainError } from './chain-error.ts'
import type { ChainEvent } from './chain-events.ts'
import type { Judgement } from './ports.ts'

interface TransactionGossipSetup extends ChainParts {
  readonly network: Network
  readonly emit: (event: ChainEvent) => void
}

export class TransactionGossip {
  readonly #setup: TransactionGossipSetup

  constructor(setup: TransactionGossipSetup) {
    this.#setup = setup
    setup.network.handleGossip('chain.transaction', (message) => this.#received(message))
  }

  /**
   * @returns its id; also when it is waiting or in a block already.
   * @throws {ChainError} `TRANSACTION_INVALID`, `TRANSACTION_NOT_TAKEN`.
   */
  async submit(bytes: Uint8Array): Promise<string> {
    const { consensus, network, emit } = this.#setup
    const read = consensus.transactionId(bytes)
    if (!read.ok) throw new ChainError('TRANSACTION_INVALID', read.fault.message)
    const id = read.value
    if (await this.#isKnown(id)) return id
    const judgement = await this.#judge(id, bytes)
    if (judgement.verdict !== 'valid') {
      const code = judgement.verdict === 'invalid' ? 'TRANSACTION_INVALID' : 'TRANSACTION_NOT_TAKEN'
      throw new ChainError(code, judgement.reason)
    }
    emit({ kind: 'transactionValidated', peer: null, id })
    network.publish('chain.transaction', bytes)
    return id
  }

  async #received({ from, body }: Message): Promise<Verdict> {
    const { consensus, network, emit } = this.#setup
    const read = consensus.transactionId(body)
    if (!read.ok) return 'reject'
    const id = read.value
    if (await this.#isKnown(id)) return 'ignore'
    emit({ kind: 'transactionReceived', peer: from, id })
    const judgement = await this.#judge(id, body)
    switch (judgement.verdict) {
      case 'valid':
        emit({ kind: 'transactionValidated', peer: from, id })
        return 'accept'
      case 'notNow':
        return 'ignore'
      case 'invalid':
        emit({ kind: 'transactionRejected', peer: from, id, reason: judgement.reason })
        network.penalise(from, 'invalidTransaction', `transaction ${id}: ${judgement.reason}`)
        return 'ignore'
    }
  }

  async #isKnown(id: string): Promise<boolean> {
    const { mempool, txStore } = this.#setup
    return mempool.has(id) || (await txStore.has(id))
  }

  async #judge(id: string, bytes: Uint8Array): Promise<Judgement> {
    const { consensus, mempool } = this.#setup
    const judgement = await consensus.judgeTransaction(id, bytes)
    if (judgement.verdict !== 'valid' || mempool.add(id, bytes)) return judgement
    return { verdict: 'notNow', reason: 'the mempool does not keep it' }
  }
}
