/**
 * Graphs over nodes, put together (PC-6): what is asked here and held elsewhere, and what others ask.
 * @module
 */
import type { AskedQuery, Clock, Hash, Log } from '@althing/base'
import type { Network } from '@althing/network'
import type { NodeConfig } from '../config/index.ts'
import { nativeSigner } from '../crypto/ed25519.ts'
import type { GraphIndex } from '../sparql/index.ts'
import { queryLimits } from '../sparql/index.ts'
import type { QueryRequest } from '../sparql/queries.ts'
import { AnswerChecks } from './answer-checks.ts'
import type { Checked } from './answer-checks.ts'
import { FederatedGraphs } from './federated-graphs.ts'
import type { FederatedAnswer } from './federated-graphs.ts'
import { GraphMatches } from './graph-matches.ts'
import { GraphNetwork } from './graph-network.ts'
import type { Holding } from './holdings.ts'
import { Planner } from './planner.ts'

export { GRAPH_KINDS } from './graph-kinds.ts'

export interface FederationOptions {
  readonly config: Pick<NodeConfig, 'graph'>
  readonly index: GraphIndex
  /** Hash of block 0. */
  readonly genesis: Hash
  /** Seed of the node's key. */
  readonly identity: Uint8Array
  readonly clock: Clock
  readonly log: Log
}

/** Federated queries at a time: each has a thread of its own. */
const JOINS_MAX = 4

export class Federation {
  readonly hold: readonly string[]
  readonly #graphs: FederatedGraphs
  readonly #checks: AnswerChecks
  readonly #matches: GraphMatches
  readonly #planner = new Planner()
  readonly #timeoutMs: number
  #network: GraphNetwork | null = null

  constructor({ config, index, genesis, identity, clock, log }: FederationOptions) {
    const limits = { ...queryLimits(config.graph), joinsMax: JOINS_MAX }
    this.hold = config.graph.hold
    this.#timeoutMs = limits.timeMs
    this.#matches = new GraphMatches(index)
    this.#graphs = new FederatedGraphs({
      index,
      matches: this.#matches,
      planner: this.#planner,
      limits,
      clock,
      log,
    })
    this.#checks = new AnswerChecks({
      graphs: this.#graphs,
      planner: this.#planner,
      genesis,
      signer: nativeSigner(identity),
      stateRoot: (height) => index.graphs.stateRoot(height),
      log,
    })
  }

  /** @returns how to stop. */
  attach(network: Network): () => Promise<void> {
    const graphNetwork = new GraphNetwork(network, {
      hold: this.hold,
      matches: this.#matches,
      receiptOf: (asked, height, client) => this.#checks.receiptOf(asked, height, client),
      timeoutMs: this.#timeoutMs,
    })
    this.#network = graphNetwork
    this.#graphs.attach(graphNetwork)
    this.#checks.attach(graphNetwork)
    return async () => {
      graphNetwork.stop()
      await this.#planner.stop()
    }
  }

  /** @throws {QueryFault} */
  query(request: QueryRequest): Promise<FederatedAnswer> {
    return this.#graphs.query(request)
  }

  /** @param wanted how many other nodes are to answer it too. @throws {QueryFault} */
  check(asked: AskedQuery, height: number, wanted: number, client: string): Promise<Checked> {
    return this.#checks.check(asked, height, wanted, client)
  }

  /** What connected peers hold, of those that said so. */
  holdings(): readonly { readonly peer: string; readonly holding: Holding }[] {
    return this.#network?.peersHolding() ?? []
  }
}
