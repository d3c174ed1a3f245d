/** The chain as the network sees it (VC-1, decision 013): what proves a block final, and how blocks enter. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { authoritySetHash, FINALIZE, headerHash, makeCertificate, sha256 } from '@althing/base'
import type { Epoch, Header, Signer } from '@althing/base'
import { mempoolCompliance, ownTipCompliance, until } from '@althing/network/testing'
import { nativeSigner } from '../src/crypto/ed25519.ts'
import { infoOf, travellingBlock } from '../src/parts/travelling-block.ts'
import { Author, carried, chain, finalityOf, genesisInfo, openFollower } from './parts-world.ts'
import type { FinalBlockMade } from './parts-world.ts'

const author = await Author.open()
const follower = await openFollower()
const opened = [follower]
after(() => Promise.all(opened.map((one) => one[Symbol.asyncDispose]())))

ownTipCompliance(
  'of the node',
  {
    genesis: travellingBlock(chain.block, null),
    readInfo: ({ header }) => readInfo(header),
    makeBlock: (parent) => carried(author.make(parent)),
  },
  openFollower,
)

const transactions = [author.transaction(), author.transaction()]
mempoolCompliance(
  'of the node',
  transactions.map((bytes) => {
    const id = follower.parts.consensus.transactionId(bytes)
    assert.ok(id.ok)
    return { id: id.value, bytes }
  }),
  async () => {
    const node = await openFollower()
    opened.push(node)
    return node.parts.mempool
  },
)

describe('final blocks that come from the network', () => {
  test('a header alone proves its block, also by a later one; nothing less does (R7, R10)', async () => {
    await using node = await openFollower()
    const made = run(3)
    const headers = made.map(({ block }) => block.header)
    const [first] = made
    const last = made.at(-1)!
    const judge = (path: readonly Header[], finalization = last.finalization) => {
      const { header } = travellingBlock(first!.block, { path, finalization })
      return node.parts.consensus.judgeHeader(infoOf(first!.block.header), header)
    }
    const forged = makeCertificate(
      { kind: FINALIZE, epoch: 0, view: 3, hash: last.finalization.hash },
      1,
      new Map([[0, new Uint8Array(64)]]),
    )
    assert.equal((await judge(headers.slice(1))).verdict, 'valid')
    assert.equal((await judge([])).verdict, 'invalid')
    assert.equal((await judge(headers.slice(2))).verdict, 'invalid')
    assert.equal((await judge(headers.slice(1), forged)).verdict, 'invalid')
    assert.equal((await judge(headers.slice(1), { ...last.finalization, epoch: 5 })).verdict, 'invalid')
  })

  test('beyond the end of an epoch blocks are judged by the set that its last block names (R11)', async () => {
    await using node = await openFollower()
    const judge = ({ header }: { header: Uint8Array }) => {
      const info = node.parts.consensus.readHeader(header)
      assert.ok(info.ok)
      return node.parts.consensus.judgeHeader(info.value, header)
    }
    const next = nativeSigner(sha256(Uint8Array.of(200)))
    const { block } = author.make(genesisInfo)
    const nextSet = [{ key: next.publicKey, weight: 1 }]
    const boundary = { ...block, header: { ...block.header, nextSet: authoritySetHash(nextSet) }, nextSet }
    const anchor = headerHash(boundary.header)
    const after = { ...block.header, epoch: 1, height: 2, parent: anchor, view: 1 }
    const proved = finalBy(next, { epoch: 1, anchor, set: nextSet }, after)
    assert.equal((await judge(proved)).verdict, 'notNow', 'nobody is to blame: the set is not known yet')
    const last = travellingBlock(boundary, { path: [], finalization: finalityOf(boundary.header) })
    assert.equal((await judge(last)).verdict, 'valid')
    assert.equal((await judge(proved)).verdict, 'valid')
    const ofOthers = finalBy(
      nativeSigner(sha256(Uint8Array.of(201))),
      { epoch: 1, anchor, set: nextSet },
      after,
    )
    assert.equal((await judge(ofOthers)).verdict, 'invalid')
  })

  test('blocks that only the last of a run proves are served with the way to it', async () => {
    await using node = await openFollower()
    const made = run(4)
    const headers = made.map(({ block }) => block.header)
    const { finalization } = made.at(-1)!
    for (const [i, { block }] of made.entries()) {
      const travelling = travellingBlock(block, { path: headers.slice(i + 1), finalization })
      await node.parts.blockStore.put(infoOf(block.header), travelling)
    }
    await until('they are final', () => node.store.height === 4)
    const { blockStore, consensus } = node.parts
    await using other = await openFollower()
    for (const height of [1, 2, 3, 4]) {
      const id = await blockStore.idAt(height)
      const block = await blockStore.get(id!)
      assert.ok(block !== null, `block ${height} can be served`)
      const info = consensus.readHeader(block.header)
      assert.ok(info.ok)
      assert.equal((await other.parts.consensus.judgeHeader(info.value, block.header)).verdict, 'valid')
    }
  })

  test('who brings more than there is room for waits until it is on disk, or nobody takes it any more', async () => {
    await using node = await openFollower({ waitingBytesMax: 1 })
    for (const one of run(6)) await node.parts.blockStore.put(infoOf(one.block.header), carried(one))
    await until('all are final', () => node.store.height === 6)
    node.feed.stop()
    const next = author.make(infoOf(node.store.byHeight(6)!.block.header))
    await node.parts.blockStore.put(infoOf(next.block.header), carried(next))
    assert.equal(node.store.height, 6)
  })

  test('a transaction that its sender did not sign is invalid, and what the account cannot pay is not kept', async () => {
    await using node = await openFollower()
    const { consensus, mempool } = node.parts
    const [good, other] = [author.transaction(), author.transaction()]
    const bad = Uint8Array.from(good)
    bad[bad.length - 1]! ^= 1
    const given = [good, bad, other].map((bytes) => {
      const id = consensus.transactionId(bytes)
      assert.ok(id.ok)
      return { id: id.value, bytes }
    })
    const verdicts = (await consensus.judgeTransactions(given)).map(({ verdict }) => verdict)
    assert.deepEqual(verdicts, ['valid', 'invalid', 'valid'])
    assert.equal(mempool.add(given[0]!.id, good), true)
  })
})

function finalBy(signer: Signer, epoch: Epoch, header: Header) {
  const block = { header, transactions: [], nextSet: [] }
  return travellingBlock(block, { path: [], finalization: finalityOf(header, signer, epoch) })
}

/** Blocks on the genesis, each the parent of the next. */
function run(count: number): FinalBlockMade[] {
  const made: FinalBlockMade[] = []
  let parent = genesisInfo
  while (made.length < count) {
    const next = author.make(parent)
    made.push(next)
    parent = infoOf(next.block.header)
  }
  return made
}

function readInfo(header: Uint8Array) {
  const info = follower.parts.consensus.readHeader(header)
  assert.ok(info.ok)
  return info.value
}
