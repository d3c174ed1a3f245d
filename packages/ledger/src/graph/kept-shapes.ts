/**
 * The shapes of a graph in the state: the lines that it was made with, whose hash stands in the graph's record.
 * @module
 */
import {
  assert,
  bytesToHex,
  graphShapesKey,
  isZeroHash,
  quadLine,
  readGraphStatements,
  RecentMap,
  sha256,
  statementText,
  utf8ToBytes,
} from '@althing/base'
import type { Hash, Statement } from '@althing/base'
import type { StateReader, StateWriter } from '../pending.ts'
import { readShapes } from './shapes.ts'
import type { ShapeSet } from './shapes.ts'

const REMEMBERED_MAX = 64

/** Read lately, by the hash of their lines: what is kept follows from the key alone. */
const shapesByHash = new RecentMap<string, ShapeSet>(REMEMBERED_MAX)

/** @param shapes that `readShapes` reads. @returns their hash. */
export function writeGate(state: StateWriter, id: Uint8Array, shapes: readonly Statement[]): Hash {
  const lines = utf8ToBytes(shapes.map((shape) => `${quadLine(statementText(shape), null)}\n`).join(''))
  state.put(graphShapesKey(id), lines)
  return sha256(lines)
}

/** @param hash that stands in the graph's record. @returns null when the graph has no gate. */
export function readGate(state: StateReader, id: Uint8Array, hash: Hash): ShapeSet | null {
  if (isZeroHash(hash)) return null
  const hashHex = bytesToHex(hash)
  const known = shapesByHash.get(hashHex)
  if (known !== undefined) return known
  const lines = state.get(graphShapesKey(id))
  assert(lines !== null, 'a graph with a gate has its shapes in the state')
  const statements = readGraphStatements(lines)
  const shapes = statements.ok ? readShapes(statements.value) : statements
  assert(shapes.ok, 'shapes in the state were read when they were put there')
  shapesByHash.set(hashHex, shapes.value)
  return shapes.value
}
