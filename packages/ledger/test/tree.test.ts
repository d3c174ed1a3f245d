import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bytesToHex, divergingBit, hashOf, sha256, ZERO_HASH } from '@althing/base'
import fc from 'fast-check'
import {
  StateError,
  StateTree,
  type StateChange,
  type StateReference,
  type StateVersion,
} from '../src/tree/index.ts'
import { bytes, commitTo, latin, MemoryTreeStore, sliceOf } from './tree-store.ts'

type Model = Map<string, Uint8Array>

/** Keys that share prefixes, are prefixes of one another, and reach both length limits. */
const keys = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\xff'), minLength: 1, maxLength: 6 }),
  fc.string({ unit: fc.constantFrom('a', '\0'), minLength: 505, maxLength: 512 }),
  fc.integer({ min: 0, max: 40 }).map((n) => `https://example.org/id/${n}`),
)
const values = fc.oneof(
  fc.uint8Array({ maxLength: 4 }),
  fc.uint8Array({ minLength: 63, maxLength: 66 }),
  fc.uint8Array({ minLength: 300, maxLength: 300 }),
)
const changes = fc.array(fc.tuple(keys, fc.option(values)), { maxLength: 25 })

function apply(model: Model, batch: readonly (readonly [string, Uint8Array | null])[]): StateChange[] {
  for (const [key, value] of batch) {
    if (value === null) model.delete(key)
    else model.set(key, value)
  }
  return batch.map(([key, value]) => ({ key: latin(key), value }))
}

function assertHolds(tree: StateTree, version: StateVersion, model: Model): void {
  assert.deepEqual([...tree.entries(version)], sliceOf(model, '', null))
  for (const [key, value] of model) assert.deepEqual(tree.get(version, latin(key)), value)
}

function fill(tree: StateTree, count: number, from: StateVersion = tree.head): StateVersion {
  const entry = (i: number) => ({ key: bytes(`key/${(i * 7919) % count}`), value: bytes(`value ${i}`) })
  return tree.update(
    from,
    Array.from({ length: count }, (_, i) => entry(i)),
  )
}

describe('state tree', () => {
  test('equals a plain map through updates, commits, reopening and pruning', () => {
    const step = fc.record({ batch: changes, then: fc.constantFrom('nothing', 'commit', 'reopen', 'prune') })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const store = new MemoryTreeStore()
        const model: Model = new Map()
        const modelByHeight = new Map<number, Model>()
        let tree = new StateTree(store, null)
        let version = tree.head
        for (const { batch, then } of steps) {
          version = tree.update(version, apply(model, batch))
          if (then === 'nothing') continue
          const commit = commitTo(store, tree, version)
          modelByHeight.set(store.height, new Map(model))
          if (then === 'reopen') tree = new StateTree(store, commit, { nextId: commit.nextId })
          if (then === 'prune') store.prune(store.height - 1)
          version = tree.head
        }
        assertHolds(tree, version, model)
        const cold = new StateTree(store, null)
        for (const [height, root] of store.rootByHeight)
          assertHolds(cold, cold.open(root), modelByHeight.get(height)!)
      }),
      { numRuns: 150 },
    )
  })

  test('the root depends on the entries, not on the way to them (PO-8)', () => {
    fc.assert(
      fc.property(changes, changes, fc.boolean(), (first, second, isCommitted) => {
        const model: Model = new Map()
        const store = new MemoryTreeStore()
        const tree = new StateTree(store, null)
        const half = tree.update(tree.head, apply(model, first))
        if (isCommitted) commitTo(store, tree, half)
        const whole = tree.update(half, apply(model, second))
        const other = new StateTree(new MemoryTreeStore(), null)
        const direct = other.update(other.head, sliceOf(model, '', null).toReversed())
        assert.deepEqual(tree.root(whole), other.root(direct))
      }),
      { numRuns: 150 },
    )
  })

  test('an insert that is deleted again gives the former root', () => {
    const tree = new StateTree(new MemoryTreeStore(), null)
    const before = fill(tree, 50)
    const key = bytes('key/1/more')
    const inserted = tree.update(before, [{ key, value: bytes('x') }])
    assert.notDeepEqual(tree.root(inserted), tree.root(before))
    assert.deepEqual(tree.root(tree.update(inserted, [{ key, value: null }])), tree.root(before))
    const emptied = tree.update(
      before,
      [...tree.entries(before)].map(({ key }) => ({ key, value: null })),
    )
    assert.deepEqual(tree.root(emptied), ZERO_HASH)
  })

  test('versions do not change, and several can grow from one', () => {
    const store = new MemoryTreeStore()
    const tree = new StateTree(store, null)
    const base = fill(tree, 300)
    const left = tree.update(base, [{ key: bytes('key/5'), value: bytes('left') }])
    const right = tree.update(base, [{ key: bytes('key/5'), value: null }])
    commitTo(store, tree, base)
    assert.deepEqual(tree.get(left, bytes('key/5')), bytes('left'))
    assert.equal(tree.get(right, bytes('key/5')), null)
    commitTo(store, tree, left)
    assert.throws(() => tree.commit(right), /descend from the head/)
    assert.equal([...tree.entries(right)].length, 299)
  })

  test('blocks committed together need pages for the last version only', () => {
    const separate = new MemoryTreeStore()
    const together = new MemoryTreeStore()
    const [a, b] = [new StateTree(separate, null), new StateTree(together, null)]
    let [versionA, versionB] = [a.head, b.head]
    for (let block = 0; block < 10; block++) {
      const batch = Array.from({ length: 20 }, (_, i) => ({
        key: bytes(`k${(block * 13 + i * 7) % 120}`),
        value: bytes(`${block}`),
      }))
      versionA = a.update(versionA, batch)
      versionB = b.update(versionB, batch)
      commitTo(separate, a, versionA)
    }
    commitTo(together, b, versionB)
    assert.deepEqual(a.root(a.head), b.root(b.head))
    assert.ok(together.pages.size < separate.pages.size)
    separate.prune(10)
    assert.deepEqual([...b.entries(b.head)], [...a.entries(a.head)])
  })

  test('pages stay within their bound, ids grow, and a kept version finds all it needs', () => {
    const store = new MemoryTreeStore()
    const tree = new StateTree(store, null, { pageBytesMax: 2048, cacheBytesMax: 64 * 1024 })
    let nextId = 1
    for (let height = 1; height <= 40; height++) {
      const batch = Array.from({ length: 60 }, (_, i) => {
        const n = (height * 31 + i * i * 17) % 900
        return {
          key: bytes(`https://example.org/${n}`),
          value: i % 5 === 0 ? null : new Uint8Array((n * height) % 150),
        }
      })
      const commit = commitTo(store, tree, tree.update(tree.head, batch))
      const ids = [...commit.pages, ...commit.values].map(([id]) => id).toSorted((x, y) => x - y)
      assert.deepEqual(
        ids,
        Array.from({ length: commit.nextId - nextId }, (_, i) => nextId + i),
      )
      assert.ok(commit.pages.every(([, page]) => page.length <= 2048))
      nextId = commit.nextId
      store.prune(height - 5)
      const cold = new StateTree(store, null)
      for (const root of store.rootByHeight.values()) assert.deepEqual(rehash(cold, root), root.root)
    }
    store.prune(store.height)
    const live = liveItems(store)
    assert.equal(store.pages.size, live.pages)
    assert.equal(store.values.size, live.values)
  })

  test('commits may lag behind the newest version, skip some, and share pages with what is pruned', () => {
    const block = fc.record({
      changes: fc.array(fc.tuple(fc.nat(400), fc.option(fc.nat(150))), { minLength: 1, maxLength: 30 }),
      commitLag: fc.option(fc.nat(3)),
    })
    fc.assert(
      fc.property(fc.array(block, { minLength: 5, maxLength: 25 }), (blocks) => {
        const store = new MemoryTreeStore()
        const tree = new StateTree(store, null, { cacheBytesMax: 64 * 1024 })
        const long = Array.from({ length: 400 }, (_, n) => ({
          key: bytes(`${n}/key`),
          value: new Uint8Array(n % 90),
        }))
        commitTo(store, tree, tree.update(tree.head, long))
        let newest = tree.head
        let waiting: StateVersion[] = []
        for (const { changes, commitLag } of blocks) {
          const batch = changes.map(([n, length]) => ({
            key: bytes(`${n}/key`),
            value: length === null ? null : new Uint8Array(length).fill(n),
          }))
          newest = tree.update(newest, batch)
          waiting.push(newest)
          const next = commitLag === null ? undefined : waiting.at(-1 - commitLag)
          if (next === undefined) continue
          waiting = waiting.slice(waiting.indexOf(next) + 1)
          commitTo(store, tree, next)
          store.prune(store.height - 2)
          const cold = new StateTree(store, null)
          for (const kept of store.rootByHeight.values()) assert.deepEqual(rehash(cold, kept), kept.root)
        }
        if (waiting.length > 0) commitTo(store, tree, newest)
        store.prune(store.height)
        const live = liveItems(store)
        assert.deepEqual([store.pages.size, store.values.size], [live.pages, live.values])
      }),
      { numRuns: 40 },
    )
  })

  test('a tree as deep as keys allow is updated, committed, read and emptied', () => {
    const store = new MemoryTreeStore()
    const tree = new StateTree(store, null)
    const key = new Uint8Array(512).fill(0xff)
    const changes: StateChange[] = [{ key, value: bytes('deepest') }]
    for (let i = 0; i < 512; i++) {
      if (i > 0) changes.push({ key: key.slice(0, i), value: bytes('shorter') })
      for (let bit = 0; bit < 8; bit++) {
        const branch = key.slice(0, i + 1)
        branch[i]! ^= 0x80 >>> bit
        changes.push({ key: branch, value: bytes('branch') })
      }
    }
    const commit = commitTo(store, tree, tree.update(tree.head, changes))
    const cold = new StateTree(store, commit, { nextId: commit.nextId })
    assert.equal([...cold.entries(cold.head)].length, changes.length)
    assert.equal(divergingBit(key, changes.at(-1)!.key), 9 * 511 + 8)
    const emptied = cold.update(
      cold.head,
      changes.map(({ key }) => ({ key, value: null })),
    )
    assert.deepEqual(cold.root(emptied), ZERO_HASH)
  })

  test('missing and damaged pages are a coded error', () => {
    const store = new MemoryTreeStore()
    const tree = new StateTree(store, null)
    const commit = commitTo(store, tree, fill(tree, 100))
    const page = store.pages.get(commit.rootPage)!
    const isCorrupt = (error: unknown) => error instanceof StateError && error.code === 'STATE_CORRUPT'
    for (const damaged of [
      undefined,
      page.slice(0, -1),
      Uint8Array.of(9, ...page.slice(1)),
      new Uint8Array(0),
    ]) {
      if (damaged === undefined) store.pages.delete(commit.rootPage)
      else store.pages.set(commit.rootPage, damaged)
      const cold = new StateTree(store, commit, { nextId: commit.nextId })
      assert.throws(() => [...cold.entries(cold.head)], isCorrupt)
    }
  })

  test('a page with bytes changed is read, or is a coded error, and nothing else', () => {
    const store = new MemoryTreeStore()
    const tree = new StateTree(store, null)
    const commit = commitTo(store, tree, fill(tree, 40))
    const page = store.pages.get(commit.rootPage)!
    for (let at = 0; at < page.length; at++) {
      for (const flip of [1, 2, 0x80, 0xff]) {
        const changed = page.slice()
        changed[at]! ^= flip
        store.pages.set(commit.rootPage, changed)
        const cold = new StateTree(store, commit, { nextId: commit.nextId })
        try {
          for (const { key } of cold.entries(cold.head)) cold.get(cold.head, key)
          cold.commit(cold.update(cold.head, [{ key: bytes('key/7'), value: null }]))
        } catch (error) {
          assert.ok(error instanceof StateError, String(error))
        }
      }
    }
  })

  test('golden roots', () => {
    const tree = new StateTree(new MemoryTreeStore(), null)
    const rootOf = (entries: readonly [string, string][]) =>
      bytesToHex(
        tree.root(
          tree.update(
            tree.head,
            entries.map(([key, value]) => ({ key: bytes(key), value: bytes(value) })),
          ),
        ),
      )
    const leaf = (key: string, value: string) =>
      hashOf(Uint8Array.of(0, 0, key.length), bytes(key), sha256(bytes(value)))
    assert.equal(rootOf([]), '00'.repeat(32))
    assert.equal(rootOf([['a', '']]), bytesToHex(leaf('a', '')))
    const below = hashOf(Uint8Array.of(1, 0, 9, 0x61), leaf('a', '1'), leaf('ab', '2'))
    const root = hashOf(Uint8Array.of(1, 0, 7, 0x60), below, leaf('b', '3'))
    assert.equal(
      rootOf([
        ['a', '1'],
        ['ab', '2'],
        ['b', '3'],
      ]),
      bytesToHex(root),
    )
    assert.equal(
      bytesToHex(tree.root(fill(tree, 100))),
      '2b558490661abf07935227ee47e6841eddd8c943f1b2da61157d32226f6ad9ca',
    )
  })
})

/** The root hash computed from the entries as the pages hold them. */
function rehash(tree: StateTree, reference: StateReference): Uint8Array {
  const fresh = new StateTree(new MemoryTreeStore(), null)
  return fresh.root(fresh.update(fresh.head, tree.entries(tree.open(reference))))
}

/** What reading the last version touches. */
function liveItems(store: MemoryTreeStore): { pages: number; values: number } {
  const pages = new Set<number>()
  const values = new Set<number>()
  const spy = {
    readPage: (id: number) => (pages.add(id), store.readPage(id)),
    readValue: (id: number) => (values.add(id), store.readValue(id)),
  }
  const tree = new StateTree(spy, null)
  Array.from(tree.entries(tree.open(store.rootByHeight.get(store.height)!)))
  return { pages: pages.size, values: values.size }
}
