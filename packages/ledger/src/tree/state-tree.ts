/**
 * The authenticated state: entries of key and value whose root hash stands in every block header. Pure; reads its
 * store synchronously and writes nothing: a commit says what to write.
 * S1  the root hash depends on the set of entries and on nothing else
 * S2  a version, once made, never changes; versions share what they have in common
 * S3  only descendants of the head can be committed, so pages become stale in one line of history
 * S4  memory is bounded by the cache, the pages not yet written, and what uncommitted versions changed
 * @module
 */
import {
  assert,
  compareBytes,
  equalBytes,
  isKey,
  successor,
  ZERO_HASH,
  type Hash,
  type SubtreePlace,
} from '@althing/base'
import { commitNode, type StateCommit, type StateReference } from './commit.ts'
import { findLeaf, hashNode, PageReference, type Node } from './node.ts'
import { PAGE_BYTES_CEILING, PAGE_BYTES_FLOOR } from './page.ts'
import { PageCache, type TreeStore } from './page-cache.ts'
import { partOf, type PartLimits } from './part.ts'
import { subtreeOf } from './subtree.ts'
import { Update } from './update.ts'
import { leavesOf, proveNode, type ProofLimits, type StateEntry } from './walk.ts'

export const VALUE_BYTES_MAX = 1024 * 1024

export interface StateTreeOptions {
  /** Memory for pages; at least 64 KiB. */
  readonly cacheBytesMax: number
  /** 2 KiB to 16 KiB. */
  readonly pageBytesMax: number
  /** `nextId` of the last commit; 1 for a new store. */
  readonly nextId: number
}

const DEFAULTS: StateTreeOptions = { cacheBytesMax: 64 * 1024 * 1024, pageBytesMax: 2048, nextId: 1 }

export interface StateChange {
  /** 1 to 512 bytes. */
  readonly key: Uint8Array
  /** At most 1 MiB; null deletes. */
  readonly value: Uint8Array | null
}

/** A version of the state, made by a `StateTree` and only of use there. */
export class StateVersion {
  /** @internal */
  node: Node | null
  /** The version from which this one was made, until this one is committed. @internal */
  origin: StateVersion | null

  /** @internal */
  constructor(node: Node | null, origin: StateVersion | null) {
    this.node = node
    this.origin = origin
  }
}

export class StateTree {
  readonly #cache: PageCache
  readonly #pageBytesMax: number
  #head: StateVersion
  /** 0 when the head is empty. */
  #headPage: number
  #nextId: number
  #updates = 0

  /** @param head the version committed last; null for a new store. */
  constructor(store: TreeStore, head: StateReference | null, options: Partial<StateTreeOptions> = {}) {
    const { cacheBytesMax, pageBytesMax, nextId } = { ...DEFAULTS, ...options }
    assert(
      pageBytesMax >= PAGE_BYTES_FLOOR && pageBytesMax <= PAGE_BYTES_CEILING,
      `pageBytesMax ${pageBytesMax} must be from ${PAGE_BYTES_FLOOR} to ${PAGE_BYTES_CEILING}`,
    )
    assert(cacheBytesMax >= 64 * 1024, `cacheBytesMax ${cacheBytesMax} must be at least 64 KiB`)
    assert(
      nextId > (head?.rootPage ?? 0),
      `nextId ${nextId} must be above the head's rootPage ${head?.rootPage}`,
    )
    this.#cache = new PageCache(store, cacheBytesMax)
    this.#pageBytesMax = pageBytesMax
    this.#nextId = nextId
    this.#headPage = head?.rootPage ?? 0
    this.#head = head === null ? new StateVersion(null, null) : this.open(head)
  }

  /** The version committed last. */
  get head(): StateVersion {
    return this.#head
  }

  /** A version committed earlier and not pruned, for reading and for trial updates. */
  open(reference: StateReference): StateVersion {
    return new StateVersion(toNode(reference), null)
  }

  /** The state root. Cheap when it was asked before; else it hashes what changed. */
  root(version: StateVersion): Hash {
    return version.node === null ? ZERO_HASH : hashNode(version.node)
  }

  /**
   * @returns null when the key is not in the state. The bytes are not to be changed.
   * @throws {StateError} `STATE_CORRUPT`, as every method that reads.
   */
  get(version: StateVersion, key: Uint8Array): Uint8Array | null {
    if (version.node === null) return null
    const leaf = findLeaf(this.#cache, version.node, key)
    return equalBytes(leaf.key, key) ? this.#cache.readValue(leaf) : null
  }

  /**
   * A new version; `version` stays as it is. Of two changes of one key the later one holds.
   * Sorted changes are faster when the state is larger than the cache.
   */
  update(version: StateVersion, changes: Iterable<StateChange>): StateVersion {
    const update = new Update(this.#cache, version.node, ++this.#updates)
    for (const { key, value } of changes) {
      assert(isKey(key), `a key has 1 to 512 bytes, not ${key.length}`)
      if (value === null) update.delete(key)
      else {
        assert(
          value.length <= VALUE_BYTES_MAX,
          `a value has at most ${VALUE_BYTES_MAX} bytes, not ${value.length}`,
        )
        update.set(key, value)
      }
    }
    return new StateVersion(update.root, version)
  }

  /** The entries from `start` to before `end` (null: to the last), in key order, read as they are taken. */
  *entries(
    version: StateVersion,
    start: Uint8Array = new Uint8Array(0),
    end: Uint8Array | null = null,
  ): Generator<StateEntry, void, undefined> {
    for (const leaf of leavesOf(this.#cache, version.node, { start, end })) {
      yield { key: leaf.key, value: this.#cache.readValue(leaf) }
    }
  }

  /** Proves the value of a key, or that there is none: for `verifyKey`. */
  prove(version: StateVersion, key: Uint8Array): Uint8Array {
    assert(isKey(key), `a key has 1 to 512 bytes, not ${key.length}`)
    return this.proveRange(version, key, successor(key))
  }

  /**
   * Proves which entries lie from `start` to before `end` (null: to the last): for `verifyRange`. With limits it may
   * stop earlier, after at least one entry, and then says where to go on.
   */
  proveRange(
    version: StateVersion,
    start: Uint8Array,
    end: Uint8Array | null,
    limits: Partial<ProofLimits> = {},
  ): Uint8Array {
    assert(end === null || compareBytes(start, end) < 0, 'the range must hold a key')
    const { entriesMax = Infinity, bytesMax = Infinity } = limits
    return proveNode(this.#cache, version.node, { start, end }, { entriesMax, bytesMax })
  }

  /** The hash over all entries whose keys start with `prefix`; zero when there is none. */
  subtree(version: StateVersion, prefix: Uint8Array): Hash {
    return subtreeOf(this.#cache, version.node, prefix).hash
  }

  /** Proves what `subtree` gives: for `verifySubtree`. */
  proveSubtree(version: StateVersion, prefix: Uint8Array): Uint8Array {
    return subtreeOf(this.#cache, version.node, prefix).proof
  }

  /** Tells the upper part of a subtree: for `readSubtreePart`. @returns null when no key starts so. */
  part(version: StateVersion, place: SubtreePlace, limits: PartLimits): Uint8Array | null {
    return partOf(this.#cache, version.node, place, limits)
  }

  /**
   * Makes `version` the head and says what to write. The versions between the old head and it get no pages of their
   * own: commit them one by one if they are to be kept. Until `written` is called, memory holds what is not written.
   */
  commit(version: StateVersion): StateCommit {
    assert(this.#isFromHead(version), 'a commit must descend from the head')
    this.root(version)
    const commit = commitNode(this.#cache, this.#headPage, version.node, this.#nextId, this.#pageBytesMax)
    version.node = toNode(commit)
    version.origin = null
    this.#head = version
    this.#headPage = commit.rootPage
    this.#nextId = commit.nextId
    return commit
  }

  /** The store can now read all of a commit, and of those before it. @param nextId of that commit. */
  written(nextId: number): void {
    this.#cache.release(nextId)
  }

  #isFromHead(version: StateVersion): boolean {
    let ancestor: StateVersion | null = version
    while (ancestor !== null && ancestor !== this.#head) ancestor = ancestor.origin
    return ancestor !== null
  }
}

function toNode({ rootPage, root }: StateReference): Node | null {
  return rootPage === 0 ? null : new PageReference(rootPage, root)
}
