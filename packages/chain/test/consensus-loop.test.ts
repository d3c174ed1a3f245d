import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { World } from './consensus-world.ts'

describe('a loop of authorities', () => {
  for (const count of [1, 4, 7]) {
    it(`of ${count} makes transactions final everywhere, with reordered delivery`, () => {
      for (let seed = 1; seed <= 5; seed++) {
        const world = new World(count, seed, {}, 1).startAll()
        for (let i = 0; i < 20; i++) {
          world.submit(`transaction ${i}`)
          const target = `transaction ${i}`
          const isFinal = (): boolean =>
            world.nodes.every((node) =>
              node.store.blocks.some(({ block }) =>
                block.transactions.some((bytes) => new TextDecoder().decode(bytes) === target),
              ),
            )
          assert.ok(world.runUntil(isFinal, 3_000), `seed ${seed}: ${target} is not final everywhere`)
        }
        world.assertSafe()
      }
    })
  }
})
