import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bytesToHex, successor, verifyKey, verifyRange } from '@althing/base'
import fc from 'fast-check'
import { StateTree, type StateVersion } from '../src/tree/index.ts'
import { bytes, commitTo, latin, MemoryTreeStore, sliceOf } from './tree-store.ts'

const keys = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\xff'), minLength: 1, maxLength: 5 }),
  fc.string({ unit: fc.constantFrom('a', '\0'), minLength: 508, maxLength: 512 }),
)
const bounds = fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\xff'), maxLength: 5 })
const values = fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ minLength: 65, maxLength: 140 }))
const models = fc
  .uniqueArray(fc.tuple(keys, values), { maxLength: 30, selector: ([key]) => key })
  .map((all) => new Map(all))

function treeOf(model: ReadonlyMap<string, Uint8Array>): { tree: StateTree; version: StateVersion } {
  const store = new MemoryTreeStore()
  const tree = new StateTree(store, null)
  commitTo(store, tree, tree.update(tree.head, sliceOf(model, '', null)))
  return { tree, version: tree.head }
}

function sample(): { tree: StateTree; version: StateVersion } {
  const texts = ['a', 'ab', 'abc', 'b', 'long', 'x/1', 'x/2', 'x/3', 'y'.repeat(70)]
  return treeOf(
    new Map(texts.map((text) => [text, text === 'long' ? new Uint8Array(100) : bytes(`value of ${text}`)])),
  )
}

describe('state proofs', () => {
  test('every key is proved present with its value, every other one absent', () => {
    fc.assert(
      fc.property(models, fc.array(keys, { maxLength: 10 }), (model, others) => {
        const { tree, version } = treeOf(model)
        for (const key of [...model.keys(), ...others]) {
          const proved = verifyKey(tree.root(version), latin(key), tree.prove(version, latin(key)))
          assert.deepEqual(proved, { ok: true, value: { value: model.get(key) ?? null } })
        }
      }),
      { numRuns: 150 },
    )
  })

  test('a range proof shows exactly the entries of the range', () => {
    fc.assert(
      fc.property(models, bounds, fc.option(bounds), (model, start, end) => {
        fc.pre(end === null || start < end)
        const { tree, version } = treeOf(model)
        const endBytes = end === null ? null : latin(end)
        const proof = tree.proveRange(version, latin(start), endBytes)
        const proved = verifyRange(tree.root(version), latin(start), endBytes, proof)
        assert.deepEqual(proved, { ok: true, value: { entries: sliceOf(model, start, end), next: null } })
      }),
      { numRuns: 300 },
    )
  })

  test('limited range proofs follow one another to the end (VC-7)', () => {
    const limits = fc.record({
      entriesMax: fc.integer({ min: 1, max: 5 }),
      bytesMax: fc.integer({ min: 0, max: 900 }),
    })
    fc.assert(
      fc.property(models, limits, (model, limit) => {
        const { tree, version } = treeOf(model)
        const entries = []
        let start: Uint8Array | null = new Uint8Array(0)
        while (start !== null) {
          const proof: Uint8Array = tree.proveRange(version, start, null, limit)
          const proved = verifyRange(tree.root(version), start, null, proof)
          assert.ok(proved.ok)
          assert.ok(proved.value.entries.length <= limit.entriesMax)
          entries.push(...proved.value.entries)
          start = proved.value.next
        }
        assert.deepEqual(entries, sliceOf(model, '', null))
      }),
      { numRuns: 150 },
    )
  })

  test('a proof with any byte changed, dropped or added fails', () => {
    const { tree, version } = sample()
    const root = tree.root(version)
    const ranges = [
      ...['a', 'ab', 'abcd', 'c', 'x/2', 'z', 'long'].map(
        (key) => [bytes(key), successor(bytes(key))] as const,
      ),
      [bytes(''), null],
      [bytes('ab'), bytes('x/2')],
    ] as const
    for (const [start, end] of ranges) {
      for (const limits of [{}, { entriesMax: 1 }]) {
        const proof = tree.proveRange(version, start, end, limits)
        assert.ok(verifyRange(root, start, end, proof).ok)
        for (let at = 0; at < proof.length; at++) {
          for (const flip of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
            const changed = proof.slice()
            changed[at]! ^= flip
            assert.equal(verifyRange(root, start, end, changed).ok, false)
          }
          assert.equal(verifyRange(root, start, end, proof.slice(0, at)).ok, false)
        }
        assert.equal(verifyRange(root, start, end, Uint8Array.of(...proof, 0)).ok, false)
      }
    }
  })

  test('a proof holds under its own root, for its own range only', () => {
    const { tree, version } = sample()
    const proof = tree.prove(version, bytes('ab'))
    const other = tree.update(version, [{ key: bytes('zz'), value: bytes('') }])
    const fault = verifyKey(tree.root(other), bytes('ab'), proof)
    assert.equal(!fault.ok && fault.fault.code, 'PROOF_MISMATCH')
    assert.equal(verifyKey(new Uint8Array(32), bytes('ab'), proof).ok, false)
    for (const key of ['a', 'abc', 'b', 'nothing'])
      assert.equal(verifyKey(tree.root(version), bytes(key), proof).ok, false)
  })

  test('an entry cannot be left out: a proof from a state without it has another root', () => {
    const { tree, version } = sample()
    for (const { key } of tree.entries(version)) {
      const without = tree.update(version, [{ key, value: null }])
      assert.equal(verifyKey(tree.root(version), key, tree.prove(without, key)).ok, false)
      const range = tree.proveRange(without, new Uint8Array(0), null)
      assert.equal(verifyRange(tree.root(version), new Uint8Array(0), null, range).ok, false)
    }
  })

  test('golden proofs', () => {
    const { tree, version } = sample()
    assert.equal(
      bytesToHex(tree.prove(version, bytes('ab'))),
      '010005600102600261071af85779ca009fa9cb50c270fd38db8498e5e595d7df948a3515445705456a096200000b76616c7565206f66206162215e7354c1789a462ea495ec8570a3dd498b550c7a345efff3ed07edcb427ad5d4f5de8ff93d097549d6e9c12801a6025f7d38e78894315d220ad161adf1f5942f610ee9c5d9e8c9b4520e55e7c47da39655f29f19fbc476b2d5349bb5881b2e40ae4c114504f2e880191c81f0fc215e90629b3d3a04e72db8c8e4419f467d72',
    )
    assert.equal(
      bytesToHex(tree.prove(version, bytes('c'))),
      '0100056001026017cb925c986ae9dade43985da38c0ff05ce8e2873c0424c613ea26e5859de0db0001625741ee6a70b06dc36f44ea5995db9b289bb54e1eab3b0930bceb5247544a248c2f610ee9c5d9e8c9b4520e55e7c47da39655f29f19fbc476b2d5349bb5881b2e40ae4c114504f2e880191c81f0fc215e90629b3d3a04e72db8c8e4419f467d72',
    )
    assert.equal(
      bytesToHex(tree.proveRange(version, bytes('x'), null, { entriesMax: 2 })),
      '010103782f320560d002fed4e09819b161ff794b71deb2c0675a5ce7b24b1528861ecad43a3453bc0478112f300001310c76616c7565206f6620782f310100000c76616c7565206f6620782f322bb587a8fa0f1989240144db2d16232a92f2f87f4c41a285ddb977965e26630b234347eb3ca70253f947e1cc54e10a5e6a09bb54851a5292af648bae99315b3f',
    )
  })
})
