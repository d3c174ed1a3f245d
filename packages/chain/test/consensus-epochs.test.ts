/** Epoch changes (R11) and the way back of an authority that lost its votes (R12), in the small world. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { endsEpoch, hashToHex } from '@althing/base'
import type { AuthoritySet, Signer } from '@althing/base'
import { testSigners, World } from './consensus-world.ts'
import type { Rotation } from './consensus-world.ts'

const EPOCH_BLOCKS = 4
const signers = testSigners(8)

function setOf(...indices: number[]): AuthoritySet {
  return indices.map((index) => ({ key: signers[index]!.publicKey, weight: 1 }))
}

/** Every fourth block ends an epoch; the sets follow each other, and the last stays. */
function rotating(...sets: AuthoritySet[]): Rotation {
  return ({ epoch, height }) =>
    height % EPOCH_BLOCKS === 0 ? (sets[Math.min(epoch + 1, sets.length - 1)] ?? null) : null
}

/** Nodes with these keys, of which the first set is in force. */
function worldOf(keys: Signer[][], sets: AuthoritySet[], seed = 1, segmentBytesMax = 20_000): World {
  const world = new World(0, seed, { segmentBytesMax })
  return world.with(keys, sets[0]!, rotating(...sets))
}

function grow(world: World, blocks: number, among = world.nodes): void {
  const target = Math.max(...world.nodes.map(({ height }) => height)) + blocks
  for (let i = 0; among.some((node) => node.isUp && node.height < target); i++) {
    assert.ok(i < 40 * blocks, `stuck at ${among.map(({ height }) => height).join(' ')}, wanted ${target}`)
    world.submit(`transaction ${target} ${i}`)
    world.runUntil(() => among.every((node) => !node.isUp || node.height >= target), 500)
    world.assertSafe()
  }
}

function isVoting(world: World, index: number): boolean {
  return world.nodes[index]!.core.view(world.now()).observer === null
}

describe('epochs (R11)', () => {
  it('follow each other with the same set, and every block that ends one is directly final', () => {
    for (let seed = 1; seed <= 4; seed++) {
      const world = worldOf(
        signers.slice(0, 4).map((signer) => [signer]),
        [setOf(0, 1, 2, 3)],
        seed,
      ).startAll()
      grow(world, 14)
      for (const node of world.nodes) {
        assert.ok(node.core.view(world.now()).epoch >= 3)
        for (const { block, hash } of node.store.blocks.slice(1)) {
          if (!endsEpoch(block.header)) continue
          const finalization = node.store.finalizationAt(block.header.height)
          assert.equal(finalization && hashToHex(finalization.hash), hashToHex(hash))
        }
      }
    }
  })

  it('bring one authority in and one out; who is in votes at once, who is out observes and follows', () => {
    const world = worldOf(
      signers.slice(0, 5).map((signer) => [signer]),
      [setOf(0, 1, 2, 3), setOf(4, 1, 2, 3)],
    ).startAll()
    assert.equal(isVoting(world, 4), false)
    grow(world, EPOCH_BLOCKS + 4)
    assert.equal(isVoting(world, 4), true)
    assert.match(world.nodes[0]!.core.view(world.now()).observer!, /not in the set of epoch/)
    world.nodes[1]!.crash()
    grow(world, 4)
    assert.ok(world.nodes[4]!.sentVotes.length > 0, 'without it there was no quorum')
  })

  it('let an authority change its key without stopping, also when power fails in between', () => {
    for (let seed = 1; seed <= 4; seed++) {
      const keys = [[signers[0]!, signers[5]!], ...signers.slice(1, 4).map((signer) => [signer])]
      const world = worldOf(keys, [setOf(0, 1, 2, 3), setOf(5, 1, 2, 3)], seed).startAll()
      grow(world, EPOCH_BLOCKS - 1)
      const turning = world.nodes[0]!
      world.submit('the last of the epoch')
      world.runUntil(() => turning.core.epoch.epoch === 1, 20_000)
      turning.crash()
      turning.start()
      grow(world, 4)
      assert.equal(isVoting(world, 0), true)
      world.nodes[2]!.crash()
      grow(world, 3)
    }
  })

  it('are restarted into from the block store, whatever genesis says', () => {
    const world = worldOf(
      signers.slice(0, 5).map((signer) => [signer]),
      [setOf(0, 1, 2, 3), setOf(4, 1, 2, 3)],
    ).startAll()
    grow(world, EPOCH_BLOCKS + 2)
    for (const node of world.nodes) node.crash()
    for (const node of world.nodes) node.start()
    assert.equal(world.nodes[4]!.core.epoch.epoch, 1)
    grow(world, 4)
  })

  it('are caught up with over several ends, by a full node that starts with nothing', () => {
    const world = worldOf(
      [...signers.slice(0, 5).map((signer) => [signer]), []],
      [setOf(0, 1, 2, 3), setOf(4, 1, 2, 3)],
    )
    for (const node of world.nodes.slice(0, 5)) node.start()
    grow(world, 3 * EPOCH_BLOCKS + 1, world.nodes.slice(0, 5))
    const late = world.nodes[5]!
    late.start()
    assert.ok(
      world.runUntil(() => late.height >= 3 * EPOCH_BLOCKS, 20_000),
      `${late.height}`,
    )
    assert.deepEqual(late.charges, [])
    world.assertSafe()
  })

  it('change weights: they decide the quorum and how often each leads', () => {
    const heavy = setOf(0, 1, 2, 3).map(({ key }, index) => ({ key, weight: index === 0 ? 5 : 1 }))
    const keys = signers.slice(0, 4).map((signer) => [signer])
    const world = worldOf(keys, [setOf(0, 1, 2, 3), heavy]).startAll()
    grow(world, EPOCH_BLOCKS)
    assert.equal(world.nodes[0]!.core.view(world.now()).quorumWeight, 6)
    for (const index of [2, 3]) world.nodes[index]!.crash()
    grow(world, 12)
    const led = world.nodes[0]!.store.blocks.slice(-12).filter(({ block }) => block.header.proposer === 0)
    assert.ok(led.length > 6, `${led.length} of 12 blocks by 5 of 8`)
    world.nodes[2]!.start()
    world.nodes[3]!.start()
    grow(world, 1)
    world.nodes[0]!.crash()
    const before = world.nodes[1]!.height
    world.submit('too light')
    world.runUntil(() => false, 30_000)
    assert.ok(world.nodes[1]!.height <= before + 1, 'three of eight are no quorum')
  })

  it('survive loss, partitions and power failures', () => {
    for (let seed = 1; seed <= 10; seed++) chaos(seed)
  })
})

describe('an authority that lost its vote log (R12)', () => {
  it('observes until its rejoin is final and the epoch has ended, then votes again, and no sooner', () => {
    for (let seed = 1; seed <= 4; seed++) {
      const world = worldOf(
        signers.slice(0, 4).map((signer) => [signer]),
        [setOf(0, 1, 2, 3)],
        seed,
      ).startAll()
      grow(world, 1)
      const lost = world.nodes[3]!
      lost.crash()
      lost.loseVoteLog(new Uint8Array(32).fill(seed))
      lost.start()
      const before = lost.sentVotes.length
      const epoch = lost.core.epoch.epoch
      assert.equal(isVoting(world, 3), false)
      while (lost.core.epoch.epoch === epoch) {
        assert.equal(lost.sentVotes.length, before, 'no vote in the epoch of the loss')
        grow(world, 1)
      }
      grow(world, EPOCH_BLOCKS)
      assert.equal(isVoting(world, 3), true)
      world.nodes[0]!.crash()
      grow(world, 3)
      lost.crash()
      lost.start()
      assert.equal(isVoting(world, 3), true, 'the marker is gone from the disk')
      grow(world, 3)
    }
  })
})

function chaos(seed: number): void {
  const keys = [[signers[0]!, signers[7]!], ...signers.slice(1, 6).map((signer) => [signer]), []]
  const sets = [setOf(0, 1, 2, 3), setOf(0, 1, 2, 4), setOf(7, 1, 2, 4), setOf(7, 1, 2, 4, 5)]
  const world = worldOf(keys, sets, seed, 5_000).startAll()
  const { random, nodes } = world
  const lossRate = random() * 0.3
  let sides = nodes.map(() => 0)
  world.delayMaxMs = 10 + random() * 300
  world.isLost = (from, to) => random() < lossRate || sides[nodes.indexOf(from)] !== sides[nodes.indexOf(to)]
  for (let round = 0; round < 25; round++) {
    if (random() < 0.7) world.submit(`transaction ${round}`)
    if (random() < 0.4) sides = nodes.map(() => (random() < 0.2 ? 1 : 0))
    for (const node of nodes) {
      if (node.isUp && random() < 0.08) node.crash()
      else if (!node.isUp && random() < 0.6) node.start()
    }
    world.runUntil(() => false, random() * 2_500)
    world.assertSafe()
  }
  for (const node of nodes) if (node.isUp) node.crash()
  world.isLost = () => false
  world.delayMaxMs = 30
  for (const node of nodes) node.start()
  grow(world, 2 * EPOCH_BLOCKS)
  for (const node of nodes) assert.deepEqual(node.charges, [], `seed ${seed}: an honest peer is charged`)
}
