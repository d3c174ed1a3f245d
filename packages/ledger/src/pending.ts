/**
 * What the ledger asks of a state tree, and the changes that gather over one state while a block is executed.
 * Pure. Two layers: what transactions of this block have done so far, and what the current one is about to do.
 * @module
 */
import type { Hash } from '@althing/base'
import type { StateChange } from './tree/index.ts'

/** @typeParam State an immutable state; keeping one costs what differs from the others kept. */
export interface LedgerTree<State> {
  root(state: State): Hash
  /** @returns null when the key is not in the state. The bytes are not to be changed. */
  get(state: State, key: Uint8Array): Uint8Array | null
  /** @param changes in strictly ascending order of their keys; removing an absent key is no change. */
  update(state: State, changes: readonly StateChange[]): State
}

export interface StateReader {
  /** @returns null when the key is not in the state. The bytes are not to be changed. */
  get(key: Uint8Array): Uint8Array | null
}

export interface StateWriter extends StateReader {
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

  constructor(tree: LedgerTree<State>, state: State) {
    this.#tree = tree
    this.#state = state
  }

  get(key: Uint8Array): Uint8Array | null {
    const text = mapKey(key)
    const change = this.#ofTransaction.get(text) ?? this.#ofBlock.get(text)
    return change === undefined ? this.#tree.get(this.#state, key) : change.value
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#ofTransaction.set(mapKey(key), { key, value })
  }

  delete(key: Uint8Array): void {
    this.#ofTransaction.set(mapKey(key), { key, value: null })
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

  /** The state with what was kept. */
  apply(): State {
    if (this.#ofBlock.size === 0) return this.#state
    const sorted = [...this.#ofBlock].sort(([a], [b]) => (a < b ? -1 : 1))
    return this.#tree.update(
      this.#state,
      sorted.map(([, change]) => change),
    )
  }
}

/** One character a byte, so that strings have the order of the bytes. `apply`: spreading takes six times as long. */
function mapKey(key: Uint8Array): string {
  return String.fromCharCode.apply(null, key as unknown as number[])
}
