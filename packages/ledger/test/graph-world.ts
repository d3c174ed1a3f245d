/**
 * Statements at random, and what Oxigraph makes of them.
 * @module
 */
import fc from 'fast-check'
import { Store } from 'oxigraph'
import { statementsOf } from '../src/index.ts'
import type { GraphSource } from '../src/index.ts'
import type { World } from './chain-world.ts'

const XSD = 'http://www.w3.org/2001/XMLSchema#'

const iri = fc
  .tuple(
    fc.constantFrom('http://example.org/', 'urn:x:', 'https://ex\u{e4}mple.net/a?q=', 'tag:a,2020:'),
    fc.string({
      unit: fc.constantFrom('a', 'B', '1', '-', '%20', '\u{e9}', '\u{4e2d}', '(', '~'),
      maxLength: 4,
    }),
  )
  .map(([start, rest]) => `<${start}${rest}>`)

const digits = fc.string({ unit: fc.constantFrom('0', '1', '5', '9'), minLength: 1, maxLength: 22 })
const sign = fc.constantFrom('', '', '-', '+')
const number = fc
  .tuple(sign, digits, fc.option(digits), fc.option(fc.integer({ min: -330, max: 330 })))
  .map(([sign, whole, fraction, exponent]) => ({ sign, whole, fraction, exponent }))
const two = (max: number): fc.Arbitrary<string> => fc.nat(max).map((n) => String(n).padStart(2, '0'))
const year = fc.oneof(
  fc.constantFrom('2000', '1900', '0000', '-0004', '12024', '-0001'),
  fc.integer({ min: 1000, max: 9999 }).map(String),
)
const zone = fc.oneof(
  fc.constantFrom('', 'Z', '+00:00', '-00:00', '+14:00'),
  fc.tuple(two(13), two(59)).map(([h, m]) => `-${h}:${m}`),
)
const fraction = fc.option(digits).map((f) => (f === null ? '' : `.${f}`))
const clock = fc.oneof(
  fc.constantFrom('24:00:00', '24:00:00.00'),
  fc.tuple(two(23), two(59), two(59), fraction).map(([h, m, s, f]) => `${h}:${m}:${s}${f}`),
)
const month = fc.integer({ min: 1, max: 12 }).map((n) => String(n).padStart(2, '0'))
const day = fc.integer({ min: 1, max: 31 }).map((n) => String(n).padStart(2, '0'))
const unit = (name: string): fc.Arbitrary<string> =>
  fc.option(fc.nat(5000)).map((n) => (n === null ? '' : `${n}${name}`))
const duration = fc
  .tuple(
    fc.constantFrom('', '-'),
    unit('Y'),
    unit('M'),
    unit('D'),
    unit('H'),
    unit('M'),
    fc.option(fc.tuple(fc.nat(200), fraction)),
  )
  .map(([sign, y, mo, d, h, mi, s]) => {
    const time = `${h}${mi}${s === null ? '' : `${s[0]}${s[1]}S`}`
    return `${sign}P${y}${mo}${d}${time === '' ? '' : `T${time}`}`
  })

/** Texts of the datatypes that have a canonical form; some of them are none of their datatype. */
export const typed: fc.Arbitrary<readonly [type: string, text: string]> = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      'integer',
      'long',
      'int',
      'byte',
      'nonNegativeInteger',
      'negativeInteger',
      'unsignedByte',
    ),
    fc.tuple(sign, digits).map(([sign, digits]) => sign + digits.slice(0, 5)),
  ),
  fc.tuple(
    fc.constantFrom('decimal', 'integer'),
    number.map(({ sign, whole, fraction }) => `${sign}${whole}${fraction === null ? '' : `.${fraction}`}`),
  ),
  fc.tuple(
    fc.constantFrom('double', 'float'),
    number.map(
      ({ sign, whole, fraction, exponent }) =>
        `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`,
    ),
  ),
  fc.tuple(
    fc.constantFrom('double', 'float'),
    fc.constantFrom('INF', '-INF', '+INF', 'NaN', '-0', '5e-324', '1E400'),
  ),
  fc.tuple(fc.constant('double'), fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)),
  fc.tuple(fc.constant('float'), fc.float({ noNaN: true, noDefaultInfinity: true }).map(String)),
  fc.tuple(fc.constant('boolean'), fc.constantFrom('true', 'false', '1', '0', 'yes')),
  fc.tuple(
    fc.constantFrom('dateTime', 'dateTimeStamp'),
    fc.tuple(year, month, day, clock, zone).map(([y, m, d, t, z]) => `${y}-${m}-${d}T${t}${z}`),
  ),
  fc.tuple(
    fc.constant('date'),
    fc.tuple(year, month, day, zone).map(([y, m, d, z]) => `${y}-${m}-${d}${z}`),
  ),
  fc.tuple(
    fc.constant('time'),
    fc.tuple(clock, zone).map(([t, z]) => t + z),
  ),
  fc.tuple(
    fc.constant('gYear'),
    fc.tuple(year, zone).map(([y, z]) => y + z),
  ),
  fc.tuple(
    fc.constant('gYearMonth'),
    fc.tuple(year, month, zone).map(([y, m, z]) => `${y}-${m}${z}`),
  ),
  fc.tuple(
    fc.constant('gMonthDay'),
    fc.tuple(month, day, zone).map(([m, d, z]) => `--${m}-${d}${z}`),
  ),
  fc.tuple(
    fc.constant('gMonth'),
    fc.tuple(month, zone).map(([m, z]) => `--${m}${z}`),
  ),
  fc.tuple(
    fc.constant('gDay'),
    fc.tuple(day, zone).map(([d, z]) => `---${d}${z}`),
  ),
  fc.tuple(fc.constantFrom('duration', 'yearMonthDuration', 'dayTimeDuration'), duration),
  fc.tuple(fc.constantFrom('string', 'anyURI', 'token'), fc.constantFrom('', 'a', ' 1 ')),
)

const text = fc.string({
  unit: fc.constantFrom(
    'a',
    '\\n',
    '\\"',
    '\\\\',
    '\\u0041',
    '\\U0001F600',
    '\u{1f600}',
    '\t',
    '\\t',
    '\u{7f}',
    '\u{0}',
    "'",
  ),
  maxLength: 5,
})
const language = fc.constantFrom(
  'en',
  'EN',
  'de-CH',
  'zh-hant-tw',
  'x-private',
  'i-klingon',
  'en-a-bbb-x-a',
  'toolongforatag',
)

/** Objects in any form that N-Quads has; not all are valid. */
export const objectInAnyForm: fc.Arbitrary<string> = fc.oneof(
  iri,
  text.map((text) => `"${text}"`),
  fc.tuple(text, language).map(([text, language]) => `"${text}"@${language}`),
  typed.map(([type, text]) => `"${text}"^^<${XSD}${type}>`),
)

/** Statements in any form that N-Quads has, without graph and full stop. */
export const statementInAnyForm: fc.Arbitrary<string> = fc
  .tuple(iri, fc.constantFrom(' ', '\t', '  ', ''), iri, fc.constantFrom(' ', ''), objectInAnyForm)
  .map((parts) => parts.join(''))

/** What Oxigraph holds after it read these lines, as it writes them, in order. @throws when it cannot read them. */
export function oxigraphLines(nquads: string): readonly string[] {
  const store = new Store()
  store.load(nquads, { format: 'application/n-quads' })
  return sortedLines(store.dump({ format: 'application/n-quads' }))
}

export function sortedLines(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .sort()
}

/** Texts of the statements that the state holds in a graph, in order. */
export function textsOf(world: World, graph: string): readonly string[] {
  return [...statementsOf(sourceOf(world), graph)].map(({ text }) => text).sort()
}

export function sourceOf({ tree, state }: World): GraphSource {
  return { get: (key) => tree.get(state, key), entries: (start, end) => tree.entries(state, start, end) }
}
