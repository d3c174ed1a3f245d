/**
 * Terms as canonical N-Quads writes them, taken apart. For what was accepted before: nothing is checked again.
 * @module
 */
import { isSkolem } from './skolem.ts'
import { unescapeText } from './escapes.ts'
import { XSD_STRING } from './lexical.ts'
import type { Statement } from './statement.ts'

const RDF_LANG_STRING = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#langString'
const LITERAL = /^"(.*)"(?:@([a-z0-9-]+)|\^\^<([^>]*)>)?$/s

export type Term =
  | { readonly kind: 'iri' | 'blank'; readonly iri: string }
  | {
      readonly kind: 'literal'
      readonly text: string
      /** Datatype IRI. */
      readonly datatype: string
      /** Null when it has no language tag. */
      readonly language: string | null
    }

/** @param term in canonical form. What was a blank node is `blank`. */
export function parseTerm(term: string): Term {
  const match = LITERAL.exec(term)
  if (match === null) {
    const iri = term.slice(1, -1)
    return { kind: isSkolem(iri) ? 'blank' : 'iri', iri }
  }
  const [, text = '', language = null, datatype = XSD_STRING] = match
  return {
    kind: 'literal',
    text: unescapeText(text),
    datatype: language === null ? datatype : RDF_LANG_STRING,
    language,
  }
}

/** @param text as `statementText` made it. */
export function parseStatement(text: string): Statement {
  const subjectEnd = text.indexOf(' ')
  const predicateEnd = text.indexOf(' ', subjectEnd + 1)
  return {
    subject: text.slice(0, subjectEnd),
    predicate: text.slice(subjectEnd + 1, predicateEnd),
    object: text.slice(predicateEnd + 1),
  }
}
