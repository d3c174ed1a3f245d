/**
 * One node, put together. This is the only file that wires; everything it starts, it stops in reverse order, also after
 * a start that failed halfway.
 * @module
 */
import { join } from 'node:path'
import { bytesToHex, headerHash } from '@althing/base'
import type { Clock, Genesis, Header, Log } from '@althing/base'
import { BlockExecutor, Consensus, Mempool } from '@althing/chain'
import type { ConsensusConfig, FinalBlock } from '@althing/chain'
import { ChainLedger, StateTree } from '@althing/ledger'
import type { StateVersion } from '@althing/ledger'
import {
  blacklistFile,
  libp2pTransport,
  peerIdOf,
  peerStoreFile,
  startEnhancedNetwork,
} from '@althing/network'
import type { CreateTransport, EnhancedNetwork, EnhancedNetworkConfig } from '@althing/network'
import { startApi } from './api/index.ts'
import { NodeBackend } from './backend.ts'
import { natOptions, networkLimits } from './config/index.ts'
import type { NodeConfig } from './config/index.ts'
import { AuthorityDuties } from './consensus/authority-duties.ts'
import { openAuthorityKeys } from './consensus/authority-keys.ts'
import type { AuthorityKeyOption, OpenedKeys } from './consensus/authority-keys.ts'
import { ClockOffsets } from './consensus/clock-offsets.ts'
import { ConsensusDriver } from './consensus/driver.ts'
import { logConsensusEvent } from './consensus/event-log.ts'
import { EvidenceFolder } from './consensus/evidence-folder.ts'
import { ConsensusLinks } from './consensus/links.ts'
import { rememberingVerify } from './consensus/remembering-verify.ts'
import { MESSAGE_KINDS } from './consensus/wire.ts'
import { verifyNative } from './crypto/ed25519.ts'
import { NodeError } from './errors.ts'
import { commitFinal } from './final-chain.ts'
import { chainOf, writeGenesis } from './genesis-state.ts'
import type { Chain } from './genesis-state.ts'
import { chainFigures, startObservation } from './observation/index.ts'
import { Federation, GRAPH_KINDS } from './federation/index.ts'
import { GraphFeed } from './graph-changes/graph-feed.ts'
import type { GraphListener } from './graph-changes/graph-feed.ts'
import type { GraphPattern } from './graph-changes/pattern.ts'
import { isForwarded } from './node-events.ts'
import type { NodeEvent } from './node-events.ts'
import { chainOptions, chainParts, FEED_PEER, FinalFeed, infosOf } from './parts/index.ts'
import { BlockPropagation } from './propagation.ts'
import type { Recovered } from './recovery/recovered.ts'
import { openGraphs } from './sparql/index.ts'
import { Statistics } from './statistics.ts'
import { readNetworkKey } from './keys/network-key.ts'
import { lockFolder } from './store/folder-lock.ts'
import { openLmdbStore } from './store/lmdb.ts'
import type { ChainStore } from './store/types.ts'
import { TransactionIntake } from './transactions/intake.ts'
import { VerifiedTransactions } from './transactions/verified.ts'
import { startVerifierPool } from './verifier/index.ts'
import type { VerifierPool } from './verifier/index.ts'
import { PROTOCOL_VERSIONS, SOFTWARE_VERSION } from './version.ts'

const CHAIN_REPLY_BYTES_MAX = 4_194_304
const VOTE_LOG_SEGMENT_BYTES = 16_777_216
const TICK_MS = 1_000
/** Final blocks that wait for the consensus core. */
const FEED_BYTES_MAX = 33_554_432

export interface NodeOptions {
  readonly config: NodeConfig
  readonly genesis: Genesis
  /** Of a chain that goes on from another one. */
  readonly recovered?: Recovered | null
  /** Seed of the node key: the identity on the network. */
  readonly identity: Uint8Array
  /** Present on an authority. No key file: the key is with a signer outside this process. */
  readonly authority?: AuthorityKeyOption
  /** The key that the authority is about to change to: it votes from the epoch on whose set has it (R11). */
  readonly nextAuthority?: AuthorityKeyOption
  readonly log: Log
  readonly clock: Clock
}

export interface RunningNode {
  readonly peerId: string
  /** Multiaddrs with the peer id, ready to be another node's bootstrap. */
  readonly addresses: readonly string[]
  readonly apiUrl: string
  readonly backend: NodeBackend
  /** Rejects when the node cannot go on: its disk failed, or its own code. It must be stopped then. */
  readonly failed: Promise<never>
  /** @returns how to stop listening. */
  subscribe(listener: (event: NodeEvent) => void): () => void
  /** Told what final blocks change of what fits, in its own time. @returns how to stop listening. */
  subscribeGraph(pattern: GraphPattern, listener: GraphListener): () => void
  /** Resolves when everything is on disk and closed. May be called twice. */
  stop(): Promise<void>
}

/**
 * @throws {StoreError} locked, of another network, of an unknown version, corrupt.
 * @throws {NetworkError} `LISTEN_FAILED`, `ADDRESS_INVALID`.
 * @throws {NodeError} `NETWORK_ID_MISMATCH`, `API_LISTEN_FAILED`.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  await using started = new AsyncDisposableStack()
  const { config, log, clock } = options
  const chain = chainOf(options.genesis, options.recovered)
  checkIdentity(options, chain)

  const lock = lockFolder(config.node.dataFolder)
  started.defer(() => lock.release())
  const { dataFolder } = config.node
  const authorityKeys = [options.authority, options.nextAuthority].filter((key) => key !== undefined)
  const votes = openAuthorityKeys(authorityKeys, { dataFolder, genesis: chain.hash, log }, started)
  const evidence = new EvidenceFolder(join(dataFolder, 'evidence'))
  const store = await openLmdbStore(config.node.dataFolder, {
    networkId: chain.networkId,
    genesisHash: chain.hash,
    versionsKept: config.node.versionsKept,
  })
  started.defer(() => store.close())
  await writeGenesis(store, chain)
  const pool = await startVerifierPool({ log })
  started.defer(() => pool.stop())

  const listeners = new Set<(event: NodeEvent) => void>()
  const emit = (event: NodeEvent): void => {
    for (const listener of listeners) listener(event)
  }
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {}) // whoever started the node looks at it when it wants to

  const onBlock = (peer: string, header: Header): void => {
    propagation.sent(peer, header.height)
    emit({ kind: 'blockReceived', peer, height: header.height, hash: headerHash(header) })
  }
  const parts = assemble(options, chain, store, pool, votes, onBlock)
  const { core, executor, mempool, intake, links, statistics, tree, feed, duties, graphs, graphFeed } = parts
  started.defer(() => parts.verified.stop())
  duties.recall(evidence.list())
  started.defer(() => graphs.stop())
  started.defer(() => graphFeed.stop())
  const propagation = new BlockPropagation({ wallMs: () => clock.wallMs(), log })
  let door: EnhancedNetwork | null = null
  const driver = new ConsensusDriver({
    core,
    voteLogs: votes.logs,
    clock,
    log,
    checkSignatures: (encoded) => parts.verified.checkEncoded(encoded),
    broadcast: (message) => door !== null && links.broadcast(door.network, message),
    send: (to, message) => {
      if (to === FEED_PEER) feed.ask(message)
      else if (door !== null) links.send(door.network, to, message)
    },
    charge: (peer, reason) => {
      if (peer === FEED_PEER) feed.refused(reason)
      else door?.network.penalise(peer, 'invalidBlock', reason)
    },
    commit: (order) =>
      commitFinal(
        {
          store,
          tree,
          executor,
          mempool,
          intake,
          statistics,
          clock,
          graphChanged: ({ height, state }) => {
            graphs.follow(height, parts.ledger.graphChanges(state) ?? [])
            graphFeed.follow(height, listeners.size === 0 ? null : emit)
          },
          onFinal: (blocks) => onFinal(blocks),
        },
        order,
      ),
    onEvent: (event) => {
      logConsensusEvent(log, event)
      if (event.kind === 'evidenceFound') {
        evidence.keep(event)
        duties.accuse(event)
      }
      if (event.kind === 'halted') evidence.keepHalt(event.reason, event.proof)
      if (event.kind === 'blockNotarized') propagation.arrived(event.height, 'notarized')
      emit(event)
    },
    submitRejoin: (key, nonce) => duties.rejoin(key, nonce),
    onFatal: (error) => {
      log.error('the node cannot go on', { error: error instanceof Error ? error.message : String(error) })
      failure.reject(error)
    },
  })
  const onFinal = (blocks: readonly FinalBlock[]): void => {
    const { height } = blocks.at(-1)!.block.header
    propagation.arrived(height, 'final')
    feed.finalized(height)
    duties.beat()
    void door?.advanced(infosOf(blocks))
    driver.feed({ kind: 'poolChanged' }) // what waited for a nonce in these blocks can be in the next one
    emit({ kind: 'blockFinal', height })
  }
  intake.attach({
    tell: (taken) => door?.tellTransactions(taken.map(({ idHex, bytes }) => ({ id: idHex, bytes }))),
    onPoolChanged: () => driver.feed({ kind: 'poolChanged' }),
  })

  started.defer(() => driver.stop())
  driver.start()
  feed.attach(driver, (message) => door !== null && links.sendToAny(door.network, message))
  const opened = await startEnhancedNetwork(
    networkConfig(options, chain, links, await peerIdOf(options.identity), await transportOf(config)),
    chainParts({ ...parts, store, epoch: () => core.epoch, headHeight: () => core.head.block.header.height }),
  )
  door = opened
  const running = opened.network
  started.defer(() => opened.stop())
  started.defer(() => feed.stop())
  running.subscribe((event) => {
    propagation.observe(event)
    emit(event)
  })
  opened.subscribe((event) => {
    if (isForwarded(event)) emit(event)
  })
  links.attach(running, driver)
  started.defer(parts.clockOffsets.attach(running))
  started.defer(parts.federation.attach(running))
  const tick = setInterval(() => {
    intake.expire()
    feed.claim()
  }, TICK_MS)
  started.defer(() => clearInterval(tick))

  const observation = await startObservation({
    network: running,
    chain: () => chainFigures(parts, store, propagation),
    file: join(config.node.dataFolder, 'history.bin'),
    clock,
    log,
  })
  started.defer(() => observation.stop())
  const backend = new NodeBackend({
    ...parts,
    options,
    chain,
    store,
    network: running,
    propagation,
    observation,
    evidence,
  })
  const api = await startApi(backend, config.api, log)
  started.defer(() => api.stop())
  log.info('started', {
    network: chain.networkId,
    genesis: bytesToHex(chain.hash),
    peerId: running.peerId,
    addresses: running.addresses(),
    api: api.url,
    height: store.height,
  })

  const resources = started.move()
  return {
    peerId: running.peerId,
    addresses: running.addresses(),
    apiUrl: api.url,
    backend,
    failed: failure.promise,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    subscribeGraph: (pattern, listener) => graphFeed.subscribe(pattern, listener),
    stop: () => resources.disposeAsync(),
  }
}

/** The cores and what stands right around them; nothing here has started. */
function assemble(
  { config, identity, log, clock }: NodeOptions,
  chain: Chain,
  store: ChainStore,
  pool: VerifierPool,
  { keys }: OpenedKeys,
  onBlock: (peer: string, header: Header) => void,
) {
  const latest = store.latestState()!
  const tree = new StateTree(store, latest, {
    nextId: store.nextId,
    cacheBytesMax: config.node.stateCacheBytes,
  })
  const ledger = new ChainLedger<StateVersion>({ tree, genesis: chain.hash, verify: verifyNative })
  const mempool = new Mempool({
    countMax: config.mempool.maxTransactions,
    bytesMax: config.mempool.maxSizeBytes,
    senderCountMax: config.mempool.maxPerSender,
    ttlMs: config.mempool.ttlMs,
  })
  const verify = rememberingVerify(verifyNative)
  const verified = new VerifiedTransactions({
    networkId: chain.networkId,
    verify: verifyNative,
    verifyAll: (checks) => pool.verifyAll(checks),
    receive: (encoded) => executor.receive(encoded),
  })
  const tip = store.byHeight(store.height)!
  const executor = new BlockExecutor<StateVersion>(
    { blockBytesMax: chain.genesis.blockBytesMax },
    {
      ledger,
      mempool,
      isVerified: (received) => verified.isVerified(received),
      discarded: (removals) => intake.left(removals),
    },
    { hash: tip.hash, header: tip.block.header, state: tree.head },
  )
  const [key, ...otherKeys] = keys
  const core = new Consensus(
    consensusConfig(config, chain),
    {
      executor,
      finalBlocks: store,
      verify,
      ...(key === undefined ? {} : { signer: key.signer }),
      random: Math.random,
    },
    key?.log ?? null,
    otherKeys,
  )
  const links = new ConsensusLinks({
    epoch: () => core.epoch,
    genesisHash: chain.hash,
    signers: keys.map(({ signer }) => signer),
    verify,
    log,
    clock,
    onBlock,
    finalHeight: () => core.finalized.block.header.height,
    window: () => core.view({ monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() }),
  })
  const statistics = new Statistics()
  const graphs = openGraphs(config, store, tree, chain.hash, clock, log)
  const federation = new Federation({ config, index: graphs, genesis: chain.hash, identity, clock, log })
  const graphFeed = new GraphFeed(graphs.graphs, log)
  const clockOffsets = new ClockOffsets(clock)
  const intake = new TransactionIntake<StateVersion>({ mempool, executor, verified, clock })
  const feed = new FinalFeed({ log, runBytesMax: CHAIN_REPLY_BYTES_MAX, waitingBytesMax: FEED_BYTES_MAX })
  const duties = new AuthorityDuties({
    signers: keys.map(({ signer }) => signer),
    networkId: chain.networkId,
    genesisHash: chain.hash,
    executor,
    ledger,
    mempool,
    intake,
    log,
  })
  return {
    tree,
    ledger,
    mempool,
    verified,
    verify,
    executor,
    core,
    links,
    statistics,
    graphs,
    graphFeed,
    federation,
    intake,
    feed,
    duties,
    clockOffsets,
  }
}

export type NodeParts = ReturnType<typeof assemble>

function checkIdentity({ config }: NodeOptions, chain: Chain): void {
  const { id } = config.network
  if (id !== null && id !== chain.networkId) {
    throw new NodeError(
      'NETWORK_ID_MISMATCH',
      `network.id is "${id}", but the genesis file is of network "${chain.networkId}"; use the genesis file of "${id}", or correct network.id`,
    )
  }
}

function consensusConfig({ consensus }: NodeConfig, { genesis, hash }: Chain): ConsensusConfig {
  return {
    epoch: { epoch: 0, anchor: hash, set: genesis.authorities },
    intervalMs: genesis.intervalMs,
    idleIntervalMs: genesis.idleIntervalMs,
    timeoutBaseMs: consensus.timeoutMs,
    timeoutMaxMs: consensus.timeoutMaxMs,
    driftMs: consensus.clockDriftMs,
    retransmitMs: consensus.retransmitMs,
    chainReplyBytesMax: CHAIN_REPLY_BYTES_MAX,
    blockBytesMax: genesis.blockBytesMax,
    segmentBytesMax: VOTE_LOG_SEGMENT_BYTES,
  }
}

/** Authorities look for each other at least so often, also before they have met. */
const AUTHORITY_REDIAL_MS = 2_000

/** @throws {KeyFileError} of the private network's key. */
async function transportOf({ network }: NodeConfig): Promise<CreateTransport> {
  const { announce, dht, mdns, privateNetworkKeyFile } = network
  const isPrivate = privateNetworkKeyFile !== null
  return libp2pTransport({
    announce,
    dht,
    mdns,
    ...(isPrivate && { privateNetworkKey: await readNetworkKey(privateNetworkKeyFile) }),
  })
}

function networkConfig(
  { config, identity, authority, log, clock }: NodeOptions,
  chain: Chain,
  links: ConsensusLinks,
  peerId: string,
  transport: CreateTransport,
): EnhancedNetworkConfig {
  const { network } = config
  return {
    identity,
    networkId: chain.networkId,
    genesisHash: chain.hash,
    versions: PROTOCOL_VERSIONS,
    listen: network.listen,
    bootstrap: network.bootstrap,
    dnsSeeds: network.dnsSeeds,
    peerStore: peerStoreFile(join(config.node.dataFolder, 'peers')),
    transport,
    reserved: network.reserved,
    nat: natOptions(config),
    blacklistStore: blacklistFile(join(config.node.dataFolder, 'blacklist.json')),
    nodeType: authority === undefined ? 'full' : 'authority',
    software: SOFTWARE_VERSION,
    features: [],
    credential: (local, remote) => links.credential(local, remote),
    admit: (hello, remote) => links.admit(peerId, hello, remote),
    ...networkLimits(config),
    ...(authority !== undefined && { backoffMaxMs: AUTHORITY_REDIAL_MS }),
    kinds: { ...MESSAGE_KINDS, ...GRAPH_KINDS },
    ...chainOptions(chain.genesis.blockBytesMax),
    log,
    clock,
  }
}
