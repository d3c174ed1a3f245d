/**
 * In which form an answer is given: the media type that the request likes best of those there are.
 * @module
 */
import type { QueryForm } from './query-text.ts'

const SOLUTIONS = [
  'application/sparql-results+json',
  'application/sparql-results+xml',
  'text/csv',
  'text/tab-separated-values',
] as const
const TRIPLES = [
  'text/turtle',
  'application/n-triples',
  'application/n-quads',
  'application/trig',
  'application/ld+json',
  'application/rdf+xml',
] as const
const TRUTHS = [...SOLUTIONS] as const

/** What is asked for under another name. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['application/json', 'application/sparql-results+json'],
  ['application/xml', 'application/sparql-results+xml'],
  ['text/xml', 'application/sparql-results+xml'],
])
const TRIPLE_ALIASES: ReadonlyMap<string, string> = new Map([
  ['application/json', 'application/ld+json'],
  ['application/xml', 'application/rdf+xml'],
  ['text/xml', 'application/rdf+xml'],
  ['application/x-turtle', 'text/turtle'],
])

export function mediaTypesOf(form: QueryForm): readonly string[] {
  if (form === 'construct' || form === 'describe') return TRIPLES
  return form === 'ask' ? TRUTHS : SOLUTIONS
}

/**
 * @param accept of the request; all types are as good when it is empty.
 * @returns null when none of the types that there are is acceptable.
 */
export function chooseMediaType(form: QueryForm, accept: string): string | null {
  const types = mediaTypesOf(form)
  const aliases = form === 'construct' || form === 'describe' ? TRIPLE_ALIASES : ALIASES
  const ranges = readAccept(accept)
  if (ranges.length === 0) return types[0]!
  let best: string | null = null
  let bestQuality = 0
  for (const type of types) {
    const quality = qualityOf(type, ranges, aliases)
    if (quality > bestQuality) {
      best = type
      bestQuality = quality
    }
  }
  return best
}

interface MediaRange {
  readonly type: string
  readonly quality: number
}

/** RFC 9110, section 12.5.1. Parts that make no sense are left aside. */
function readAccept(accept: string): MediaRange[] {
  const ranges: MediaRange[] = []
  for (const part of accept.split(',')) {
    const [type = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase())
    if (!/^[^\s/]+\/[^\s/]+$/.test(type)) continue
    const weight = parameters.find((each) => each.startsWith('q='))
    const quality = weight === undefined ? 1 : Number(weight.slice(2))
    ranges.push({ type, quality: quality >= 0 && quality <= 1 ? quality : 0 })
  }
  return ranges
}

/** Of the most exact range that the type is in. */
function qualityOf(
  type: string,
  ranges: readonly MediaRange[],
  aliases: ReadonlyMap<string, string>,
): number {
  const exact = ranges.find((range) => range.type === type)
  if (exact !== undefined) return exact.quality
  const alias = ranges.find((range) => aliases.get(range.type) === type)
  if (alias !== undefined) return alias.quality
  const family = `${type.split('/')[0]}/*`
  const range = ranges.find((each) => each.type === family) ?? ranges.find((each) => each.type === '*/*')
  return range?.quality ?? 0
}
