/**
 * Which texts are IRIs as RDF wants them: RFC 3987 with a scheme, as they stand, without relative ones. Nothing is
 * normalised: two IRIs are the same when their characters are. Every check is one pass over the text.
 * @module
 */

const UCS = String.raw`\u{A0}-\u{D7FF}\u{F900}-\u{FDCF}\u{FDF0}-\u{FFEF}${planes(1, 13)}\u{E1000}-\u{EFFFD}`
const PRIVATE = String.raw`\u{E000}-\u{F8FF}\u{F0000}-\u{FFFFD}\u{100000}-\u{10FFFD}`
const NAME = String.raw`A-Za-z0-9._~${UCS}!$&'()*+,;=\-`
const PERCENT = '%[0-9A-Fa-f]{2}'

const IRI = new RegExp(
  '^[A-Za-z][A-Za-z0-9+.\\-]*:' +
    `(?://(?:(?:[${NAME}:]|${PERCENT})*@)?(?:\\[([^\\]]*)\\]|(?:[${NAME}]|${PERCENT})*)(?::[0-9]*)?(?=[/?#]|$)|(?!//))` +
    `(?:[${NAME}:@/]|${PERCENT})*` +
    `(?:\\?(?:[${NAME}:@/?${PRIVATE}]|${PERCENT})*)?` +
    `(?:#(?:[${NAME}:@/?]|${PERCENT})*)?$`,
  'u',
)
const IP_FUTURE = /^[vV][0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+$/
const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/
const IPV6_GROUP = /^[0-9A-Fa-f]{1,4}$/

/** Whether `text` is an absolute IRI (RFC 3987, with a fragment or without). */
export function isIri(text: string): boolean {
  const match = IRI.exec(text)
  if (match === null) return false
  const literal = match[1]
  return literal === undefined || isIpv6(literal) || IP_FUTURE.test(literal)
}

/** RFC 3986, section 3.2.2. */
function isIpv6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  let groups = 0
  for (const [index, half] of halves.entries()) {
    const parts = half === '' ? [] : half.split(':')
    const last = parts.at(-1)
    const endsInIpv4 = index === halves.length - 1 && last !== undefined && IPV4.test(last)
    if (endsInIpv4) parts.pop()
    if (!parts.every((part) => IPV6_GROUP.test(part))) return false
    groups += parts.length + (endsInIpv4 ? 2 : 0)
  }
  return halves.length === 2 ? groups <= 7 : groups === 8
}

/** The character ranges of whole planes, without the last two characters of each. */
function planes(first: number, last: number): string {
  let ranges = ''
  for (let plane = first; plane <= last; plane++) {
    const hex = plane.toString(16)
    ranges += `\\u{${hex}0000}-\\u{${hex}FFFD}`
  }
  return ranges
}
