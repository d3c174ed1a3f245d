/** Who follows notarized blocks, and not only final ones, has to undo some now and then (PC-4). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hashToHex, NOTARIZE, NULLIFY } from '@althing/base'
import type { BlockHash } from '@althing/base'
import type { ConsensusEvent } from '../src/consensus/index.ts'
import { blockOn, certificateOf, genesis, hashOfBlock, proposalOf, Solo } from './consensus-solo.ts'
import { World } from './consensus-world.ts'
import type { TestNode } from './consensus-world.ts'

/** Counts the transactions of the notarized chain, as an application would that cannot wait for finality. */
class Follower {
  readonly #node: TestNode
  /** Hash and transactions of each block from genesis on. */
  readonly chain: { readonly hash: string; readonly transactions: number }[] = []
  #read = 0
  reorgs = 0

  constructor(node: TestNode) {
    this.#node = node
    this.chain.push({ hash: hashToHex(genesis.hash), transactions: 0 })
  }

  follow(): void {
    const { events } = this.#node
    for (; this.#read < events.length; this.#read++) this.#take(events[this.#read]!)
  }

  #take(event: ConsensusEvent): void {
    if (event.kind === 'reorg') {
      this.reorgs += 1
      assert.equal(this.chain.at(-1)!.hash, hashToHex(event.from), 'what is undone was followed')
      const ancestor = this.chain.findIndex(({ hash }) => hash === hashToHex(event.ancestor))
      assert.ok(ancestor >= 0)
      this.chain.length = ancestor + 1
      this.#extend(event.to)
    } else if (event.kind === 'blockNotarized') {
      this.#extend(event.hash)
    }
  }

  /** Blocks in between are read by their parents' hashes. */
  #extend(to: BlockHash): void {
    const path: { hash: string; transactions: number }[] = []
    for (let hash = to; !this.chain.some((known) => known.hash === hashToHex(hash));) {
      const block = this.#node.executor.executed.get(hashToHex(hash)) ?? this.#node.store.byHash(hash)!.block
      path.push({ hash: hashToHex(hash), transactions: block.transactions.length })
      hash = block.header.parent
    }
    this.chain.push(...path.reverse())
  }
}

describe('a subscriber that follows notarized blocks', () => {
  it('has what is final, block by block, whatever was undone on the way', () => {
    let reorgs = 0
    for (let seed = 1; seed <= 8; seed++) {
      const world = new World(4, seed, { timeoutBaseMs: 300, driftMs: 100, retransmitMs: 300 }).startAll()
      const [node] = world.nodes
      const follower = new Follower(node!)
      world.delayMaxMs = 250
      world.isLost = () => world.random() < 0.3
      for (let round = 0; round < 150; round++) {
        world.submit(`transaction ${round}`)
        world.runUntil(() => false, 150)
        follower.follow()
        assert.equal(follower.chain.at(-1)!.hash, hashToHex(node!.core.head.hash))
      }
      const final = node!.store.blocks.map(({ hash }) => hashToHex(hash))
      assert.deepEqual(
        follower.chain.slice(0, final.length).map(({ hash }) => hash),
        final,
      )
      reorgs += follower.reorgs
    }
    assert.ok(reorgs > 0, 'nothing was ever undone: this test shows nothing')
  })

  it('sees each block as proposed, notarized, final; beside each other while they compete', () => {
    const [one, other] = [blockOn(genesis.block, 1), blockOn(genesis.block, 2)]
    const solo = new Solo().start().hear(proposalOf(1, one))
    const labels = (): string[] => solo.core.unfinalized.map(({ view, label }) => `${view} ${label}`)
    assert.deepEqual(labels(), ['1 proposed'])
    solo.hearCertificate(certificateOf(NOTARIZE, 1, hashOfBlock(one)))
    assert.deepEqual(labels(), ['1 notarized'])
    solo.hearCertificate(certificateOf(NULLIFY, 1)).hear(proposalOf(2, other))
    assert.deepEqual(labels(), ['1 notarized', '2 proposed'])
    solo.hearCertificate(certificateOf(NOTARIZE, 2, hashOfBlock(other)))
    solo.hearCertificate(certificateOf(2, 2, hashOfBlock(other)))
    assert.deepEqual(labels(), [])
    assert.equal(solo.finalized, hashToHex(hashOfBlock(other)))
  })
})
