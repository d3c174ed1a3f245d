/**
 * What the consensus costs, in simulated time: nothing here depends on the machine.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as chain from '@althing/chain'
import { SteadyWorld } from '../src/index.ts'
import type { SteadyNetwork } from '../src/index.ts'

const LINK_MS = 100
/** Of `SteadyWorld` at this link time. */
const RETRANSMIT_MS = 900

const network = (authorities: number, dead = 0, seed = 1): SteadyNetwork => ({
  seed,
  authorities,
  dead,
  linkMs: LINK_MS,
  transactionBytes: 200,
})

const isAbout = (value: number, expected: number): void =>
  assert.ok(Math.abs(value - expected) <= 0.1, `${value.toFixed(3)} is not ${expected} ± 0.1`)

for (const authorities of [4, 7, 10, 25]) {
  test(`without faults, ${authorities} authorities need 2 hops for a block and 3 for its finality`, () => {
    const { hopsPerBlock, hopsToFinality } = new SteadyWorld(chain, network(authorities)).measure(10)
    isAbout(hopsPerBlock, 2)
    isAbout(hopsToFinality, 3)
  })
}

for (const [authorities, dead] of [
  [4, 1],
  [7, 2],
  [13, 4],
  [25, 8],
] as const) {
  test(`with ${dead} of ${authorities} authorities dead a block takes at most 3 hops (R8)`, () => {
    const { hopsPerBlock } = new SteadyWorld(chain, network(authorities, dead)).measure(4 * authorities)
    assert.ok(hopsPerBlock <= 3, `${hopsPerBlock.toFixed(2)} hops`)
  })
}

test('50 authorities: 2 and 3 hops; 250 messages, 300 kB and 100 checks for a node and block at most', () => {
  const cost = new SteadyWorld(chain, network(50)).measure(10)
  isAbout(cost.hopsPerBlock, 2)
  isAbout(cost.hopsToFinality, 3)
  assert.ok(cost.messagesPerBlock <= 250, `${cost.messagesPerBlock} messages`)
  assert.ok(cost.bytesPerBlock <= 300_000, `${cost.bytesPerBlock} bytes`)
  assert.ok(cost.signatureChecksPerBlock <= 100, `${cost.signatureChecksPerBlock} checks`)
})

test('after a partition every node has the next block final within 2 s and two retransmissions (R9)', () => {
  for (const authorities of [4, 7]) {
    for (let seed = 1; seed <= 10; seed++) {
      const tookMs = new SteadyWorld(chain, network(authorities, 0, seed)).partAndHeal(20_000)
      const boundMs = 2_000 + 2 * RETRANSMIT_MS
      assert.ok(tookMs <= boundMs, `${authorities} authorities, seed ${seed}: ${tookMs} ms`)
    }
  }
})
