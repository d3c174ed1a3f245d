/**
 * The chain's storage over any engine: which record goes where, and when the state's old versions go.
 * I1  every commit is one write of the engine; what is in memory here moves only after it
 * I2  a stale page is deleted only after the record of the last version that uses it is
 * I3  the latest version, and the latest one that a proof can be made on, are always kept
 * @module
 */
import {
  assert,
  Block,
  bytesToHex,
  bytesToUtf8,
  Certificate,
  decode,
  decodeBlock,
  equalBytes,
  FINALIZE,
  headerHash,
  transactionId,
  utf8ToBytes,
} from '@althing/base'
import type { BlockHash, Hash } from '@althing/base'
import type { FinalBlock } from '@althing/chain'
import type { Engine, Entry, Write } from './engine.ts'
import { corrupt, StoreError } from './errors.ts'
import {
  decodeStaleChunk,
  decodeTransactionRecord,
  decodeVersion,
  encodeStaleChunk,
  encodeTransaction,
  encodeVersion,
  numberAt,
  numberKey,
  staleChunks,
  staleKey,
} from './records.ts'
import type { VersionRecord } from './records.ts'
import { STORE_VERSION } from './types.ts'
import type { ChainStore, CommitBatch, StoredState, StoredTransaction, StoreOptions } from './types.ts'

/** Versions and chunks of stale ids deleted in one commit, beyond what the commit itself makes stale. */
const PRUNED_VERSIONS_MAX = 64
const PRUNED_CHUNKS_MIN = 8

const identityKey = utf8ToBytes('identity')

/**
 * Opens the store on an engine, writing what chain it is of when it is new.
 * @param name of the engine, for messages.
 * @throws {StoreError} `STORE_WRONG_NETWORK`, `STORE_VERSION_UNKNOWN`, `STORE_CORRUPT`, `STORE_FULL`.
 */
export async function openChainStore(
  engine: Engine,
  name: string,
  options: StoreOptions,
): Promise<ChainStore> {
  assert(Number.isInteger(options.versionsKept) && options.versionsKept >= 1, 'at least one version is kept')
  const identity = engine.get('meta', identityKey)
  if (identity === undefined) {
    const written = JSON.stringify({
      version: STORE_VERSION,
      networkId: options.networkId,
      genesisHash: bytesToHex(options.genesisHash),
    })
    await engine.write([['meta', identityKey, utf8ToBytes(written)]])
  } else {
    checkIdentity(identity, name, options)
  }
  return new EngineStore(engine, name, options.versionsKept)
}

function checkIdentity(bytes: Uint8Array, name: string, options: StoreOptions): void {
  const found = parseIdentity(bytes)
  if (found === undefined) throw corrupt(name, 'the record of what chain it is of is unreadable')
  if (found.version !== STORE_VERSION) {
    throw new StoreError(
      'STORE_VERSION_UNKNOWN',
      `${name} has layout version ${found.version}; this program knows ${STORE_VERSION}. ` +
        'Use the release that wrote it, or another data folder.',
    )
  }
  const genesisHash = bytesToHex(options.genesisHash)
  if (found.networkId !== options.networkId || found.genesisHash !== genesisHash) {
    throw new StoreError(
      'STORE_WRONG_NETWORK',
      `${name} is of network ${found.networkId} (genesis ${found.genesisHash}); ` +
        `the genesis file is of ${options.networkId} (genesis ${genesisHash}). ` +
        'Use another data folder, or the genesis file of that network.',
    )
  }
}

function parseIdentity(
  bytes: Uint8Array,
): { version: number; networkId: string; genesisHash: string } | undefined {
  try {
    const found = JSON.parse(bytesToUtf8(bytes) ?? '') as Record<string, unknown>
    const { version, networkId, genesisHash } = found
    if (typeof version !== 'number' || typeof networkId !== 'string' || typeof genesisHash !== 'string')
      return undefined
    return { version, networkId, genesisHash }
  } catch {
    return undefined
  }
}

class EngineStore implements ChainStore {
  readonly #engine: Engine
  readonly #name: string
  readonly #versionsKept: number
  #latest: VersionRecord | undefined
  #provable: VersionRecord | undefined
  #committing: Promise<void> | null = null
  #closing: Promise<void> | null = null

  constructor(engine: Engine, name: string, versionsKept: number) {
    this.#engine = engine
    this.#name = name
    this.#versionsKept = versionsKept
    for (const version of versionsDownwards(engine)) {
      this.#latest ??= version
      if (version.height !== 0 && !engine.has('finalizations', numberKey(version.height))) continue
      this.#provable = version
      break
    }
    const top = firstOf(engine.entries('blocks', { reverse: true, limit: 1 }))
    const topHeight = top === undefined ? -1 : numberAt(top.key, 0)
    if (topHeight !== this.height)
      throw corrupt(name, `it has block ${topHeight} but the state of ${this.height}`)
  }

  get height(): number {
    return this.#latest?.height ?? -1
  }

  get lowestHeight(): number {
    return 0
  }

  get transactionCount(): number {
    return this.#latest?.transactionCount ?? 0
  }

  get nextId(): number {
    return this.#latest?.nextId ?? 1
  }

  byHeight(height: number): FinalBlock | undefined {
    const encoded = this.encodedBlock(height)
    if (encoded === undefined) return undefined
    const decoded = decodeBlock(encoded)
    if (!decoded.ok) throw corrupt(this.#name, `block ${height} is unreadable (${decoded.fault.message})`)
    return { block: decoded.value, hash: headerHash(decoded.value.header) }
  }

  byHash(hash: BlockHash): FinalBlock | undefined {
    const height = this.heightOf(hash)
    return height === undefined ? undefined : this.byHeight(height)
  }

  encodedBlock(height: number): Uint8Array | undefined {
    return isHeight(height) ? this.#engine.get('blocks', numberKey(height)) : undefined
  }

  heightOf(hash: BlockHash): number | undefined {
    const bytes = this.#engine.get('hashes', hash)
    return bytes === undefined ? undefined : numberAt(bytes, 0)
  }

  finalizationAt(height: number): Certificate | undefined {
    const bytes = isHeight(height) ? this.#engine.get('finalizations', numberKey(height)) : undefined
    if (bytes === undefined) return undefined
    const decoded = decode(Certificate, bytes, bytes.length)
    if (!decoded.ok) throw corrupt(this.#name, `the finalization of block ${height} is unreadable`)
    return decoded.value
  }

  transaction(id: Hash): StoredTransaction | undefined {
    const bytes = this.#engine.get('transactions', id)
    return bytes === undefined ? undefined : decodeTransactionRecord(bytes)
  }

  stateAt(height: number): StoredState | undefined {
    const bytes = isHeight(height) ? this.#engine.get('versions', numberKey(height)) : undefined
    return bytes === undefined ? undefined : stateOf(decodeVersion(height, bytes))
  }

  latestState(): StoredState | undefined {
    return this.#latest && stateOf(this.#latest)
  }

  provableState(): StoredState | undefined {
    return this.#provable && stateOf(this.#provable)
  }

  readPage(id: number): Uint8Array | undefined {
    return this.#engine.get('pages', numberKey(id))
  }

  readValue(id: number): Uint8Array | undefined {
    return this.#engine.get('values', numberKey(id))
  }

  async commit(batch: CommitBatch): Promise<void> {
    assert(this.#closing === null, 'the store is open')
    assert(this.#committing === null, 'commits come one at a time')
    assertFits(this, batch)
    const version = versionAfter(this, batch)
    const provedHeight = finalizedHeight(batch)
    const writes = [
      ...blockWrites(batch, provedHeight),
      ...treeWrites(batch, version),
      ...this.#pruning(batch),
    ]
    this.#committing = this.#engine.write(writes)
    try {
      await this.#committing
    } finally {
      this.#committing = null
    }
    this.#latest = version
    if (provedHeight === version.height || version.height === 0) this.#provable = version
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#committing?.catch(() => {})
    await this.#engine.close()
  }

  /** What this commit deletes of versions that are no longer kept: some, so that no commit takes long (I2, I3). */
  #pruning(batch: CommitBatch): Write[] {
    const height = batch.blocks.at(-1)!.block.header.height
    const keptFrom = Math.min(height - this.#versionsKept, this.#provable?.height ?? 0)
    const writes: Write[] = []
    let oldest = 0
    for (const { key } of this.#engine.entries('versions', { limit: PRUNED_VERSIONS_MAX })) {
      oldest = numberAt(key, 0)
      if (oldest >= keptFrom) break
      writes.push(['versions', key, null])
    }
    const made = staleChunks(batch.tree.stalePages, batch.tree.staleValues).length
    for (const { key, value } of this.#engine.entries('stale', { limit: PRUNED_CHUNKS_MIN + 2 * made })) {
      if (numberAt(key, 0) > oldest) break
      const { kind, ids } = decodeStaleChunk(value)
      for (const id of ids) writes.push([kind, numberKey(id), null])
      writes.push(['stale', key, null])
    }
    return writes
  }
}

/** Stops the process when the caller breaks the contract: a store must never take what cannot be the chain. */
function assertFits(store: ChainStore, { blocks, finalization, tree }: CommitBatch): void {
  assert(blocks.length > 0, 'a commit has at least one block')
  let expected = store.height + 1
  for (const { block, receipts } of blocks) {
    const { height } = block.header
    assert(height === expected, `block ${height} does not follow block ${expected - 1}`)
    assert(receipts.length === block.transactions.length, `block ${height} has one receipt per transaction`)
    expected++
  }
  assert(finalization === null || finalization.kind === FINALIZE, 'the certificate is a finalization')
  assert(tree.nextId >= store.nextId, `next id ${tree.nextId} is not below ${store.nextId}`)
}

function versionAfter(store: ChainStore, { blocks, tree }: CommitBatch): VersionRecord {
  const added = blocks.reduce((count, { block }) => count + block.transactions.length, 0)
  return {
    height: blocks.at(-1)!.block.header.height,
    rootPage: tree.rootPage,
    root: tree.root,
    nextId: tree.nextId,
    transactionCount: store.transactionCount + added,
  }
}

/** The height whose block the certificate names; undefined when that block is not in the batch. */
function finalizedHeight({ blocks, finalization }: CommitBatch): number | undefined {
  if (finalization === null) return undefined
  return blocks.findLast(({ hash }) => equalBytes(hash, finalization.hash))?.block.header.height
}

function blockWrites({ blocks, finalization }: CommitBatch, provedHeight: number | undefined): Write[] {
  const writes: Write[] = []
  for (const { block, hash, receipts } of blocks) {
    const { height } = block.header
    writes.push(['blocks', numberKey(height), Block.serialize(block)], ['hashes', hash, numberKey(height)])
    for (const [index, encoded] of block.transactions.entries()) {
      const record = encodeTransaction({ height, index, receipt: receipts[index]! })
      writes.push(['transactions', transactionId(encoded), record])
    }
  }
  if (finalization !== null && provedHeight !== undefined) {
    writes.push(['finalizations', numberKey(provedHeight), Certificate.serialize(finalization)])
  }
  return writes
}

function treeWrites({ tree }: CommitBatch, version: VersionRecord): Write[] {
  const writes: Write[] = [['versions', numberKey(version.height), encodeVersion(version)]]
  for (const [id, bytes] of tree.pages) writes.push(['pages', numberKey(id), bytes])
  for (const [id, bytes] of tree.values) writes.push(['values', numberKey(id), bytes])
  for (const [sequence, chunk] of staleChunks(tree.stalePages, tree.staleValues).entries()) {
    writes.push(['stale', staleKey(version.height, sequence), encodeStaleChunk(chunk)])
  }
  return writes
}

function stateOf({ height, rootPage, root }: VersionRecord): StoredState {
  return { height, rootPage, root }
}

function* versionsDownwards(engine: Engine): Iterable<VersionRecord> {
  for (const { key, value } of engine.entries('versions', { reverse: true })) {
    yield decodeVersion(numberAt(key, 0), value)
  }
}

function firstOf(entries: Iterable<Entry>): Entry | undefined {
  for (const entry of entries) return entry
  return undefined
}

function isHeight(height: number): boolean {
  return Number.isSafeInteger(height) && height >= 0
}
