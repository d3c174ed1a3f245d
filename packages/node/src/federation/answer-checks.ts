/**
 * The same query asked of several nodes, each of which signs what it answers (PC-6).
 * C1  all are asked about the same height, and a receipt names its state root
 * C2  a receipt counts when its peer signed it, for this query at this height; all others count as silent
 * C3  queries whose answer may honestly differ between nodes are refused
 * @module
 */
import { answerHash, equalBytes, hexToBytes, isReceiptSigned, queryHash, signReceipt } from '@althing/base'
import type { AnswerReceipt, AskedQuery, Hash, Log, Signer } from '@althing/base'
import { canonicalAnswer } from '@althing/client'
import { peerIdOfKey } from '@althing/network'
import { verifyNative } from '../crypto/ed25519.ts'
import { QueryFault } from '../sparql/fault.ts'
import { readQueryText } from '../sparql/query-text.ts'
import type { FederatedGraphs } from './federated-graphs.ts'
import type { Planner } from './planner.ts'

/** Asks peers. */
export interface Witnesses {
  peers(): readonly string[]
  /** @returns null for what is no receipt. @throws when there is no answer. */
  askReceipt(peer: string, asked: AskedQuery, height: number): Promise<AnswerReceipt | null>
}

export interface Checked {
  /** This node's own. */
  readonly own: AnswerReceipt
  readonly others: readonly AnswerReceipt[]
  /** How many of the others have the same result from the same state. */
  readonly agreeing: number
  readonly disagreeing: number
  /** How many fewer answered than were wanted. */
  readonly silent: number
}

export interface AnswerChecksPorts {
  readonly graphs: FederatedGraphs
  readonly planner: Planner
  readonly genesis: Hash
  /** The node's key. */
  readonly signer: Signer
  /** In hexadecimal digits; null when there is no such block. */
  stateRoot(height: number): string | null
  readonly log: Log
}

const RESULTS_JSON = 'application/sparql-results+json'
const N_TRIPLES = 'application/n-triples'
/** Besides those that are wanted, in case some do not answer. */
const SPARE_PEERS = 4

export class AnswerChecks {
  readonly #ports: AnswerChecksPorts
  #witnesses: Witnesses | null = null

  constructor(ports: AnswerChecksPorts) {
    this.#ports = ports
  }

  attach(witnesses: Witnesses): void {
    this.#witnesses = witnesses
  }

  /** @throws {QueryFault} `QUERY_NOT_CHECKABLE`, and as every query. */
  async receiptOf(asked: AskedQuery, height: number, client: string): Promise<AnswerReceipt> {
    const { graphs, planner, genesis, signer } = this.#ports
    const { form, asksOutside, namesDataset } = readQueryText(asked.query)
    const isForeign = asksOutside || form === 'update'
    const unionDefault = asked.defaultGraphs === null && !namesDataset
    const { indefinite } = await planner.plan({ ...asked, unionDefault })
    const why = isForeign ? 'it is no query of these graphs' : indefinite
    if (why !== null) throw new QueryFault('QUERY_NOT_CHECKABLE', `nodes may answer differently: ${why}`)
    const mediaType = form === 'construct' || form === 'describe' ? N_TRIPLES : RESULTS_JSON
    const answer = await graphs.query({ ...asked, mediaType, unionDefault, height, client })
    const lines = canonicalAnswer(mediaType, answer.text)
    if (lines === null)
      throw new QueryFault('QUERY_NOT_CHECKABLE', 'nodes may answer differently: blank nodes')
    const stateRoot = this.#ports.stateRoot(height)
    if (stateRoot === null) throw new QueryFault('HEIGHT_NOT_KEPT', `block ${height} is not kept here`)
    const fields = {
      genesis,
      query: queryHash(asked),
      height,
      stateRoot: hexToBytes(stateRoot)!,
      result: answerHash(lines),
    }
    return signReceipt(fields, signer)
  }

  /**
   * @param wanted how many other nodes, at least 1.
   * @throws {QueryFault} as `receiptOf`.
   */
  async check(asked: AskedQuery, height: number, wanted: number, client: string): Promise<Checked> {
    const own = await this.receiptOf(asked, height, client)
    const peers = shuffled(this.#witnesses?.peers() ?? []).slice(0, wanted + SPARE_PEERS)
    const others: AnswerReceipt[] = []
    while (others.length < wanted && peers.length > 0) {
      const round = peers.splice(0, wanted - others.length)
      const receipts = await Promise.all(round.map((peer) => this.#tryReceipt(peer, asked, own)))
      others.push(...receipts.filter((receipt) => receipt !== null))
    }
    const agreeing = others.filter(
      ({ result, stateRoot }) => equalBytes(result, own.result) && equalBytes(stateRoot, own.stateRoot),
    ).length
    return { own, others, agreeing, disagreeing: others.length - agreeing, silent: wanted - others.length }
  }

  async #tryReceipt(peer: string, asked: AskedQuery, own: AnswerReceipt): Promise<AnswerReceipt | null> {
    try {
      const receipt = await this.#witnesses!.askReceipt(peer, asked, own.height)
      return receipt !== null && isOf(receipt, own, peer) ? receipt : null
    } catch (error) {
      this.#ports.log.debug('a peer gave no receipt', { peer, error: (error as Error).message })
      return null
    }
  }
}

/** C2. */
function isOf(receipt: AnswerReceipt, own: AnswerReceipt, peer: string): boolean {
  return (
    receipt.height === own.height &&
    equalBytes(receipt.query, own.query) &&
    equalBytes(receipt.genesis, own.genesis) &&
    peerIdOfKey(receipt.signer) === peer &&
    isReceiptSigned(receipt, verifyNative)
  )
}

function shuffled(peers: readonly string[]): string[] {
  return peers
    .map((peer) => ({ peer, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ peer }) => peer)
}
