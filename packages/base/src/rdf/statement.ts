/**
 * Statements in canonical N-Quads: the reader that decides what enters the graph on chain (PC-5). It reads N-Quads of
 * RDF 1.1, says what the canonical form of a line is, and the strict door takes a line in no other form.
 * N1  one form: a statement that is accepted is the only text of it (escapes, white space, literals, language tags)
 * N2  what it accepts, Oxigraph keeps as it stands: a dump of the store is what was signed
 * N3  work and memory follow the length of the text
 * @module
 */
import { fail, ok } from '../result.ts'
import type { Fault, Result } from '../result.ts'
import { escapeText, unescapeText } from './escapes.ts'
import { isIri } from './iri.ts'
import { isLanguageTag } from './language-tag.ts'
import { canonicalLiteral, XSD_STRING } from './lexical.ts'
import { isSkolem, SKOLEM_FORM, skolemProblem } from './skolem.ts'

/** Of one statement without the graph and the full stop, in UTF-8. */
export const STATEMENT_BYTES_MAX = 16_384

/** Terms as canonical N-Quads writes them: `<iri>`, `"text"`, `"text"@en`, `"text"^^<iri>`. */
export interface Statement {
  readonly subject: string
  readonly predicate: string
  readonly object: string
}

/** A statement and the graph it stands in; null: none is named, which N-Quads calls the default graph. */
export interface Quad extends Statement {
  readonly graph: string | null
}

export type StatementFaultCode =
  | 'QUAD_SYNTAX'
  | 'QUAD_NOT_CANONICAL'
  | 'QUAD_TOO_LARGE'
  | 'QUAD_GRAPH'
  | 'IRI_INVALID'
  | 'LANGUAGE_INVALID'
  | 'LITERAL_INVALID'
  | 'BLANK_NODE'
  | 'SKOLEM_INVALID'

export interface StatementFault extends Fault {
  readonly code: StatementFaultCode
  /** From 1. */
  readonly line: number
  /** From 1, in characters. */
  readonly column: number
  /** The line as it should be; null when nobody can tell. */
  readonly expected: string | null
}

const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'
const UCHAR = String.raw`\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}`
const IRI_REFERENCE = new RegExp(String.raw`<((?:[^\x00-\x20<>"{}|^\x60\\]|${UCHAR})*)>`, 'y')
const STRING = new RegExp(String.raw`"((?:[^"\\\n\r]|\\[tbnrf"'\\]|${UCHAR})*)"`, 'y')
const LANGUAGE = /@([A-Za-z]+(?:-[A-Za-z0-9]+)*)/y
const BLANK = /_:[^\s<>"]+/y
const SPACE = /[ \t]*/y
/** The text that is stored, hashed and proved. */
export function statementText({ subject, predicate, object }: Statement): string {
  return `${subject} ${predicate} ${object}`
}

/** The line of canonical N-Quads, without the line feed. @param graph an IRI term (`<…>`). */
export function quadLine(statement: string, graph: string | null): string {
  return graph === null ? `${statement} .` : `${statement} ${graph} .`
}

/**
 * Reads one line of N-Quads in any form, and gives its terms in canonical form.
 * @param line without its line feed.
 * @param lineNumber for the fault.
 */
export function readQuad(line: string, lineNumber = 1): Result<Quad, StatementFault> {
  return new LineReader(line, lineNumber).quad()
}

/**
 * Reads one line that must be canonical already.
 * @returns `QUAD_NOT_CANONICAL` with the line as it should be, at the first character that differs, and the faults of
 * `readQuad`.
 */
export function readCanonicalQuad(line: string, lineNumber = 1): Result<Quad, StatementFault> {
  const quad = readQuad(line, lineNumber)
  if (!quad.ok) return quad
  const expected = quadLine(statementText(quad.value), quad.value.graph)
  if (line === expected) return quad
  let at = 0
  while (line[at] === expected[at]) at++
  return statementFault(
    'QUAD_NOT_CANONICAL',
    line,
    lineNumber,
    at,
    `expected ${shortenAround(expected, at)}`,
    expected,
  )
}

/** Where in `line` something is wrong, as a fault. @param at in UTF-16 units from the start of the line. */
export function statementFault(
  code: StatementFaultCode,
  line: string,
  lineNumber: number,
  at: number,
  what: string,
  expected: string | null = null,
): { readonly ok: false; readonly fault: StatementFault } {
  const column = Array.from(line.slice(0, at)).length + 1
  const message = `line ${lineNumber}, column ${column}: ${what}`
  return { ok: false, fault: { ...fail(code, message).fault, line: lineNumber, column, expected } }
}

/** Reads a line from the left. After the first thing that is wrong every read gives an empty text. */
class LineReader {
  readonly #line: string
  readonly #lineNumber: number
  #at = 0
  #fault: ReturnType<typeof statementFault> | null = null

  constructor(line: string, lineNumber: number) {
    this.#line = line
    this.#lineNumber = lineNumber
  }

  quad(): Result<Quad, StatementFault> {
    const subject = this.#node('the subject', true)
    const predicate = this.#node('the predicate', false)
    const object = this.#isNext('"') ? this.#literal() : this.#node('the object', true)
    const graph = this.#isNext('.') ? null : this.#node('the graph or a full stop', false)
    if (this.#isNext('.')) this.#at++
    else this.#refuse('QUAD_SYNTAX', this.#at, 'expected a full stop')
    this.#isNext('')
    if (this.#at < this.#line.length) this.#refuse('QUAD_SYNTAX', this.#at, 'expected the end of the line')
    return this.#fault ?? ok({ subject, predicate, object, graph })
  }

  /** Goes over white space. */
  #isNext(character: string): boolean {
    SPACE.lastIndex = this.#at
    SPACE.test(this.#line)
    this.#at = SPACE.lastIndex
    return this.#line.startsWith(character, this.#at)
  }

  #node(what: string, maySkolem: boolean): string {
    if (this.#isNext('_:')) {
      const at = this.#at
      const label = this.#match(BLANK)?.[0] ?? '_:'
      return this.#refuse(
        'BLANK_NODE',
        at,
        `${what} is the blank node ${shorten(label)}; expected ${SKOLEM_FORM}`,
      )
    }
    return this.#iri(what, maySkolem)
  }

  #iri(what: string, maySkolem: boolean): string {
    const start = this.#at
    const match = this.#match(IRI_REFERENCE)
    if (match === null) {
      const isOpen = this.#line.startsWith('<', start)
      const found = isOpen ? 'is not written as an IRI may be' : 'is missing'
      return this.#refuse(
        isOpen ? 'IRI_INVALID' : 'QUAD_SYNTAX',
        start,
        `${what} ${found}; expected <scheme:…>`,
      )
    }
    const iri = this.#unescape(match[1]!, start)
    if (!isIri(iri)) {
      const hint = /^[A-Za-z][A-Za-z0-9+.-]*:/.test(iri) ? 'RFC 3987 allows no such one' : 'it has no scheme'
      return this.#refuse('IRI_INVALID', start, `${what}, <${shorten(iri)}>, is no absolute IRI: ${hint}`)
    }
    if (isSkolem(iri)) {
      const problem = maySkolem ? skolemProblem(iri) : `${what} cannot be a blank node`
      if (problem !== null) return this.#refuse('SKOLEM_INVALID', start, problem)
    }
    return `<${iri}>`
  }

  #literal(): string {
    const start = this.#at
    const match = this.#match(STRING)
    if (match === null)
      return this.#refuse('QUAD_SYNTAX', start, 'the text does not end, or has an escape that is none')
    const text = this.#unescape(match[1]!, start)
    if (this.#line.startsWith('@', this.#at)) {
      const at = this.#at
      const tag = this.#match(LANGUAGE)?.[1]?.toLowerCase() ?? ''
      if (!isLanguageTag(tag) || this.#line.startsWith('-', this.#at)) {
        return this.#refuse('LANGUAGE_INVALID', at, `@${tag} is no well-formed language tag (RFC 5646)`)
      }
      return `"${escapeText(text)}"@${tag}`
    }
    if (!this.#line.startsWith('^^', this.#at)) return `"${escapeText(text)}"`
    this.#at += 2
    const at = this.#at
    const datatype = this.#iri('the datatype', false).slice(1, -1)
    if (datatype === `${RDF}langString` || datatype === `${RDF}dirLangString`) {
      return this.#refuse('LITERAL_INVALID', at, 'this datatype is for texts with a language tag')
    }
    const canonical = canonicalLiteral({ datatype, text })
    if (canonical === null) {
      return this.#refuse('LITERAL_INVALID', start, `"${shorten(text)}" is no ${shorten(datatype)}`)
    }
    const quoted = `"${escapeText(canonical.text)}"`
    return datatype === XSD_STRING ? quoted : `${quoted}^^<${canonical.datatype}>`
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    if (this.#fault !== null) return null
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#line)
    if (match !== null) this.#at = pattern.lastIndex
    return match
  }

  #unescape(text: string, at: number): string {
    const read = unescapeText(text)
    // What stands for an escape of no character is no character of any text that can be written.
    return read.isWellFormed() ? read : this.#refuse('QUAD_SYNTAX', at, 'an escape says no character')
  }

  #refuse(code: StatementFaultCode, at: number, what: string): '' {
    this.#fault ??= statementFault(code, this.#line, this.#lineNumber, at, what)
    return ''
  }
}

const SHOWN_BEFORE = 40
const SHOWN_AFTER = 160

/** The part of a long text that matters, for messages. */
function shortenAround(text: string, at: number): string {
  const start = Math.max(0, at - SHOWN_BEFORE)
  const end = at + SHOWN_AFTER
  return `${start > 0 ? '…' : ''}${text.slice(start, end)}${end < text.length ? '…' : ''}`
}

/** For messages. */
function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}
