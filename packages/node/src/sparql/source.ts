/**
 * Where the copies for queries come from: the final state, which is authoritative. A copy can be lost at any time.
 * @module
 */

/** What a final block changed, as lines of N-Quads. The deleted were there, the inserted were not. */
export interface IndexedBlock {
  readonly height: number
  readonly deleted: string
  readonly inserted: string
}

/** All statements after some block, and what the blocks after that one changed, up to the height that was asked for. */
export interface GraphReading {
  readonly height: number
  /** Pieces of some 100 KB of N-Quads lines. To be read while the state is kept. */
  readonly statements: Iterable<string>
  readonly blocks: readonly IndexedBlock[]
  /** Graphs that are there, whether or not they have statements here. */
  readonly names?: readonly string[]
}

export interface GraphSource {
  /** Of the newest final block. */
  readonly height: number
  /** @returns null when the state of that height cannot be had (any more). */
  read(height: number): GraphReading | null
  /** Whether nothing changed between two heights in what `read` gives. False when that is not known. */
  isSame(height: number, other: number): boolean
  /** Root of the state after block `height`, in hexadecimal digits. @returns null when there is no such block. */
  stateRoot(height: number): string | null
}
