import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { utf8ToBytes } from '@althing/base'
import type { Block } from '../../src/protocol/chain-messages.ts'
import { BlockAssembly, compactBlock, isWhole, SHORT_ID_BYTES } from '../../src/protocol/compact-block.ts'

const ID = 'block'

/** Ids of transactions are their texts here. */
function blockOf(ids: readonly string[]): Block {
  return { header: utf8ToBytes('header'), transactions: ids.map(utf8ToBytes) }
}

function assemble(
  block: Block,
  ids: readonly string[],
  known: readonly string[],
  read = utf8ToBytes as never,
) {
  return new BlockAssembly(compactBlock(block, ID, ids), ID, known, read)
}

describe('compact block', () => {
  test('is whole at once when all is known, whatever else is', () => {
    const ids = ['a', 'b', 'c']
    const assembly = assemble(blockOf(ids), ids, ['x', 'c', 'a', 'y', 'b'])
    assert.deepEqual(assembly.missing, [])
    assert.deepEqual(assembly.complete([]), blockOf(ids))
  })

  test('any known part is used, and the rest completes it', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 30 }),
        fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
        (ids, have) => {
          const block = blockOf(ids)
          const assembly = assemble(
            block,
            ids,
            ids.filter((_, i) => have[i]),
          )
          assert.deepEqual(
            assembly.missing,
            ids.flatMap((_, i) => (have[i] ? [] : [i])),
          )
          assert.deepEqual(assembly.complete(assembly.missing.map((i) => block.transactions[i]!)), block)
        },
      ),
    )
  })

  test('a block without transactions is whole at once', () => {
    assert.deepEqual(assemble(blockOf([]), [], ['a']).complete([]), blockOf([]))
  })

  test('C1 short ids differ from block to block', () => {
    const block = blockOf(['a'])
    const [one] = compactBlock(block, 'one', ['a']).shortIds
    assert.notEqual(one, compactBlock(block, 'two', ['a']).shortIds[0])
    assert.equal(one?.length, SHORT_ID_BYTES)
  })

  test('C2 two transactions of a block with one short id are both asked for', () => {
    const compact = compactBlock(blockOf(['a', 'b']), ID, ['a', 'b'])
    const [short] = compact.shortIds
    const assembly = new BlockAssembly({ ...compact, shortIds: [short!, short!] }, ID, ['a'], utf8ToBytes)
    assert.deepEqual(assembly.missing, [0, 1])
  })

  test('C2 what is gone from the mempool meanwhile is asked for', () => {
    const ids = ['a', 'b']
    const read = (id: string) => (id === 'a' ? null : utf8ToBytes(id))
    assert.deepEqual(assemble(blockOf(ids), ids, ids, read as never).missing, [0])
  })

  test('C3 a known transaction that only matched by chance makes no wrong block', () => {
    const ids = ['a', 'b']
    const assembly = assemble(blockOf(ids), ids, ids, ((id: string) =>
      utf8ToBytes(id === 'a' ? 'other' : id)) as never)
    assert.equal(assembly.complete([]), null)
  })

  test('C3 wrong parts, too few and too many make no block, and can be asked for again', () => {
    const block = blockOf(['a', 'b', 'c'])
    const assembly = assemble(block, ['a', 'b', 'c'], ['b'])
    const [a, , c] = block.transactions
    for (const parts of [[], [a!], [a!, c!, c!], [c!, a!], [a!, utf8ToBytes('x')]]) {
      assert.equal(assembly.complete(parts), null)
    }
    assert.deepEqual(assembly.complete([a!, c!]), block)
  })

  test('C3 a whole block is held against its announcement', () => {
    const block = blockOf(['a', 'b'])
    const compact = compactBlock(block, ID, ['a', 'b'])
    const others = [blockOf(['a']), blockOf(['b', 'a']), blockOf(['ab', ''])]
    assert.ok(isWhole(compact, block))
    assert.ok(isWhole(compact, { ...block, header: utf8ToBytes('the same with other signatures') }))
    for (const other of others) assert.equal(isWhole(compact, other), false)
  })
})
