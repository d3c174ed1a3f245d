/**
 * What the state tree costs: updates in batches, bytes written, sizes of proofs, memory.
 * @module
 */
import { sha256, verifyKey } from '@althing/base'
import { StateTree, type StateChange, type TreeStore } from '@althing/ledger'

const BATCH = 1000
const PROOFS = 2000

export interface TreeBenchRow {
  readonly keys: number
  /** `iri`: like the resources of a dataset, about 45 bytes. `random`: 32 bytes, the worst case for locality. */
  readonly kind: 'iri' | 'random'
  /** Changing existing keys at random, 1,000 at a time: update and root. */
  readonly updatesPerSecond: number
  /** The same, with the commit of each batch. */
  readonly committedUpdatesPerSecond: number
  /** New pages of such a commit, for each key. */
  readonly pageBytesPerUpdate: number
  readonly storedBytesPerKey: number
  readonly proofBytes: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly provesPerSecond: number
  readonly verifiesPerSecond: number
  /** Growth of the heap and its buffers beyond the stored pages, which this benchmark keeps in memory. Needs --expose-gc. */
  readonly memoryBytes: number
}

/** @param sizes numbers of keys. Takes about two minutes at a million. */
export function runTreeBench(sizes: readonly number[] = [1_000, 100_000, 1_000_000]): TreeBenchRow[] {
  return sizes.flatMap((keys) => [measure(keys, 'iri'), measure(keys, 'random')])
}

function measure(keys: number, kind: TreeBenchRow['kind']): TreeBenchRow {
  const keyOf = kind === 'iri' ? iriKey : randomKey
  const before = usedBytes()
  const store = new PageStore()
  const tree = new StateTree(store, null, { cacheBytesMax: 64 * 1024 * 1024 })
  for (let first = 0; first < keys; first += 10_000) {
    const count = Math.min(10_000, keys - first)
    store.commit(tree, sorted(Array.from({ length: count }, (_, i) => change(keyOf(first + i), 0))))
  }

  const rounds = 10
  const updated = timed(() => {
    for (let round = 1; round <= rounds; round++) tree.root(tree.update(tree.head, picks(keys, round, keyOf)))
  })
  let written = 0
  const committed = timed(() => {
    for (let round = 1; round <= rounds; round++)
      written += store.commit(tree, picks(keys, round + rounds, keyOf))
  })

  const asked = Array.from({ length: PROOFS }, (_, i) => keyOf(spread(i, keys)))
  const proofs: Uint8Array[] = []
  const proved = timed(() => {
    for (const key of asked) proofs.push(tree.prove(tree.head, key))
  })
  const root = tree.root(tree.head)
  const verified = timed(() => {
    for (const [i, key] of asked.entries()) {
      if (!verifyKey(root, key, proofs[i]!).ok) throw new Error('a proof of the benchmark does not verify')
    }
  })
  const sizes = proofs.map(({ length }) => length).toSorted((a, b) => a - b)
  return {
    keys,
    kind,
    updatesPerSecond: Math.round((rounds * BATCH) / updated),
    committedUpdatesPerSecond: Math.round((rounds * BATCH) / committed),
    pageBytesPerUpdate: Math.round(written / (rounds * BATCH)),
    storedBytesPerKey: Math.round(store.bytes / keys),
    proofBytes: { p50: sizes[PROOFS / 2]!, p99: sizes[PROOFS * 0.99]!, max: sizes.at(-1)! },
    provesPerSecond: Math.round(PROOFS / proved),
    verifiesPerSecond: Math.round(PROOFS / verified),
    memoryBytes: Math.max(0, usedBytes() - before - store.bytes),
  }
}

/** Pages in memory, deleted when they become stale. */
export class PageStore implements TreeStore {
  readonly #pages = new Map<number, Uint8Array>()
  bytes = 0

  readPage(id: number): Uint8Array | undefined {
    return this.#pages.get(id)
  }

  readValue(): undefined {}

  /** @returns the bytes written. */
  commit(tree: StateTree, changes: readonly StateChange[]): number {
    const { pages, stalePages, nextId } = tree.commit(tree.update(tree.head, changes))
    let written = 0
    for (const [id, bytes] of pages) {
      this.#pages.set(id, bytes)
      written += bytes.length
    }
    this.bytes += written
    for (const id of stalePages) {
      this.bytes -= this.#pages.get(id)!.length
      this.#pages.delete(id)
    }
    tree.written(nextId)
    return written
  }
}

const encoder = new TextEncoder()
const KINDS = ['resource', 'person/staff', 'shipment', 'place', 'document/scan']

function iriKey(n: number): Uint8Array {
  return encoder.encode(
    `https://data.example.org/${KINDS[n % KINDS.length]}/${n.toString(36).padStart(7, '0')}`,
  )
}

function randomKey(n: number): Uint8Array {
  return sha256(encoder.encode(String(n)))
}

function change(key: Uint8Array, round: number): StateChange {
  const value = new Uint8Array(48)
  new DataView(value.buffer).setUint32(0, round)
  return { key, value }
}

function picks(keys: number, round: number, keyOf: (n: number) => Uint8Array): StateChange[] {
  return sorted(
    Array.from({ length: BATCH }, (_, i) => change(keyOf(spread(round * BATCH + i, keys)), round)),
  )
}

/** Visits the numbers below `count` in an order without locality (Knuth's multiplicative hash). */
function spread(i: number, count: number): number {
  return (Math.imul(i, 0x9e37_79b1) >>> 0) % count
}

function sorted(changes: StateChange[]): StateChange[] {
  return changes.toSorted((a, b) => Buffer.compare(a.key, b.key))
}

/** @returns seconds. */
function timed(work: () => void): number {
  const start = performance.now()
  work()
  return (performance.now() - start) / 1000
}

function usedBytes(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
