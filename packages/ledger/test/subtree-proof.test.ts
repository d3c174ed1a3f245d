import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { bytesToHex, verifySubtree, ZERO_HASH } from '@althing/base'
import fc from 'fast-check'
import { StateTree } from '../src/index.ts'
import type { StateVersion } from '../src/index.ts'
import { bytes, commitTo, latin, MemoryTreeStore } from './tree-store.ts'

const text = fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\xff'), minLength: 1, maxLength: 5 })

function treeOf(keys: readonly string[]): { tree: StateTree; version: StateVersion } {
  const store = new MemoryTreeStore()
  const tree = new StateTree(store, null)
  const changes = [...new Set(keys)]
    .sort()
    .map((key) => ({ key: latin(key), value: bytes(`value of ${key}`) }))
  commitTo(store, tree, tree.update(tree.head, changes))
  return { tree, version: tree.head }
}

suite('proofs of the hash below a prefix (PC-5)', () => {
  test('the hash is proved, and depends on the entries below the prefix only', () => {
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 25 }),
        text,
        fc.array(text, { maxLength: 5 }),
        (keys, prefix, others) => {
          const { tree, version } = treeOf(keys)
          const hash = tree.subtree(version, latin(prefix))
          assert.equal(
            bytesToHex(hash) === bytesToHex(ZERO_HASH),
            !keys.some((key) => key.startsWith(prefix)),
          )
          const proof = tree.proveSubtree(version, latin(prefix))
          assert.deepEqual(verifySubtree(tree.root(version), latin(prefix), proof), {
            ok: true,
            value: { hash },
          })

          const elsewhere = others.filter((key) => !key.startsWith(prefix))
          const more = treeOf([...keys, ...elsewhere])
          assert.deepEqual(more.tree.subtree(more.version, latin(prefix)), hash)
          if (keys.some((key) => key.startsWith(prefix))) {
            const changed = tree.update(version, [{ key: latin(`${prefix}new`), value: bytes('') }])
            assert.notDeepEqual(tree.subtree(changed, latin(prefix)), hash)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a proof with any byte changed, dropped or added fails, and so does one for another prefix or root', () => {
    const { tree, version } = treeOf(['a', 'ab', 'abc', 'b', 'x/1', 'x/2', 'x/3'])
    const root = tree.root(version)
    for (const prefix of ['a', 'ab', 'abcd', 'c', 'x', 'x/', 'x/2', 'z'].map(bytes)) {
      const proof = tree.proveSubtree(version, prefix)
      for (let at = 0; at < proof.length; at++) {
        for (const flip of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
          const changed = proof.slice()
          changed[at]! ^= flip
          assert.equal(verifySubtree(root, prefix, changed).ok, false)
        }
        assert.equal(verifySubtree(root, prefix, proof.slice(0, at)).ok, false)
      }
      assert.equal(verifySubtree(root, prefix, Uint8Array.of(...proof, 0)).ok, false)
      assert.equal(verifySubtree(ZERO_HASH, prefix, proof).ok, false)
    }
    assert.equal(verifySubtree(root, bytes('b'), tree.proveSubtree(version, bytes('x'))).ok, false)
  })

  test('golden proof', () => {
    const { tree, version } = treeOf(['a', 'ab', 'x/1'])
    assert.equal(
      bytesToHex(tree.proveSubtree(version, bytes('a'))),
      '01056081438152dbc0c0f10f9220ad01dc171f6a4b5a0f81ae6c1c1d354bbe3ddd9a730561071af85779ca009fa9cb50c270fd38db8498e5e595d7df948a3515445705456a5a05415142d23d284c787adf96b6b640e1844b7b11472cdc7f89bda07bc43e74',
    )
  })
})
