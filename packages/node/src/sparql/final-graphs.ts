/**
 * The graphs of the final state, for queries: the newest, and those of heights that are still kept.
 * States on disk are those after commits of one block or several; what single blocks changed is remembered for a while,
 * so that the heights in between can be had too.
 * @module
 */
import { bytesToHex, quadLine, RecentMap, statementText } from '@althing/base'
import type { Header } from '@althing/base'
import { graphsOf, statementsOf } from '@althing/ledger'
import type { GraphChange, StateTree, StateVersion } from '@althing/ledger'
import type { ChainStore } from '../store/types.ts'
import type { GraphReading, GraphSource, IndexedBlock } from './source.ts'

const PIECE_CHARACTERS = 100_000
/** Of changes that are remembered, in characters. */
const REMEMBERED_CHARACTERS_MAX = 67_108_864

export class FinalGraphs implements GraphSource {
  readonly #store: ChainStore
  readonly #tree: StateTree
  readonly #headerAt: (height: number) => Header | null
  readonly #versionsKept: number
  readonly #blocks = new RecentMap<number, IndexedBlock>(REMEMBERED_CHARACTERS_MAX)

  constructor(
    store: ChainStore,
    tree: StateTree,
    headerAt: (height: number) => Header | null,
    versionsKept: number,
  ) {
    this.#store = store
    this.#tree = tree
    this.#headerAt = headerAt
    this.#versionsKept = versionsKept
  }

  get height(): number {
    return this.#store.height
  }

  stateRoot(height: number): string | null {
    const header = this.#headerAt(height)
    return header === null ? null : bytesToHex(header.stateRoot)
  }

  /** Remembers what a final block changed. @returns the same as lines. */
  remember(height: number, changes: readonly GraphChange[]): IndexedBlock {
    const block = { height, ...linesOf(changes) }
    this.#blocks.set(height, block, 1 + block.deleted.length + block.inserted.length)
    return block
  }

  read(height: number): GraphReading | null {
    const blocks: IndexedBlock[] = []
    const lowest = Math.max(0, this.height - this.#versionsKept)
    for (let at = height; at >= lowest; at--) {
      const state = at > this.height ? undefined : this.#store.stateAt(at)
      if (state !== undefined) {
        const statements = this.#statements(this.#tree.open(state))
        return { height: at, statements, blocks: blocks.reverse() }
      }
      const block = this.#blocks.get(at)
      if (block === undefined) return null
      blocks.push(block)
    }
    return null
  }

  *#statements(version: StateVersion): Generator<string> {
    const source = {
      get: (key: Uint8Array) => this.#tree.get(version, key),
      entries: (start: Uint8Array, end: Uint8Array) => this.#tree.entries(version, start, end),
    }
    let piece = ''
    for (const { name } of graphsOf(source)) {
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
