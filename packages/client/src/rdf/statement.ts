/**
 * One line of N-Quads as Oxigraph writes it: taken apart without reading the terms.
 * @module
 */
import { assert } from '@althing/base'

/** Terms as they stand in the line. */
export interface Statement {
  readonly subject: string
  readonly predicate: string
  readonly object: string
  /** Empty in the default graph. */
  readonly graph: string
}

export function splitStatement(line: string): Statement {
  const subjectEnd = termEnd(line, 0)
  const predicateEnd = termEnd(line, subjectEnd + 1)
  const objectEnd = termEnd(line, predicateEnd + 1)
  assert(line.endsWith(' .'), 'a statement ends with a dot')
  return {
    subject: line.slice(0, subjectEnd),
    predicate: line.slice(subjectEnd + 1, predicateEnd),
    object: line.slice(predicateEnd + 1, objectEnd),
    graph: line.slice(objectEnd + 1, -2).trimEnd(),
  }
}

export function joinStatement({ subject, predicate, object, graph }: Statement): string {
  return `${subject} ${predicate} ${object} ${graph === '' ? '' : `${graph} `}.`
}

export function isBlank(term: string): boolean {
  return term.startsWith('_:')
}

/** Where the term that starts at `from` ends: only literals have spaces inside. */
function termEnd(line: string, from: number): number {
  let at = from
  if (line[at] === '"') {
    for (at++; line[at] !== '"'; at++) if (line[at] === '\\') at++
  }
  const end = line.indexOf(' ', at)
  assert(end > from, 'terms are followed by a space')
  return end
}
