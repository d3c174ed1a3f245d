/**
 * The chain that is to go on, as one node has it on disk: its last final state, and what its vote log says about blocks
 * that may be final elsewhere (R12).
 * O1  a block for which a finalize vote was given may be final; nothing that contradicts it may go on
 * O2  of such blocks the one of the highest view extends every other that can be final: it was notarized later
 * @module
 */
import { bytesToHex, equalBytes, FINALIZE, headerHash, transactionSignatureChecks } from '@althing/base'
import type { AuthoritySet, Block, Hash, Vote } from '@althing/base'
import { BlockExecutor, Mempool, replayVoteLog } from '@althing/chain'
import type { VotePosition } from '@althing/chain'
import { ChainLedger, StateTree } from '@althing/ledger'
import type { StateVersion } from '@althing/ledger'
import type { NodeConfig } from '../config/index.ts'
import { voteLogFolder } from '../consensus/authority-keys.ts'
import { readVoteLogFiles } from '../consensus/vote-log-segments.ts'
import { verifyNative } from '../crypto/ed25519.ts'
import type { Chain } from '../genesis-state.ts'
import { openLmdbStore } from '../store/lmdb.ts'
import type { ChainStore } from '../store/types.ts'
import { RecoveryError } from './error.ts'

/** What one node knows; those of all that remain decide where the new chain begins. */
export interface Claim {
  readonly genesis: Hash
  /** Its authority's key; null on a full node. */
  readonly key: Uint8Array | null
  readonly height: number
  readonly tip: Hash
  /** Position of the last finalization that it has. */
  readonly finalized: VotePosition
  /** The finalize vote of the highest view for a block that is not final here; null when there is none. */
  readonly voted: (VotePosition & { readonly block: Hash }) | null
  /** From the one after the tip to the one voted for, as far as the log has them. */
  readonly blocks: readonly Block[]
}

export interface Base {
  readonly height: number
  readonly block: Hash
  readonly timestamp: number
  readonly position: VotePosition
  readonly set: AuthoritySet
  readonly tree: StateTree
  readonly state: StateVersion
}

export class OldChain implements AsyncDisposable {
  readonly chain: Chain
  readonly store: ChainStore
  readonly #config: NodeConfig
  readonly #tree: StateTree
  readonly #ledger: ChainLedger<StateVersion>

  private constructor(config: NodeConfig, chain: Chain, store: ChainStore) {
    this.chain = chain
    this.store = store
    this.#config = config
    this.#tree = new StateTree(store, store.latestState()!, { nextId: store.nextId })
    this.#ledger = new ChainLedger({ tree: this.#tree, genesis: chain.hash, verify: verifyNative })
  }

  /** The node must not run. @returns null when there are no blocks of it. @throws {StoreError} */
  static async open(config: NodeConfig, chain: Chain): Promise<OldChain | null> {
    const { dataFolder, versionsKept } = config.node
    const store = await openLmdbStore(dataFolder, {
      networkId: chain.networkId,
      genesisHash: chain.hash,
      versionsKept,
    })
    if (store.height >= 0) return new OldChain(config, chain, store)
    await store.close()
    return null
  }

  get set(): AuthoritySet {
    return this.#ledger.authorities(this.#tree.head).set
  }

  /** @param key of this node's authority; null on a full node. @throws {RecoveryError} */
  claim(key: Uint8Array | null): Claim {
    const { store, chain } = this
    const tip = store.byHeight(store.height)!.hash
    const finalized = this.#lastFinalization()
    const claim = { genesis: chain.hash, key, height: store.height, tip, finalized, voted: null, blocks: [] }
    if (key === null) return claim
    const folder = voteLogFolder(this.#config.node.dataFolder, key)
    const replay = replayVoteLog({ genesis: chain.hash, key }, readVoteLogFiles(folder))
    const doubt = replay.intact ? (replay.log.rejoin?.reason ?? null) : replay.reason
    if (!replay.intact || doubt !== null) {
      throw new RecoveryError(
        'RECOVERY_IMPOSSIBLE',
        `The votes in ${folder} cannot be trusted (${doubt}): which blocks this authority helped to make final is not known. It counts as lost; go on without it, and let it join the new network later.`,
      )
    }
    const records = replay.log.segments.flatMap((segment) => segment.records)
    const votes = records.flatMap((record) => (record.kind === 'vote' ? [record.vote] : []))
    const voted = this.#highestOpenVote(votes)
    if (voted === null) return claim
    const known = records.flatMap((record) => (record.kind === 'block' ? [record.block] : []))
    const { epoch, view, hash } = voted
    return { ...claim, voted: { epoch, view, block: hash }, blocks: pathTo(hash, tip, known) }
  }

  /**
   * Where the new chain begins: at the final tip, or above it at the block that may be final elsewhere (O2).
   * @throws {RecoveryError} `RECOVERY_IMPOSSIBLE` when blocks are missing here, saying whose.
   */
  base(claims: readonly Claim[]): Base {
    const { store } = this
    const ahead = claims.find(({ height, tip }) => height > store.height || store.heightOf(tip) === undefined)
    if (ahead !== undefined) {
      throw new RecoveryError(
        'RECOVERY_IMPOSSIBLE',
        `The node of ${nameOf(ahead)} has block ${ahead.height} (${bytesToHex(ahead.tip)}), which this one does not have at height ${store.height}. Run both nodes until this one has caught up, or propose on that one.`,
      )
    }
    const tip = store.byHeight(store.height)!
    const open = claims
      .filter(({ voted }) => voted !== null && store.heightOf(voted.block) === undefined)
      .sort((a, b) => comparePositions(b.voted!, a.voted!))[0]
    if (open === undefined) {
      const { timestamp } = tip.block.header
      const position = this.#lastFinalization()
      const place = { height: store.height, block: tip.hash, timestamp, position }
      return { ...place, set: this.set, tree: this.#tree, state: this.#tree.head }
    }
    const voted = open.voted!
    const known = claims.flatMap(({ blocks }) => blocks)
    const path = pathTo(voted.block, tip.hash, known)
    const last = path.at(-1)
    if (last === undefined) {
      throw new RecoveryError(
        'RECOVERY_IMPOSSIBLE',
        `${nameOf(open)} voted in view ${voted.view} for a block that nobody has whole (${bytesToHex(voted.block)}); it may be final. Its node had it: bring its data back.`,
      )
    }
    const state = this.#execute(path, tip)
    const { height, timestamp } = last.header
    const place = {
      height,
      block: voted.block,
      timestamp,
      position: { epoch: voted.epoch, view: voted.view },
    }
    return { ...place, set: this.#ledger.authorities(state).set, tree: this.#tree, state }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close()
  }

  #execute(path: readonly Block[], tip: { readonly block: Block; readonly hash: Hash }): StateVersion {
    const { chain } = this
    const executor = new BlockExecutor<StateVersion>(
      { blockBytesMax: chain.genesis.blockBytesMax },
      {
        ledger: this.#ledger,
        mempool: new Mempool({ countMax: 1, bytesMax: 1, senderCountMax: 1, ttlMs: 1 }),
        isVerified: ({ transaction }) => {
          const checks = transactionSignatureChecks(transaction, chain.networkId)
          return (
            checks.ok &&
            checks.value.every(({ publicKey, message, signature }) =>
              verifyNative(publicKey, message, signature),
            )
          )
        },
      },
      { hash: tip.hash, header: tip.block.header, state: this.#tree.head },
    )
    for (const block of path) {
      const executed = executor.execute(block, headerHash(block.header))
      if (!executed.ok)
        throw new RecoveryError(
          'RECOVERY_IMPOSSIBLE',
          `Block ${block.header.height} of a vote log is not valid here: ${executed.fault.message}`,
        )
    }
    return executor.executed(headerHash(path.at(-1)!.header))!.state
  }

  #lastFinalization(): VotePosition {
    for (let height = this.store.height; height > 0; height--) {
      const finalization = this.store.finalizationAt(height)
      if (finalization !== undefined) return { epoch: finalization.epoch, view: finalization.view }
    }
    return { epoch: 0, view: 0 }
  }

  #highestOpenVote(votes: readonly Vote[]): Vote | null {
    return votes
      .filter(({ kind, hash }) => kind === FINALIZE && this.store.heightOf(hash) === undefined)
      .reduce<Vote | null>(
        (highest, vote) => (highest === null || comparePositions(vote, highest) > 0 ? vote : highest),
        null,
      )
  }
}

export function comparePositions(a: VotePosition, b: VotePosition): number {
  return a.epoch - b.epoch || a.view - b.view
}

/** The blocks after `from` up to `to`, in order; empty when one of them is missing. */
function pathTo(to: Hash, from: Hash, known: readonly Block[]): Block[] {
  const byHash = new Map(known.map((block) => [bytesToHex(headerHash(block.header)), block]))
  const path: Block[] = []
  for (let hash = to; !equalBytes(hash, from);) {
    const block = byHash.get(bytesToHex(hash))
    if (block === undefined) return []
    path.unshift(block)
    hash = block.header.parent
  }
  return path
}

function nameOf({ key }: Claim): string {
  return key === null ? 'a full node' : `the authority ${bytesToHex(key)}`
}
