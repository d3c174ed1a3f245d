/**
 * One node, put together. This is the only file that wires; everything it starts, it stops in reverse order, also after
 * a start that failed halfway.
 * @module
 */
import { join } from 'node:path'
import { bytesToHex, headerHash } from '@althing/base'
import type { Clock, Genesis, Header, Log, Signer } from '@althing/base'
import { BlockExecutor, Consensus, Mempool } from '@althing/chain'
import type { ConsensusConfig, ConsensusEvent } from '@althing/chain'
import { ChainLedger, StateTree } from '@althing/ledger'
import type { StateVersion } from '@althing/ledger'
import { blacklistFile, libp2pTransport, peerIdOf, peerStoreFile, startNetwork } from '@althing/network'
import type { CreateTransport, Network, NetworkConfig, PeerView } from '@althing/network'
import { startApi } from './api/index.ts'
import { NodeBackend } from './backend.ts'
import { natOptions, networkLimits } from './config/index.ts'
import type { NodeConfig } from './config/index.ts'
import { ConsensusDriver } from './consensus/driver.ts'
import { ConsensusLinks } from './consensus/links.ts'
import { rememberingVerify } from './consensus/remembering-verify.ts'
import { openVoteLogFiles } from './consensus/vote-log-files.ts'
import type { OpenedVoteLog } from './consensus/vote-log-files.ts'
import { MESSAGE_KINDS } from './consensus/wire.ts'
import { verifyNative } from './crypto/ed25519.ts'
import { NodeError } from './errors.ts'
import { commitFinal } from './final-chain.ts'
import { chainOf, writeGenesis } from './genesis-state.ts'
import type { Chain } from './genesis-state.ts'
import { chainFigures, startObservation } from './observation/index.ts'
import { SyncWatch } from './node-events.ts'
import type { NodeEvent } from './node-events.ts'
import { BlockPropagation } from './propagation.ts'
import { Statistics } from './statistics.ts'
import { readNetworkKey } from './keys/network-key.ts'
import { lockFolder, lockKey } from './store/folder-lock.ts'
import { openLmdbStore } from './store/lmdb.ts'
import type { ChainStore } from './store/types.ts'
import { TransactionIntake } from './transactions/intake.ts'
import { VerifiedTransactions } from './transactions/verified.ts'
import { startVerifierPool } from './verifier/index.ts'
import type { VerifierPool } from './verifier/index.ts'
import { PROTOCOL_VERSIONS, SOFTWARE_VERSION } from './version.ts'

const CHAIN_REPLY_BYTES_MAX = 4_194_304
const VOTE_LOG_SEGMENT_BYTES = 16_777_216
const INTAKE_TICK_MS = 1_000

export interface NodeOptions {
  readonly config: NodeConfig
  readonly genesis: Genesis
  /** Seed of the node key: the identity on the network. */
  readonly identity: Uint8Array
  /** Present on an authority. */
  readonly authority?: { readonly signer: Signer; readonly keyFile: string }
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
  /** Resolves when everything is on disk and closed. May be called twice. */
  stop(): Promise<void>
}

/**
 * @throws {StoreError} locked, of another network, of an unknown version, corrupt.
 * @throws {NetworkError} `LISTEN_FAILED`, `ADDRESS_INVALID`.
 * @throws {NodeError} `NETWORK_ID_MISMATCH`, `NOT_AN_AUTHORITY`, `API_LISTEN_FAILED`.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  await using started = new AsyncDisposableStack()
  const { config, log, clock } = options
  const chain = chainOf(options.genesis)
  checkIdentity(options, chain)

  const lock = lockFolder(config.node.dataFolder)
  started.defer(() => lock.release())
  const votes = openVotes(options, chain, started)
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
  const { core, executor, mempool, intake, links, statistics, tree } = parts
  started.defer(() => parts.verified.stop())
  const propagation = new BlockPropagation({ wallMs: () => clock.wallMs(), log })
  const syncWatch = new SyncWatch()
  let network: Network | null = null
  const driver = new ConsensusDriver({
    core,
    voteLog: votes?.files ?? NO_VOTE_LOG,
    clock,
    log,
    checkSignatures: (encoded) => parts.verified.checkEncoded(encoded),
    broadcast: (message) => network !== null && links.broadcast(network, message),
    send: (to, message) => {
      if (network === null) return
      if (message.kind === 'getChain') {
        syncWatch.requested()
        emit({ kind: 'syncRequested', peer: to, fromHeight: message.fromHeight })
      }
      links.send(network, to, message)
    },
    charge: (peer, reason) => network?.penalise(peer, 'invalidBlock', reason),
    commit: (order) =>
      commitFinal(
        { store, tree, executor, mempool, intake, statistics, clock, onFinal: (height) => onFinal(height) },
        order,
      ),
    onEvent: (event) => {
      logConsensus(log, event)
      if (event.kind === 'blockNotarized') propagation.arrived(event.height, 'notarized')
      emit(event)
    },
    onFatal: (error) => {
      log.error('the node cannot go on', { error: error instanceof Error ? error.message : String(error) })
      failure.reject(error)
    },
  })
  const onFinal = (height: number): void => {
    propagation.arrived(height, 'final')
    network?.setStatus(statusOf(core, store))
    driver.feed({ kind: 'poolChanged' }) // what waited for a nonce in these blocks can be in the next one
    emit({ kind: 'blockFinal', height })
    if (syncWatch.reached(height, () => claimedHeight(network?.peers() ?? [])))
      emit({ kind: 'syncCompleted', height })
  }
  intake.attach({
    publish: (batch) => network?.publish('transactions', batch),
    sendTo: (peer, batch) => network?.send(peer, 'waiting', batch),
    sendToAll: (batch) => network?.broadcast('waiting', batch),
    onPoolChanged: () => driver.feed({ kind: 'poolChanged' }),
  })

  started.defer(() => driver.stop())
  driver.start()
  network = await startNetwork(
    networkConfig(
      options,
      chain,
      links,
      () => statusOf(core, store),
      await peerIdOf(options.identity),
      await transportOf(config),
    ),
  )
  const running = network
  started.defer(() => running.stop())
  running.subscribe((event) => {
    propagation.observe(event)
    if (event.kind === 'peerConnected') intake.tellNewPeer(event.peer.id)
    emit(event)
  })
  links.attach(running, driver)
  running.handleGossip('transactions', async ({ from, body }) => {
    emit({ kind: 'transactionsReceived', peer: from, bytes: body.length })
    const verdict = await intake.receiveBatch(from, body)
    if (verdict === 'accept') emit({ kind: 'transactionsValidated', peer: from, bytes: body.length })
    return verdict
  })
  running.handle('waiting', ({ from, body }) => {
    void intake.receiveWaiting(from, body).then((verdict) => {
      if (verdict === 'reject') {
        running.penalise(from, 'invalidTransaction', 'transactions that are not signed by their senders')
      }
    })
  })
  const tick = setInterval(() => intake.tick(), INTAKE_TICK_MS)
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
    stop: () => resources.disposeAsync(),
  }
}

/** The cores and what stands right around them; nothing here has started. */
function assemble(
  { config, authority, log, clock }: NodeOptions,
  chain: Chain,
  store: ChainStore,
  pool: VerifierPool,
  votes: OpenedVoteLog | null,
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
  const epoch = { epoch: 0, anchor: chain.hash, set: chain.genesis.authorities }
  const core = new Consensus(
    consensusConfig(config, chain),
    {
      executor,
      finalBlocks: store,
      verify,
      ...(authority === undefined ? {} : { signer: authority.signer }),
      random: Math.random,
    },
    votes?.log ?? null,
  )
  const links = new ConsensusLinks({
    epoch,
    genesisHash: chain.hash,
    signer: authority?.signer,
    verify,
    log,
    clock,
    onBlock,
    window: () => core.view({ monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() }),
  })
  const statistics = new Statistics()
  const intake = new TransactionIntake<StateVersion>({ mempool, executor, verified, clock })
  return { tree, ledger, mempool, verified, executor, core, links, statistics, intake }
}

export type NodeParts = ReturnType<typeof assemble>

function checkIdentity({ config, authority, genesis }: NodeOptions, chain: Chain): void {
  const { id } = config.network
  if (id !== null && id !== chain.networkId) {
    throw new NodeError(
      'NETWORK_ID_MISMATCH',
      `network.id is "${id}", but the genesis file is of network "${chain.networkId}"; use the genesis file of "${id}", or correct network.id`,
    )
  }
  if (authority === undefined) return
  const key = bytesToHex(authority.signer.publicKey)
  if (genesis.authorities.some((one) => bytesToHex(one.key) === key)) return
  throw new NodeError(
    'NOT_AN_AUTHORITY',
    `the key ${key} in ${authority.keyFile} is not in the genesis authority set; use that authority's key file, or node.type = "full"`,
  )
}

function openVotes(
  { config, authority, log }: NodeOptions,
  chain: Chain,
  started: AsyncDisposableStack,
): OpenedVoteLog | null {
  if (authority === undefined) return null
  const lock = lockKey(authority.keyFile, authority.signer.publicKey)
  started.defer(() => lock.release())
  const identity = { genesis: chain.hash, key: authority.signer.publicKey }
  const votes = openVoteLogFiles(join(config.node.dataFolder, 'votes'), identity)
  started.defer(() => votes.files.close())
  const reason = votes.damage ?? votes.log.rejoin?.reason
  if (reason !== undefined) {
    log.error('this authority observes and signs no votes: it could otherwise vote twice', { reason })
  }
  return votes
}

const NO_VOTE_LOG = {
  append() {},
  startSegment() {},
  sync: () => Promise.resolve(),
  forget() {},
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
  status: NetworkConfig['status'],
  peerId: string,
  transport: CreateTransport,
): NetworkConfig {
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
    status,
    credential: (local, remote) => links.credential(local, remote),
    admit: (hello, remote) => links.admit(peerId, hello, remote),
    ...networkLimits(config),
    ...(authority !== undefined && { backoffMaxMs: AUTHORITY_REDIAL_MS }),
    kinds: MESSAGE_KINDS,
    log,
    clock,
  }
}

function statusOf(core: Consensus, store: ChainStore): ReturnType<NetworkConfig['status']> {
  return {
    height: core.head.block.header.height,
    finalizedHeight: store.height,
    lowestHeight: store.lowestHeight,
  }
}

/** The highest final height that a peer claims. */
function claimedHeight(peers: readonly PeerView[]): number {
  return peers.reduce((highest, peer) => Math.max(highest, peer.finalizedHeight), 0)
}

function logConsensus(log: Log, event: ConsensusEvent): void {
  switch (event.kind) {
    case 'halted':
      return log.error('consensus halted; this node signs nothing any more', { reason: event.reason })
    case 'versionUnknown':
      return log.error('the chain needs a newer release', { height: event.height, version: event.version })
    case 'evidenceFound':
      return log.warn('an authority signed twice', { signer: event.first.signer, view: event.first.view })
    case 'proposalRefused':
      return log.warn('a proposal gets no vote', { view: event.view, reason: event.reason })
    case 'reorg':
      return log.info('the head moved to another branch', { to: bytesToHex(event.to) })
    default:
      return log.debug(event.kind, { ...event })
  }
}
