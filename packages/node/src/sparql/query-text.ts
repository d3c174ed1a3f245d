/**
 * What must be known of a query before it runs: its form, whether it reaches outside, and where a limit of rows goes.
 * Reads tokens and not the grammar: Oxigraph does that. What a token is, is SPARQL 1.1, section 19.
 * @module
 */

export type QueryForm = 'select' | 'ask' | 'construct' | 'describe'

export interface QueryText {
  /** `update` when it would change something; `unknown` when no form stands where one must, which Oxigraph explains. */
  readonly form: QueryForm | 'update' | 'unknown'
  /** It asks another endpoint (SERVICE). */
  readonly asksOutside: boolean
  /** It names its dataset (FROM). */
  readonly namesDataset: boolean
}

interface Token {
  readonly kind: 'word' | 'number' | 'open' | 'close' | 'other'
  /** As written; words in capitals. */
  readonly text: string
  readonly from: number
  /** Braces and parentheses around it. */
  readonly depth: number
}

const FORMS: ReadonlyMap<string, QueryForm> = new Map([
  ['SELECT', 'select'],
  ['ASK', 'ask'],
  ['CONSTRUCT', 'construct'],
  ['DESCRIBE', 'describe'],
])
const UPDATES: ReadonlySet<string> = new Set([
  'INSERT',
  'DELETE',
  'LOAD',
  'CLEAR',
  'CREATE',
  'DROP',
  'COPY',
  'MOVE',
  'ADD',
  'WITH',
])

/** Comments, IRIs, strings, variables, names with a prefix, language tags: all that may hold a word which is none. */
// A string may lack its end: else each quote would be looked for until the end of the text.
const TOKEN = new RegExp(
  [
    String.raw`#[^\n\r]*`,
    String.raw`<[^<>"{}|^${'`'}\\\u0000-\u0020]*>`,
    String.raw`"""(?:[^"\\]|\\.|"(?!""))*(?:""")?`,
    String.raw`'''(?:[^'\\]|\\.|'(?!''))*(?:''')?`,
    String.raw`"(?:[^"\\\n\r]|\\.)*"?`,
    String.raw`'(?:[^'\\\n\r]|\\.)*'?`,
    String.raw`[?$][\p{L}\p{N}_]+`,
    String.raw`@[A-Za-z]+(?:-[A-Za-z0-9]+)*`,
    String.raw`[\p{L}\p{N}_.\-]{0,256}:(?:[\p{L}\p{N}_.:\-]|%[0-9A-Fa-f]{2}|\\.)*`,
    String.raw`(?<word>[\p{L}_][\p{L}\p{N}_]*)`,
    String.raw`(?<number>[0-9]+)`,
    String.raw`(?<open>[{(])`,
    String.raw`(?<close>[})])`,
    String.raw`[^\s]`,
  ].join('|'),
  'gsu',
)

export function readQueryText(query: string): QueryText {
  let form: QueryText['form'] = 'unknown'
  let asksOutside = false
  let namesDataset = false
  for (const { kind, text, depth } of tokensOf(query)) {
    if (kind !== 'word') continue
    if (form === 'unknown' && depth === 0) form = FORMS.get(text) ?? (UPDATES.has(text) ? 'update' : form)
    if (text === 'SERVICE') asksOutside = true
    if (text === 'FROM' && depth === 0) namesDataset = true
  }
  return { form, asksOutside, namesDataset }
}

/**
 * The query, answered by at most `rowsMax` rows. Its own lower limit stays. Queries that construct or describe stay as they
 * are: their limit is of solutions, many of which can give the same statement, so fewer of them could be another answer.
 * @param query one that is well formed; others come back as something that is not well formed either.
 */
export function withLimit(query: string, rowsMax: number): string {
  const { form } = readQueryText(query)
  if (form === 'construct' || form === 'describe') return query
  let hasGroup = false
  let limitAt: Token | null = null
  let afterLimit: Token | null = null
  let valuesAt: number | null = null
  for (const token of tokensOf(query)) {
    if (token.kind === 'close' && token.depth === 0 && token.text === '}') hasGroup = true
    if (limitAt !== null && afterLimit === null) {
      afterLimit = token
      continue
    }
    if (!hasGroup || token.depth > 0 || token.kind !== 'word') continue
    if (token.text === 'LIMIT') limitAt = token
    else if (token.text === 'VALUES' && valuesAt === null) valuesAt = token.from
  }
  if (limitAt !== null) {
    if (afterLimit === null || afterLimit.kind !== 'number' || Number(afterLimit.text) <= rowsMax)
      return query
    const numberEnd = afterLimit.from + afterLimit.text.length
    return `${query.slice(0, afterLimit.from)}${rowsMax}${query.slice(numberEnd)}`
  }
  // On a line of its own: the query may end in a comment.
  const at = valuesAt ?? query.length
  return `${query.slice(0, at)}\nLIMIT ${rowsMax}\n${query.slice(at)}`
}

function* tokensOf(query: string): Generator<Token> {
  let depth = 0
  for (const { 0: text, index: from, groups } of query.matchAll(TOKEN)) {
    if (text.startsWith('#')) continue
    const kind = kindOf(groups!)
    if (kind === 'close') depth = Math.max(0, depth - 1)
    yield { kind, text: kind === 'word' ? text.toUpperCase() : text, from, depth }
    if (kind === 'open') depth++
  }
}

function kindOf({ word, number, open, close }: Readonly<Record<string, string | undefined>>): Token['kind'] {
  if (word !== undefined) return 'word'
  if (number !== undefined) return 'number'
  if (open !== undefined) return 'open'
  return close === undefined ? 'other' : 'close'
}
