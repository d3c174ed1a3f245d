/**
 * What an authority says on the chain by itself, with its own keys and free of fees: that it rejoins (R12), that another
 * signed twice, and that a key which is about to enter the set is alive (R11).
 * D1  the same is not said again while it waits in the pool or is being written
 * D2  an accusation is brought forward until the chain knows of it, or no longer asks: also after a restart
 * @module
 */
import {
  authorityEvidence,
  authorityHeartbeat,
  authorityRejoin,
  bytesToHex,
  hashToHex,
  equalBytes,
  signTransaction,
  TRANSACTION_VERSION,
  transactionId,
  transactionSignBytes,
} from '@althing/base'
import type { Evidence, Hash, HashHex, Log, Operation, TransactionBody, VoteSigner } from '@althing/base'
import type { BlockExecutor, Mempool } from '@althing/chain'
import type { ChainLedger, StateVersion } from '@althing/ledger'
import type { TransactionIntake } from '../transactions/intake.ts'

export interface DutyPorts {
  readonly signers: readonly VoteSigner[]
  readonly networkId: string
  readonly genesisHash: Hash
  readonly executor: BlockExecutor<StateVersion>
  readonly ledger: ChainLedger<StateVersion>
  readonly mempool: Mempool
  readonly intake: Pick<TransactionIntake<StateVersion>, 'submit' | 'isKnown'>
  readonly log: Log
}

/** Blocks that a transaction has to get into one. */
const VALID_BLOCKS = 64
/** Of the rule's `heartbeatBlocks`: how often a candidate is heard. */
const HEARTBEATS_PER_WINDOW = 3

export class AuthorityDuties {
  readonly #ports: DutyPorts
  /** What was said last, by what it is about. */
  readonly #saidByTopic = new Map<string, HashHex>()
  /** Evidence that the chain may not know of yet. */
  readonly #accusations = new Map<string, Evidence>()

  constructor(ports: DutyPorts) {
    this.#ports = ports
  }

  /** Evidence of former times, brought forward with the next final block. */
  recall(known: readonly Evidence[]): void {
    for (const evidence of known) this.#accusations.set(topicOf(evidence), evidence)
  }

  /** R12 */
  rejoin(key: Uint8Array, nonce: Uint8Array): void {
    const signer = this.#ports.signers.find(({ publicKey }) => equalBytes(publicKey, key))
    if (signer !== undefined) this.#say('rejoin', signer, authorityRejoin({ nonce }))
  }

  accuse(evidence: Evidence): void {
    this.#accusations.set(topicOf(evidence), evidence)
    this.#accuse()
  }

  /** By the key that is in the present set; nobody else says it free of a fee. */
  #accuse(): void {
    if (this.#accusations.size === 0) return
    const { signers, ledger, executor } = this.#ports
    const { set } = ledger.authorities(executor.final.state)
    const member = signers.find(({ publicKey }) => set.some(({ key }) => equalBytes(key, publicKey)))
    if (member === undefined) return
    for (const [topic, evidence] of this.#accusations) this.#say(topic, member, authorityEvidence(evidence))
  }

  /** To be called after each final block: own keys that are about to enter the set show that they are alive. */
  beat(): void {
    const { signers, ledger, executor } = this.#ports
    if (signers.length === 0) return
    this.#accuse()
    const { candidates, rules } = ledger.authorities(executor.final.state)
    for (const { key, heartbeatAt } of candidates) {
      const signer = signers.find(({ publicKey }) => equalBytes(publicKey, key))
      if (signer === undefined) continue
      const every = Math.max(1, Math.floor(rules.heartbeatBlocks / HEARTBEATS_PER_WINDOW))
      if (heartbeatAt !== null && executor.final.height + 1 < heartbeatAt + every) continue
      this.#say(`heartbeat ${bytesToHex(key)}`, signer, authorityHeartbeat())
    }
  }

  #say(topic: string, signer: VoteSigner, operation: Operation): void {
    const { networkId, genesisHash, executor, mempool, intake, log } = this.#ports
    const said = this.#saidByTopic.get(topic)
    if (said !== undefined && intake.isKnown(said)) return
    const view = executor.admission
    const body: TransactionBody = {
      version: TRANSACTION_VERSION,
      genesis: genesisHash,
      sender: signer.publicKey,
      nonce: mempool.nextNonce(signer.publicKey, view),
      validUntil: view.height + VALID_BLOCKS,
      fee: 0n,
      operations: [operation],
    }
    const signature = signer.sign(transactionSignBytes(body, networkId))
    if (signature === null) {
      log.warn('the signer does not sign what the authority has to say on the chain', { topic })
      return
    }
    const { publicKey } = signer
    const encoded = signTransaction(body, networkId, { publicKey, sign: () => signature })
    this.#saidByTopic.set(topic, hashToHex(transactionId(encoded)))
    void intake.submit([encoded]).then(([result]) => {
      if (result === undefined || result.ok) return
      if (SETTLED.has(result.fault.code)) this.#accusations.delete(topic)
      log.debug('said in vain', { topic, ...result.fault })
    })
  }
}

/** The chain knows of the double signature, or it was too long ago. */
const SETTLED: ReadonlySet<string> = new Set(['EVIDENCE_KNOWN', 'EVIDENCE_EPOCH'])

function topicOf({ first: { epoch, signer } }: Evidence): string {
  return `evidence ${epoch} ${signer}`
}
