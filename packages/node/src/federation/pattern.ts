/**
 * Patterns of statements: which statements of a graph a query can touch at all. Pure.
 * A set of patterns may match more than the query needs and never less, so every step here may widen one.
 * @module
 */
import { bytesToUtf8, fail, isIri, ok, quadLine, readQuad, utf8ToBytes } from '@althing/base'
import type { Result } from '@althing/base'

/** Terms as canonical N-Quads writes them; null matches every term. */
export interface Pattern {
  readonly subject: string | null
  readonly predicate: string | null
  readonly object: string | null
}

/** Of one question. */
export const PATTERNS_MAX = 1_024

export const EVERYTHING: Pattern = { subject: null, predicate: null, object: null }

/** @returns each once; `EVERYTHING` alone when it is among them, or when there are too many to ask for. */
export function distinctPatterns(patterns: readonly Pattern[]): readonly Pattern[] {
  const byLine = new Map(patterns.map((pattern) => [lineOf(pattern), pattern]))
  const isAll = byLine.has(lineOf(EVERYTHING)) || byLine.size > PATTERNS_MAX
  return isAll ? [EVERYTHING] : [...byLine.values()]
}

export function encodePatterns(patterns: readonly Pattern[]): Uint8Array {
  return utf8ToBytes(patterns.map(lineOf).join('\n'))
}

/** From a peer: each term is read, so that none can be anything else in a query. */
export function decodePatterns(bytes: Uint8Array): Result<readonly Pattern[]> {
  const text = bytesToUtf8(bytes)
  if (text === null) return fail('MALFORMED', 'patterns are not UTF-8')
  const lines = text.split('\n')
  if (lines.length > PATTERNS_MAX)
    return fail('TOO_LARGE', `${lines.length} patterns; at most ${PATTERNS_MAX}`)
  const patterns: Pattern[] = []
  for (const line of lines) {
    const [subject, predicate, object, ...more] = line.split('\t')
    const areTerms =
      object !== undefined && more.length === 0 && isName(subject!) && isName(predicate!) && isObject(object)
    if (!areTerms) return fail('MALFORMED', `not a pattern: ${line.slice(0, 80)}`)
    patterns.push({ subject: subject! || null, predicate: predicate! || null, object: object || null })
  }
  return ok(patterns)
}

/** As the chain writes it; null when the chain has no such term, so that no statement is missed. */
export function objectTerm(text: string): string | null {
  const read = readQuad(quadLine(`<urn:s> <urn:p> ${text}`, null))
  return read.ok ? read.value.object : null
}

/** A query for all statements of a graph that one of the patterns matches, and perhaps others. */
export function matchQuery(graph: string, patterns: readonly Pattern[]): string {
  const groups = new Map<string, Pattern[]>()
  for (const pattern of patterns) {
    const shape = `${pattern.subject === null} ${pattern.object === null} ${pattern.predicate}`
    const group = groups.get(shape)
    if (group === undefined) groups.set(shape, [pattern])
    else group.push(pattern)
  }
  const branches = [...groups.values()].map((group, index) => branchOf(group, index))
  const template = branches.map(({ triple }) => triple).join(' ')
  const union = branches.map(({ text }) => `{ ${text} }`).join(' UNION ')
  return `CONSTRUCT { ${template} } WHERE { GRAPH <${graph}> { ${union} } }`
}

/** Of patterns with one predicate that bind the same places. A triple of constants only would always be constructed. */
function branchOf(
  group: readonly Pattern[],
  index: number,
): { readonly triple: string; readonly text: string } {
  const { subject, predicate, object } = group[0]!
  const triple = `?s${index} ${predicate ?? `?p${index}`} ?o${index} .`
  const subjects =
    subject === null
      ? ''
      : valuesOf(
          `?s${index}`,
          group.map((each) => each.subject!),
        )
  const isWide = subject === null && object !== null
  const objects = isWide
    ? valuesOf(
        `?o${index}`,
        group.map((each) => each.object!),
      )
    : ''
  return { triple, text: `${subjects} ${objects} ${triple}` }
}

function valuesOf(variable: string, terms: readonly string[]): string {
  return `VALUES ${variable} { ${[...new Set(terms)].join(' ')} }`
}

function lineOf({ subject, predicate, object }: Pattern): string {
  return [subject, predicate, object].map((term) => term ?? '').join('\t')
}

function isName(text: string): boolean {
  return text === '' || (text.startsWith('<') && text.endsWith('>') && isIri(text.slice(1, -1)))
}

function isObject(text: string): boolean {
  return text === '' || objectTerm(text) === text
}
