/**
 * What the API answers, read from the running parts of a node.
 * @module
 */
import {
  Account,
  accountKey,
  assert,
  bytesToHex,
  headerHash,
  headerOfEncoded,
  KvEntry,
  kvEntryKey,
  RecentMap,
} from '@althing/base'
import type { BlockHash, Evidence, Header, Result, TransactionId } from '@althing/base'
import type { ConsensusView } from '@althing/chain'
import type { ConsensusJson, ConsensusReport, NodeInfo, PeerJson } from '@althing/client'
import type { AuthorityState, StateVersion } from '@althing/ledger'
import type { Network } from '@althing/network'
import type {
  ApiBackend,
  ServedAccount,
  ServedBlock,
  ServedKv,
  ServedProof,
  ServedTransaction,
} from './api/backend.ts'
import { reachabilityJson } from './api/network-json.ts'
import type { TraceBackend } from './api/trace-routes.ts'
import type { EvidenceFolder } from './consensus/evidence-folder.ts'
import { consensusReport } from './consensus/consensus-report.ts'
import type { Federation } from './federation/index.ts'
import type { Chain } from './genesis-state.ts'
import type { GraphFeed } from './graph-changes/graph-feed.ts'
import type { NodeOptions, NodeParts } from './node.ts'
import type { Observation } from './observation/index.ts'
import type { ChainStore, StoredState } from './store/types.ts'
import type { BlockPropagation } from './propagation.ts'
import { ServedGraphs } from './served-graphs.ts'
import { FoundStatements } from './trace/found-statements.ts'
import { PROTOCOL_VERSIONS, SOFTWARE_VERSION } from './version.ts'

export interface BackendPorts extends NodeParts {
  readonly options: NodeOptions
  readonly chain: Chain
  readonly store: ChainStore
  readonly network: Network
  readonly propagation: BlockPropagation
  readonly observation: Observation
  readonly evidence: EvidenceFolder
}

/** A peer that claims so many heights more than are final here makes this node `syncing`. */
const SYNCING_HEIGHTS = 2
const HEADERS_REMEMBERED_MAX = 64

export class NodeBackend implements ApiBackend {
  readonly #ports: BackendPorts
  readonly #startedAtMs: number
  /** Of final blocks asked for lately: a header is read with its whole block. */
  readonly #headers = new RecentMap<number, Header>(HEADERS_REMEMBERED_MAX)
  readonly servedGraphs: ServedGraphs
  readonly traces: TraceBackend

  constructor(ports: BackendPorts) {
    this.#ports = ports
    this.#startedAtMs = ports.options.clock.monotonicMs()
    this.servedGraphs = new ServedGraphs(ports.store, ports.tree)
    const { identifyingProperties: identifying, functionalProperties: functional } =
      ports.options.config.graph
    this.traces = {
      statements: new FoundStatements(ports.federation, this.servedGraphs, ports.store),
      entityRules: { identifying, functional },
    }
  }

  get graphs(): Federation {
    return this.#ports.federation
  }

  get graphFeed(): GraphFeed {
    return this.#ports.graphFeed
  }

  get observation(): Observation {
    return this.#ports.observation
  }

  get epochs(): NodeParts['core'] {
    return this.#ports.core
  }

  get propagation(): BlockPropagation {
    return this.#ports.propagation
  }

  get network(): Network {
    return this.#ports.network
  }

  info(): NodeInfo {
    const { options, store, network, mempool, statistics, chain } = this.#ports
    const nowMs = options.clock.monotonicMs()
    const report = this.consensus()
    const tip = this.#headerAt(store.height)
    const peers = network.peers()
    const claimedHeight = peers.reduce((highest, peer) => Math.max(highest, peer.finalizedHeight), 0)
    const own = report.authorities.find(({ self }) => self)
    return {
      name: options.config.node.name,
      software_version: SOFTWARE_VERSION,
      protocol_versions: PROTOCOL_VERSIONS,
      network_id: chain.networkId,
      genesis_hash: bytesToHex(chain.hash),
      node_type: own === undefined ? 'full' : 'authority',
      peer_id: network.peerId,
      addresses: network.addresses(),
      reachability: reachabilityJson(network.reachability()),
      authority: own === undefined ? null : { index: own.index, public_key: own.public_key },
      head_height: report.head_height,
      finalized_height: store.height,
      finalized_hash: bytesToHex(headerHash(tip)),
      state_root: bytesToHex(tip.stateRoot),
      lowest_height: store.lowestHeight,
      syncing: claimedHeight >= store.height + SYNCING_HEIGHTS,
      peer_count: peers.length,
      mempool: { count: mempool.count, bytes: mempool.bytes },
      transactions_total: store.transactionCount,
      consensus: consensusJson(report),
      waiting: report.text,
      external_graphs: this.#ports.graphs.external?.status ?? null,
      finality_latency_ms: statistics.latencyMs(),
      transactions_per_second: statistics.transactionsPerSecond(nowMs),
      uptime_ms: Math.round(nowMs - this.#startedAtMs),
    }
  }

  authorities(): { readonly state: AuthorityState; readonly height: number } {
    const { state, version } = this.#readable()
    return { state: this.#ports.ledger.authorities(version), height: state.height }
  }

  evidence(): readonly Evidence[] {
    return this.#ports.evidence.list()
  }

  consensus(): ConsensusReport {
    const { options, chain } = this.#ports
    const { intervalMs, idleIntervalMs } = chain.genesis
    return consensusReport({
      ...this.#ports,
      config: options.config,
      clock: options.clock,
      intervalMs,
      idleIntervalMs,
      selfIn: (view) => this.#ownIndexIn(view),
      hasKey: options.authority !== undefined,
    })
  }

  peers(): PeerJson[] {
    return this.#ports.network.peers().map((peer) => ({
      peer_id: peer.id,
      address: peer.remoteAddress,
      direction: peer.direction,
      node_type: peer.reserved ? ('authority' as const) : ('full' as const),
      label: peer.label ?? '',
      height: peer.height,
      finalized_height: peer.finalizedHeight,
      last_seen: peer.lastSeenMs,
      latency_ms: peer.latencyMs === null ? null : Math.round(peer.latencyMs * 100) / 100,
      messages_in: peer.messagesIn,
      messages_out: peer.messagesOut,
      bytes_in: peer.bytesIn,
      bytes_out: peer.bytesOut,
    }))
  }

  genesis(): ReturnType<ApiBackend['genesis']> {
    const { genesis, networkId, block, hash } = this.#ports.chain
    return { genesis, networkId, header: block.header, hash }
  }

  block(at: number | BlockHash | 'latest'): ServedBlock | undefined {
    const { store } = this.#ports
    const found =
      typeof at === 'number'
        ? store.byHeight(at)
        : at === 'latest'
          ? store.byHeight(store.height)
          : store.byHash(at)
    return found && { ...found, finalization: store.finalizationAt(found.block.header.height) }
  }

  submit(encoded: readonly Uint8Array[]): Promise<readonly Result<unknown>[]> {
    return this.#ports.intake.submit(encoded)
  }

  transaction(id: TransactionId): ServedTransaction | undefined {
    const { store, intake } = this.#ports
    const stored = store.transaction(id)
    if (stored === undefined) return intake.fate(id)
    return { kind: 'final', ...stored, blockHash: headerHash(this.#headerAt(stored.height)) }
  }

  account(id: Uint8Array): ServedAccount {
    const { tree, mempool, executor } = this.#ports
    const bytes = tree.get(this.#readable().version, accountKey(id))
    const pendingNonce = mempool.nextNonce(id, executor.admission)
    if (bytes === null) return { nonce: 0, pendingNonce, balance: 0n }
    return { ...Account.deserialize(bytes), pendingNonce }
  }

  kv(key: Uint8Array, { proof }: { readonly proof: boolean }): ServedKv {
    const { tree } = this.#ports
    const { state, version } = this.#readable()
    const stateKey = kvEntryKey(key)
    const bytes = tree.get(version, stateKey)
    const entry = bytes === null ? undefined : KvEntry.deserialize(bytes)
    return { entry, height: state.height, ...(proof ? { proof: this.#proof(state, version, stateKey) } : {}) }
  }

  /** The latest durable state that a certificate is for: what is answered can always be proved. */
  #readable(): { readonly state: StoredState; readonly version: StateVersion } {
    const { store, tree } = this.#ports
    const state = store.provableState()
    assert(state !== undefined, 'genesis can be read')
    return { state, version: tree.open(state) }
  }

  #proof(state: StoredState, version: StateVersion, stateKey: Uint8Array): ServedProof {
    const { store, tree } = this.#ports
    return {
      header: this.#headerAt(state.height),
      certificate: store.finalizationAt(state.height),
      state: tree.prove(version, stateKey),
    }
  }

  #headerAt(height: number): Header {
    const known = this.#headers.get(height)
    if (known !== undefined) return known
    const encoded = this.#ports.store.encodedBlock(height)
    assert(encoded !== undefined, `final block ${height} is in the store`)
    const header = headerOfEncoded(encoded)
    this.#headers.set(height, header)
    return header
  }

  #ownIndexIn({ authorities }: ConsensusView): number | null {
    const { authority, nextAuthority } = this.#ports.options
    const keys = [authority, nextAuthority].flatMap((one) =>
      one === undefined ? [] : [bytesToHex(one.signer.publicKey)],
    )
    return authorities.find(({ key }) => keys.includes(bytesToHex(key)))?.index ?? null
  }
}

/** The part of it that is of use beside other facts. */
function consensusJson(report: ConsensusReport): ConsensusJson {
  const { epoch, view, leader, idle, halted, observer, quorum_weight, authorities } = report
  return {
    epoch,
    view,
    leader,
    idle,
    halted,
    observer,
    quorum_weight,
    authorities: authorities.map((one) => ({
      index: one.index,
      public_key: one.public_key,
      weight: one.weight,
      silent_ms: one.silent_ms,
      voted_notarize: one.voted_notarize,
      voted_nullify: one.voted_nullify,
      voted_finalize: one.voted_finalize,
    })),
  }
}
