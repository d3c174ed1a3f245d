/**
 * Making transactions: signing, nonces of many in flight, and packing operations into as few as possible.
 * @module
 */
import {
  AMOUNT_MAX,
  assert,
  OPERATIONS_MAX,
  signTransaction,
  TRANSACTION_BYTES_MAX,
  TRANSACTION_VERSION,
  transactionId,
} from '@althing/base'
import type { Operation, Signer, TransactionId } from '@althing/base'
import type { AlthingClient, SettledTransaction } from './client.ts'
import type { CallOptions } from './http.ts'
import type { Trusted } from './verify.ts'

export interface SignedTransaction {
  readonly id: TransactionId
  /** What is handed in. */
  readonly bytes: Uint8Array
  readonly nonce: number
}

export interface SenderOptions {
  /** Of each transaction, at least the genesis' `feeMin`, which is the default. */
  readonly fee?: bigint
  /** How many blocks after the last known one a transaction may still be included; default 600. */
  readonly validForBlocks?: number
}

const VALID_FOR_BLOCKS = 600

/** What a transaction has besides its operations: version, addresses, counters, witness, and a reserve. */
const ENVELOPE_BYTES = 512
/** What an operation has besides its body, and its offset in the list. */
const OPERATION_BYTES = 16

/**
 * One account's transactions, with consecutive nonces, so that many can be in flight at once.
 * One sender per account at a time: two would give out the same nonces.
 */
export class Sender {
  readonly account: Uint8Array
  readonly #client: AlthingClient
  readonly #signer: Signer
  readonly #chain: Pick<Trusted, 'networkId' | 'genesisHash'>
  readonly #fee: bigint
  readonly #validForBlocks: number
  #nonce = 0
  #height = 0

  private constructor(client: AlthingClient, signer: Signer, chain: Trusted, options: SenderOptions) {
    this.account = signer.publicKey
    this.#client = client
    this.#signer = signer
    this.#chain = chain
    this.#fee = options.fee ?? chain.genesis.feeMin
    this.#validForBlocks = options.validForBlocks ?? VALID_FOR_BLOCKS
    assert(this.#fee >= 0n && this.#fee <= AMOUNT_MAX, `fee ${this.#fee} is not a u64`)
  }

  /** Asks the node for the account's next nonce. @throws {ApiError} */
  static async open(
    client: AlthingClient,
    signer: Signer,
    chain: Trusted,
    options: SenderOptions & CallOptions = {},
  ): Promise<Sender> {
    const sender = new Sender(client, signer, chain, options)
    await sender.refresh(options)
    return sender
  }

  /**
   * Starts again from what the node knows, transactions in its pool included. Needed after one was refused: those
   * signed later wait for its nonce.
   */
  async refresh(options?: CallOptions): Promise<void> {
    const [account, info] = await Promise.all([
      this.#client.account(this.account, options),
      this.#client.info(options),
    ])
    this.#nonce = account.pending_nonce
    this.#height = info.finalized_height
  }

  /** Takes the next nonce. @param operations 1 to `OPERATIONS_MAX`; `packOperations` makes them fit. */
  sign(operations: readonly Operation[]): SignedTransaction {
    const nonce = this.#nonce
    const body = {
      version: TRANSACTION_VERSION,
      genesis: this.#chain.genesisHash,
      sender: this.account,
      nonce,
      validUntil: this.#height + this.#validForBlocks,
      fee: this.#fee,
      operations: [...operations],
    }
    const bytes = signTransaction(body, this.#chain.networkId, this.#signer)
    this.#nonce++
    return { id: transactionId(bytes), bytes, nonce }
  }

  /** Signs, hands in, and waits until it is settled. @throws {ApiError} when it is refused, or not final in time. */
  async send(
    operations: readonly Operation[],
    options: CallOptions & { readonly timeoutMs?: number } = {},
  ): Promise<SettledTransaction> {
    const { id, bytes } = this.sign(operations)
    await this.#client.submit(bytes, options)
    return this.#client.waitForFinal(id, options)
  }
}

/** Groups operations, in order, so that each group fits in one transaction. */
export function packOperations(
  operations: readonly Operation[],
  bytesMax = TRANSACTION_BYTES_MAX,
): Operation[][] {
  assert(bytesMax <= TRANSACTION_BYTES_MAX, `${bytesMax} bytes is more than a transaction may have`)
  const groups: Operation[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const operation of operations) {
    const operationBytes = operation.body.length + OPERATION_BYTES
    const group = groups.at(-1)
    if (group === undefined || group.length === OPERATIONS_MAX || bytes + operationBytes > bytesMax) {
      groups.push([operation])
      bytes = ENVELOPE_BYTES + operationBytes
    } else {
      group.push(operation)
      bytes += operationBytes
    }
  }
  return groups
}
