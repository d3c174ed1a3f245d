/**
 * RDF datasets as key-value entries: one key per resource, its statements as the value.
 * The key is the subject's IRI, the value its statements as N-Quads lines, in the order of the files.
 * Blank-node labels mean something within one file only: `_:b0` of `prov.nq` becomes `_:prov.b0`, in keys and in
 * statements, so that files can be merged.
 * This reads the line form of N-Quads (RDF 1.1 N-Quads, section 2) and passes terms on as they are written; it does not
 * check IRIs, escapes or language tags.
 * @module
 */
import { KV_KEY_BYTES_MAX, KV_VALUE_BYTES_MAX, utf8ToBytes } from '@althing/base'

export interface Entry {
  readonly key: string
  readonly value: string
}

export interface NQuadsFile {
  /** Qualifies the blank nodes; letters and digits. */
  readonly name: string
  readonly text: string
}

export class DatasetError extends Error {
  override readonly name = 'DatasetError'
  readonly code: 'DATASET_INVALID'

  constructor(message: string) {
    super(message)
    this.code = 'DATASET_INVALID'
  }
}

export interface Resources {
  readonly entries: readonly Entry[]
  /** Statements of all entries together. */
  readonly statements: number
}

const IRI = String.raw`<[^<>"\s]*>`
const BLANK = String.raw`_:[^\s<>"]+`
const LITERAL = String.raw`"(?:[^"\\]|\\.)*"(?:@[A-Za-z0-9-]+|\^\^${IRI})?`
const STATEMENT = new RegExp(
  String.raw`^\s*(${IRI}|${BLANK})\s+(${IRI})\s+(${IRI}|${BLANK}|${LITERAL})(?:\s+(${IRI}|${BLANK}))?\s*\.\s*$`,
)

/** @throws {DatasetError} with file and line. */
export function resourcesOf(files: readonly NQuadsFile[]): Resources {
  const linesByKey = new Map<string, string[]>()
  let statements = 0
  for (const { name, text } of files) {
    for (const [index, line] of text.split('\n').entries()) {
      if (line.trim() === '' || line.startsWith('#')) continue
      const match = STATEMENT.exec(line)
      if (match === null)
        throw new DatasetError(`${name}, line ${index + 1} is not an N-Quads statement: ${line.slice(0, 80)}`)
      const terms = match
        .slice(1)
        .filter((term) => term !== undefined)
        .map((term) => qualify(term, name))
      const key = keyOf(terms[0]!)
      const lines = linesByKey.get(key)
      const statement = `${terms.join(' ')} .`
      if (lines === undefined) linesByKey.set(key, [statement])
      else lines.push(statement)
      statements++
    }
  }
  return { entries: [...linesByKey].map(([key, lines]) => entryOf(key, lines)), statements }
}

function qualify(term: string, name: string): string {
  return term.startsWith('_:') ? `_:${name}.${term.slice(2)}` : term
}

function keyOf(subject: string): string {
  return subject.startsWith('<') ? subject.slice(1, -1) : subject
}

function entryOf(key: string, lines: readonly string[]): Entry {
  const value = `${lines.join('\n')}\n`
  const keyBytes = utf8ToBytes(key).length
  if (keyBytes > KV_KEY_BYTES_MAX) {
    throw new DatasetError(
      `the resource ${key} has a name of ${keyBytes} bytes; a key has at most ${KV_KEY_BYTES_MAX}`,
    )
  }
  const valueBytes = utf8ToBytes(value).length
  if (valueBytes > KV_VALUE_BYTES_MAX) {
    throw new DatasetError(
      `the statements of ${key} are ${valueBytes} bytes; a value has at most ${KV_VALUE_BYTES_MAX}`,
    )
  }
  return { key, value }
}
