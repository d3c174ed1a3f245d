/**
 * The graphs of the final state, for queries: the newest, and those of heights that are still kept.
 * States on disk are those after commits of one block or several; what single blocks changed is remembered for a while,
 * so that the heights in between can be had too.
 * @module
 */
import { bytesToHex, quadLine, RecentMap, statementText } from '@althing/base'
import type { Header } from '@althing/base'
import { graphsOf, statementsOf } from '@althing/ledger'
import type { GraphChange, GraphSource as StateSource, StateTree, StateVersion } from '@althing/ledger'
import type { ChainStore } from '../store/types.ts'
import { GraphState } from './graph-state.ts'
import type { GraphReading, GraphSource, IndexedBlock } from './source.ts'

const PIECE_CHARACTERS = 100_000
/** Of changes that are remembered, in characters. */
const REMEMBERED_CHARACTERS_MAX = 67_108_864
const ROOTS_REMEMBERED_MAX = 1_024

export class FinalGraphs implements GraphSource {
  readonly #store: ChainStore
  readonly #tree: StateTree
  readonly #headerAt: (height: number) => Header | null
  readonly #versionsKept: number
  readonly #hold: ReadonlySet<string> | null
  /** Asked for with each query: else a block of up to a megabyte would be read for one hash. */
  readonly #rootByHeight = new RecentMap<number, string>(ROOTS_REMEMBERED_MAX)
  readonly #blocks = new RecentMap<number, RememberedBlock>(REMEMBERED_CHARACTERS_MAX)

  /** @param hold graphs whose statements are read; null: all. */
  constructor(
    store: ChainStore,
    tree: StateTree,
    headerAt: (height: number) => Header | null,
    versionsKept: number,
    hold: ReadonlySet<string> | null = null,
  ) {
    this.#store = store
    this.#tree = tree
    this.#headerAt = headerAt
    this.#versionsKept = versionsKept
    this.#hold = hold
  }

  holds(graph: string): boolean {
    return this.#hold === null || this.#hold.has(graph)
  }

  /** False when some graphs are left out. */
  get holdsAll(): boolean {
    return this.#hold === null
  }

  get height(): number {
    return this.#store.height
  }

  stateRoot(height: number): string | null {
    const known = this.#rootByHeight.get(height)
    if (known !== undefined) return known
    const header = this.#headerAt(height)
    if (header === null) return null
    const root = bytesToHex(header.stateRoot)
    this.#rootByHeight.set(height, root)
    return root
  }

  /** Remembers what a final block changed. @returns the same as lines, of the graphs that are held. */
  remember(height: number, changes: readonly GraphChange[]): IndexedBlock {
    const all = { height, ...linesOf(changes) }
    const held =
      this.#hold === null ? all : { height, ...linesOf(changes.filter(({ graph }) => this.holds(graph))) }
    this.#blocks.set(height, { all, held }, 1 + all.deleted.length + all.inserted.length)
    return held
  }

  read(height: number): GraphReading | null {
    const base = this.#base(height)
    if (base === null) return null
    const blocks = base.blocks.map(({ held }) => held)
    return { height: base.height, statements: this.#statements(base.version), blocks }
  }

  isSame(height: number, other: number): boolean {
    for (let at = Math.min(height, other) + 1; at <= Math.max(height, other); at++) {
      const held = this.#blocks.get(at)?.held
      if (held === undefined || held.deleted !== '' || held.inserted !== '') return false
    }
    return true
  }

  /** What the blocks after `from`, up to `to`, changed in all graphs; null when it is not remembered. */
  changes(from: number, to: number): readonly IndexedBlock[] | null {
    const blocks: IndexedBlock[] = []
    for (let at = from + 1; at <= to; at++) {
      const block = this.#blocks.get(at)
      if (block === undefined) return null
      blocks.push(block.all)
    }
    return blocks
  }

  /** As `changes`, of the graphs that are held. */
  heldChanges(from: number, to: number): readonly IndexedBlock[] | null {
    const blocks: IndexedBlock[] = []
    for (let at = from + 1; at <= to; at++) {
      const block = this.#blocks.get(at)
      if (block === undefined) return null
      blocks.push(block.held)
    }
    return blocks
  }

  /** IRIs of the graphs that are held and have statements after block `height`; none when that state is gone. */
  names(height: number): readonly string[] {
    return (
      this.stateOf(height)
        ?.graphs()
        .filter((name) => this.holds(name)) ?? []
    )
  }

  /** The state after block `height`, of all graphs. @returns null when it cannot be had (any more). */
  stateOf(height: number): GraphState | null {
    const base = this.#base(height)
    return (
      base &&
      new GraphState(
        this.#sourceOf(base.version),
        base.blocks.map(({ all }) => all),
      )
    )
  }

  /** The newest state on disk up to `height`, and the blocks after it. */
  #base(height: number): {
    readonly height: number
    readonly version: StateVersion
    readonly blocks: readonly RememberedBlock[]
  } | null {
    const blocks: RememberedBlock[] = []
    const lowest = Math.max(0, this.height - this.#versionsKept)
    for (let at = height; at >= lowest; at--) {
      const state = at > this.height ? undefined : this.#store.stateAt(at)
      if (state !== undefined)
        return { height: at, version: this.#tree.open(state), blocks: blocks.reverse() }
      const block = this.#blocks.get(at)
      if (block === undefined) return null
      blocks.push(block)
    }
    return null
  }

  #sourceOf(version: StateVersion): StateSource {
    return {
      get: (key) => this.#tree.get(version, key),
      entries: (start, end) => this.#tree.entries(version, start, end),
    }
  }

  *#statements(version: StateVersion): Generator<string> {
    const source = this.#sourceOf(version)
    let piece = ''
    for (const { name } of graphsOf(source)) {
      if (!this.holds(name)) continue
      for (const { text } of statementsOf(source, name)) {
        piece += `${quadLine(text, `<${name}>`)}\n`
        if (piece.length < PIECE_CHARACTERS) continue
        yield piece
        piece = ''
      }
    }
    if (piece !== '') yield piece
  }
}

interface RememberedBlock {
  /** Of all graphs. */
  readonly all: IndexedBlock
  /** Of those that are held. */
  readonly held: IndexedBlock
}

/** What is there after all changes and was not before, and the other way round. */
function linesOf(changes: readonly GraphChange[]): { readonly deleted: string; readonly inserted: string } {
  const kindByLine = new Map<string, GraphChange['kind']>()
  for (const { kind, graph, statement } of changes) {
    const line = quadLine(statementText(statement), `<${graph}>`)
    // Of one statement insertions and deletions take turns: two in a row cancel out.
    if (kindByLine.has(line)) kindByLine.delete(line)
    else kindByLine.set(line, kind)
  }
  let deleted = ''
  let inserted = ''
  for (const [line, kind] of kindByLine) {
    if (kind === 'deleted') deleted += `${line}\n`
    else inserted += `${line}\n`
  }
  return { deleted, inserted }
}
