/**
 * The chain's rules as the network's consensus: a block is judged by its certificate under the authorities of its epoch, and its
 * transactions by their signatures. What they do to the state is the core's to judge.
 * @module
 */
import {
  assert,
  decodeFinalHeader,
  endsEpoch,
  epochAfter,
  headerHash,
  headerOfEncoded,
  ok,
  verifyFinalHeader,
} from '@althing/base'
import type { Epoch, Verify } from '@althing/base'
import { isBodyOf } from '@althing/chain'
import type { BlockExecutor, ReceivedTransaction } from '@althing/chain'
import type { StateVersion } from '@althing/ledger'
import type { BlockInfo, Consensus, Judgement, Transaction } from '@althing/network'
import type { ChainStore } from '../store/types.ts'
import type { VerifiedTransactions } from '../transactions/verified.ts'
import { chainBlock, infoOf } from './travelling-block.ts'

const VALID: Judgement = { verdict: 'valid' }
/** Of transactions whose signatures are being checked; more is left, and told again. */
const CHECKING_BYTES_MAX = 64 * 1024 * 1024

export interface JudgementPorts {
  readonly store: ChainStore
  readonly executor: BlockExecutor<StateVersion>
  readonly verified: VerifiedTransactions
  readonly verify: Verify
  /** Of the block that comes next. */
  readonly epoch: () => Epoch
  /** Height of the highest notarized block here. */
  readonly headHeight: () => number
}

/** Epochs ahead of the core whose authorities are remembered. */
const EPOCHS_KEPT = 64

export class ChainJudgement implements Consensus {
  readonly #ports: JudgementPorts
  /** Those that begin on a block which was proved final and is not on disk yet. */
  readonly #epochs = new Map<number, Epoch>()
  readonly #receivedByBytes = new WeakMap<Uint8Array, ReceivedTransaction>()
  #tip: BlockInfo
  #checkingBytes = 0

  constructor(ports: JudgementPorts) {
    this.#ports = ports
    this.#tip = this.#tipOfStore()
  }

  readHeader(bytes: Uint8Array): ReturnType<Consensus['readHeader']> {
    const final = decodeFinalHeader(bytes)
    return final.ok ? ok(infoOf(final.value.header)) : final
  }

  transactionId(bytes: Uint8Array): ReturnType<Consensus['transactionId']> {
    const received = this.#ports.executor.receive(bytes)
    if (!received.ok) return received
    this.#receivedByBytes.set(bytes, received.value)
    return ok(received.value.idHex)
  }

  /** @param bytes of what has an id. */
  received(bytes: Uint8Array): ReceivedTransaction {
    const known = this.#receivedByBytes.get(bytes)
    if (known !== undefined) return known
    const received = this.#ports.executor.receive(bytes)
    assert(received.ok, 'only what has an id is judged and kept')
    return received.value
  }

  judgeHeader({ height }: BlockInfo, bytes: Uint8Array): Judgement {
    const final = decodeFinalHeader(bytes)
    if (!final.ok) return { verdict: 'invalid', reason: final.fault.message }
    const { header, nextSet } = final.value
    if (height <= this.#ports.store.height)
      return { verdict: 'notNow', reason: `another block is final at height ${height}` }
    const epoch = this.#epochOf(header.epoch)
    if (epoch === undefined)
      return { verdict: 'notNow', reason: `the authorities of epoch ${header.epoch} are not known yet` }
    const checked = verifyFinalHeader(final.value, epoch, this.#ports.verify)
    if (!checked.ok) return { verdict: 'invalid', reason: checked.fault.message }
    if (endsEpoch(header)) this.#proved(epochAfter({ header, nextSet }, headerHash(header)))
    return VALID
  }

  judgeBlock(_info: BlockInfo, { header, transactions }: Parameters<Consensus['judgeBlock']>[1]): Judgement {
    const final = decodeFinalHeader(header)
    if (final.ok && isBodyOf(chainBlock(final.value, transactions))) return VALID
    return { verdict: 'invalid', reason: 'its transactions are not those of its header' }
  }

  async judgeTransactions(transactions: readonly Transaction[]): Promise<Judgement[]> {
    const bytes = transactions.reduce((sum, one) => sum + one.bytes.length, 0)
    if (this.#checkingBytes > 0 && this.#checkingBytes + bytes > CHECKING_BYTES_MAX)
      return transactions.map(() => ({
        verdict: 'notNow',
        reason: 'too many wait for their signature checks',
      }))
    this.#checkingBytes += bytes
    try {
      const signed = await this.#ports.verified.check(transactions.map((one) => this.received(one.bytes)))
      return signed.map((isSigned) =>
        isSigned ? VALID : { verdict: 'invalid', reason: 'not signed by its sender' },
      )
    } finally {
      this.#checkingBytes -= bytes
    }
  }

  /** The core takes it in, and the tip moves when it is on disk. */
  blockStored(): BlockInfo {
    return this.tip()
  }

  tip(): BlockInfo {
    if (this.#tip.height !== this.#ports.store.height) this.#tip = this.#tipOfStore()
    return this.#tip
  }

  finalizedHeight(): number {
    return this.#ports.store.height
  }

  headHeight(): number {
    return this.#ports.headHeight()
  }

  #epochOf(epoch: number): Epoch | undefined {
    const present = this.#ports.epoch()
    return present.epoch === epoch ? present : this.#epochs.get(epoch)
  }

  #proved(epoch: Epoch): void {
    this.#epochs.set(epoch.epoch, epoch)
    if (this.#epochs.size > EPOCHS_KEPT) this.#epochs.delete(this.#epochs.keys().next().value!)
  }

  #tipOfStore(): BlockInfo {
    const { store } = this.#ports
    const encoded = store.encodedBlock(store.height)
    assert(encoded !== undefined, `final block ${store.height} is in the store`)
    return infoOf(headerOfEncoded(encoded))
  }
}
