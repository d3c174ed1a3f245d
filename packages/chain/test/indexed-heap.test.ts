import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { IndexedHeap } from '../src/mempool/indexed-heap.ts'

interface Item {
  readonly id: number
  rank: number
}

const byRank = (a: Item, b: Item): number => a.rank - b.rank || a.id - b.id

test('however items come, move and go, they are in order', () => {
  const command = fc.record({
    id: fc.nat(40),
    rank: fc.nat(50),
    isDelete: fc.constantFrom(false, false, true),
  })
  fc.assert(
    fc.property(fc.array(command, { maxLength: 150, size: 'max' }), (commands) => {
      const heap = new IndexedHeap<Item>((a, b) => byRank(a, b) < 0)
      const items = new Map<number, Item>()
      for (const { id, rank, isDelete } of commands) {
        const item = items.get(id) ?? { id, rank }
        if (isDelete) {
          items.delete(id)
          heap.delete(item)
        } else {
          item.rank = rank
          items.set(id, item)
          heap.update(item)
        }
        const sorted = [...items.values()].toSorted(byRank)
        assert.equal(heap.size, sorted.length)
        assert.equal(heap.peek(), sorted[0])
        assert.deepEqual([...heap.inOrder()], sorted)
      }
    }),
  )
})
