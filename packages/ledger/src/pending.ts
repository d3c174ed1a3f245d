/**
 * What the ledger asks of a state tree, and the changes that gather over one state while a block is executed.
 * Pure. Two layers: what transactions of this block have done so far, and what the current one is about to do.
 * @module
 */
import { compareBytes, prefixEnd, SUBJECT_PREFIX_BYTES } from '@althing/base'
import type { Hash } from '@althing/base'
import type { StateChange, StateEntry } from './tree/index.ts'

/** @typeParam State an immutable state; keeping one costs what differs from the others kept. */
export interface LedgerTree<State> {
  root(state: State): Hash
  /** @returns null when the key is not in the state. The bytes are not to be changed. */
  get(state: State, key: Uint8Array): Uint8Array | null
  /** @param changes in strictly ascending order of their keys; removing an absent key is no change. */
  update(state: State, changes: readonly StateChange[]): State
  /** The entries from `start` to before `end`, in key order. */
  entries(state: State, start: Uint8Array, end: Uint8Array): Iterable<StateEntry>
}

export interface StateReader {
  /** @returns null when the key is not in the state. The bytes are not to be changed. */
  get(key: Uint8Array): Uint8Array | null
}

export interface StateWriter extends StateReader {
  /**
   * The entries whose keys start with `prefix`, which has SUBJECT_PREFIX_BYTES bytes, in key order.
   * @param entriesMax so many at most: when there are more, some of them.
   */
  group(prefix: Uint8Array, entriesMax: number): readonly StateEntry[]
  /** Keys and values are kept as they are: not to be changed afterwards. */
  put(key: Uint8Array, value: Uint8Array): void
  /** Does nothing when the key is not in the state. */
  delete(key: Uint8Array): void
}

export class PendingChanges<State> implements StateWriter {
  readonly #tree: LedgerTree<State>
  readonly #state: State
  readonly #ofBlock = new Map<string, StateChange>()
  readonly #ofTransaction = new Map<string, StateChange>()
  /** Keys written in this block, by their group; null until a group is asked for. */
  #groups: Map<string, Set<string>> | null = null

  constructor(tree: LedgerTree<State>, state: State) {
    this.#tree = tree
    this.#state = state
  }

  get(key: Uint8Array): Uint8Array | null {
    const text = mapKey(key)
    const change = this.#ofTransaction.get(text) ?? this.#ofBlock.get(text)
    return change === undefined ? this.#tree.get(this.#state, key) : change.value
  }

  group(prefix: Uint8Array, entriesMax: number): readonly StateEntry[] {
    const written = this.#written().get(mapKey(prefix)) ?? NOTHING_WRITTEN
    const entries: StateEntry[] = []
    for (const entry of this.#tree.entries(this.#state, prefix, prefixEnd(prefix))) {
      // As many may have been deleted since as were written.
      if (entries.length === entriesMax + written.size) break
      entries.push(entry)
    }
    const changes: StateChange[] = []
    for (const text of written) {
      const change = this.#ofTransaction.get(text) ?? this.#ofBlock.get(text)
      if (change !== undefined) changes.push(change)
    }
    return (changes.length === 0 ? entries : overlay(entries, changes)).slice(0, entriesMax)
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#write({ key, value })
  }

  delete(key: Uint8Array): void {
    this.#write({ key, value: null })
  }

  /** What was done since the last `keep` or `discard` stays. */
  keep(): void {
    for (const [text, change] of this.#ofTransaction) this.#ofBlock.set(text, change)
    this.#ofTransaction.clear()
  }

  /** What was done since the last `keep` or `discard` is undone. */
  discard(): void {
    this.#ofTransaction.clear()
  }

  /** The state with what was kept: an object of its own also when that is nothing, so that it stands for its block. */
  apply(): State {
    return this.#tree.update(this.#state, this.changes())
  }

  /** What was kept, in key order. */
  changes(): readonly StateChange[] {
    const sorted = [...this.#ofBlock].sort(([a], [b]) => (a < b ? -1 : 1))
    return sorted.map(([, change]) => change)
  }

  #write(change: StateChange): void {
    const text = mapKey(change.key)
    this.#ofTransaction.set(text, change)
    if (this.#groups !== null) noteGroup(this.#groups, text)
  }

  #written(): Map<string, Set<string>> {
    if (this.#groups === null) {
      this.#groups = new Map()
      for (const text of [...this.#ofBlock.keys(), ...this.#ofTransaction.keys()])
        noteGroup(this.#groups, text)
    }
    return this.#groups
  }
}

const NOTHING_WRITTEN: ReadonlySet<string> = new Set()

function noteGroup(groups: Map<string, Set<string>>, text: string): void {
  if (text.length <= SUBJECT_PREFIX_BYTES) return
  const group = text.slice(0, SUBJECT_PREFIX_BYTES)
  const keys = groups.get(group)
  if (keys === undefined) groups.set(group, new Set([text]))
  else keys.add(text)
}

function overlay(entries: readonly StateEntry[], changes: readonly StateChange[]): readonly StateEntry[] {
  const byKey = new Map(entries.map((entry) => [mapKey(entry.key), entry]))
  for (const { key, value } of changes) {
    if (value === null) byKey.delete(mapKey(key))
    else byKey.set(mapKey(key), { key, value })
  }
  return [...byKey.values()].sort((a, b) => compareBytes(a.key, b.key))
}

/** One character a byte, so that strings have the order of the bytes. `apply`: spreading takes six times as long. */
function mapKey(key: Uint8Array): string {
  return String.fromCharCode.apply(null, key as unknown as number[])
}
