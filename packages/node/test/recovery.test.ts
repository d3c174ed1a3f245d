import { strict as assert } from 'node:assert'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { BLOCK_VERSION, equalBytes, FINALIZE, NOTARIZE } from '@althing/base'
import type { Block, Hash } from '@althing/base'
import { BlockExecutor, encodeRecord, Mempool } from '@althing/chain'
import { ChainLedger, StateTree } from '@althing/ledger'
import { readChain } from '../src/cli/genesis-file.ts'
import { createNetworkFiles } from '../src/cli/network-files.ts'
import { loadConfig } from '../src/config/index.ts'
import type { NodeConfig } from '../src/config/index.ts'
import { voteLogFolder } from '../src/consensus/authority-keys.ts'
import { openVoteLogFiles } from '../src/consensus/vote-log-files.ts'
import { createVoteLogFiles } from '../src/consensus/vote-log-segments.ts'
import { nativeSigner, verifyNative } from '../src/crypto/ed25519.ts'
import { writeGenesis } from '../src/genesis-state.ts'
import type { Chain } from '../src/genesis-state.ts'
import { readKeyFile } from '../src/keys/index.ts'
import { claimFromFile, claimToFile } from '../src/recovery/claim-file.ts'
import { checkClaim, missingSignatures, signProposal, writeProposal } from '../src/recovery/new-chain.ts'
import { OldChain } from '../src/recovery/old-chain.ts'
import { openLmdbStore } from '../src/store/lmdb.ts'

let folder = ''
let chain: Chain
let made = 0

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'althing-recovery-'))
  const nodes = ['a', 'b'].map((name) => {
    return { name, kind: 'authority', host: '127.0.0.1', p2pPort: 1, apiPort: 2 } as const
  })
  const plan = { networkId: 'old', timeoutMs: 1_000, nodes, accounts: ['alice'], policy: 'open' } as const
  const times = { intervalMs: 500, idleIntervalMs: 500, blockBytesMax: 1_048_576 }
  await createNetworkFiles(join(folder, 'net'), { ...plan, ...times }, 0)
  chain = await readChain(join(folder, 'net/genesis.json'))
})
after(() => rm(folder, { recursive: true }))

interface Home {
  readonly config: NodeConfig
  readonly key: Uint8Array
}

/** A node that has block 0, and a log in which `votes` were given for empty blocks on it. */
async function home(
  name: string,
  ...votes: readonly { view: number; block: Block; hash: Hash }[]
): Promise<Home> {
  const config = await loadConfig({ file: join(folder, 'net', name, 'config.toml') })
  const dataFolder = join(folder, `data-${++made}`)
  const { publicKey: key } = await readKeyFile(join(folder, 'net', name, 'authority.key'))
  const store = await openLmdbStore(dataFolder, {
    networkId: 'old',
    genesisHash: chain.hash,
    versionsKept: 1,
  })
  await writeGenesis(store, chain)
  await store.close()
  const identity = { genesis: chain.hash, key }
  createVoteLogFiles(voteLogFolder(dataFolder, key), identity)
  const opened = openVoteLogFiles(voteLogFolder(dataFolder, key), identity)
  for (const { view, block, hash } of votes) {
    opened.files.append(encodeRecord({ kind: 'block', block }))
    for (const kind of [NOTARIZE, FINALIZE]) {
      const signature = new Uint8Array(64)
      const vote = { kind, epoch: 0, anchor: chain.hash, view, hash, signer: 0, signature }
      opened.files.append(encodeRecord({ kind: 'vote', vote }))
    }
  }
  await opened.files.close()
  return { config: { ...config, node: { ...config.node, dataFolder } }, key }
}

async function openOld({ config }: Home): Promise<OldChain> {
  const old = await OldChain.open(config, chain)
  assert.ok(old !== null)
  return old
}

/** An empty block on block 0. */
async function blockIn(view: number): Promise<{ view: number; block: Block; hash: Hash }> {
  await using old = await openOld(await home('a'))
  const tree = new StateTree(old.store, old.store.latestState()!, { nextId: old.store.nextId })
  const executor = new BlockExecutor(
    { blockBytesMax: chain.genesis.blockBytesMax },
    {
      ledger: new ChainLedger({ tree, genesis: chain.hash, verify: verifyNative }),
      mempool: new Mempool({ countMax: 1, bytesMax: 1, senderCountMax: 1, ttlMs: 1 }),
      isVerified: () => true,
    },
    { hash: chain.hash, header: chain.block.header, state: tree.head },
  )
  const place = { version: BLOCK_VERSION, epoch: 0, height: 1, parent: chain.hash, view, proposer: 0 }
  return { view, ...executor.build(chain.hash, { ...place, timestamp: 500 + view }, true) }
}

describe('where a network goes on that lost its authorities (R12)', () => {
  test('at the last final block, when no vote says more', async () => {
    const own = await home('a')
    await using old = await openOld(own)
    const base = old.base([old.claim(own.key)])
    assert.equal(base.height, 0)
    assert.deepEqual(base.block, chain.hash)
  })

  test('at the block of the highest view that anybody who remains voted to make final', async () => {
    const [early, late] = [await blockIn(1), await blockIn(3)]
    const [one, other] = [await home('a', early), await home('b', late)]
    await using old = await openOld(one)
    await using second = await openOld(other)
    const claim = claimFromFile('b.json', JSON.stringify(claimToFile(second.claim(other.key))))
    const base = old.base([old.claim(one.key), claim])
    assert.equal(base.height, 1)
    assert.deepEqual(base.block, late.hash)
    assert.deepEqual(base.position, { epoch: 0, view: 3 })
  })

  test('nowhere, when nobody has a block that may be final', async () => {
    const block = await blockIn(2)
    const own = await home('a', block)
    await using old = await openOld(own)
    const claim = { ...old.claim(own.key), blocks: [] }
    assert.throws(() => old.base([claim]), { code: 'RECOVERY_IMPOSSIBLE', message: /nobody has whole/ })
    const ahead = { ...claim, voted: null, height: 9, tip: block.hash }
    assert.throws(() => old.base([ahead]), { code: 'RECOVERY_IMPOSSIBLE', message: /caught up/ })
  })

  test('is refused by who voted for something above it; it counts when all of the new network signed', async () => {
    const own = await home('a', await blockIn(4))
    await using old = await openOld(own)
    const claim = old.claim(own.key)
    const path = join(folder, `proposal-${++made}`)
    const plan = { networkId: 'new', authorities: [own.key], nowMs: 1_000 }
    const low = writeProposal(path, chain, old.base([{ ...claim, voted: null, blocks: [] }]), plan)
    assert.throws(() => checkClaim(claim, low), { code: 'RECOVERY_REFUSED', message: /leaves that out/ })

    const whole = `${path}-whole`
    const next = writeProposal(whole, chain, old.base([claim]), plan)
    checkClaim(claim, next)
    assert.equal(missingSignatures(whole, next).length, 1)
    const { seed } = await readKeyFile(join(folder, 'net/b/authority.key'))
    assert.throws(() => signProposal(whole, next, nativeSigner(seed)), { code: 'RECOVERY_REFUSED' })
    const mine = await readKeyFile(join(folder, 'net/a/authority.key'))
    signProposal(whole, next, nativeSigner(mine.seed))
    assert.equal(missingSignatures(whole, next).length, 0)
    assert.equal(missingSignatures(whole, low).length, 1)
    const again = await readChain(join(whole, 'genesis.json'))
    assert.ok(equalBytes(again.hash, next.hash))
  })
})
