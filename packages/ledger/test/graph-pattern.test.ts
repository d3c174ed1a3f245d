import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { compareTerms } from '../src/graph/compare.ts'
import { Pattern } from '../src/graph/pattern.ts'

const XSD = 'http://www.w3.org/2001/XMLSchema#'

const source = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      '.',
      '^',
      '$',
      '(',
      ')',
      '(?:',
      '|',
      '*',
      '+',
      '?',
      '{2}',
      '{1,}',
      '{0,2}',
      '[ab]',
      '[^a-b]',
      '\\d',
      '\\W',
      '\\.',
      '[\\s-]',
      '\u{1f600}',
    ),
    {
      maxLength: 10,
    },
  )
  .map((parts) => parts.join(''))
const text = fc.string({
  unit: fc.constantFrom('a', 'b', '1', ' ', '-', '.', '\n', '\u{1f600}'),
  maxLength: 8,
})

suite('patterns of shapes (PC-6)', () => {
  test('a pattern of the subset matches what it matches in JavaScript', () => {
    let parsed = 0
    fc.assert(
      fc.property(source, fc.array(text, { minLength: 1, maxLength: 6 }), (source, texts) => {
        const pattern = Pattern.parse(source)
        if (pattern === null) return
        parsed++
        const expected = new RegExp(source, 'u')
        // JavaScript reads two more characters as ends of lines.
        for (const text of texts)
          assert.equal(pattern.matches(text), expected.test(text), `${source} of ${text}`)
      }),
      { numRuns: 2000 },
    )
    assert.ok(parsed > 200)
  })

  const refused = [
    '(',
    ')',
    'a**',
    'a+?',
    'a{2',
    'a{3,2}',
    'a{257}',
    '(?=a)',
    '(?<n>a)',
    '\\1',
    '\\p{L}',
    '[',
    '[]',
    '[b-a]',
    '[a-z-[b]]',
    '^*',
    '\\',
    'a{200}{2}',
    '(a{200}){6}',
    '('.repeat(40) + ')'.repeat(40),
  ]
  for (const source of refused) {
    test(`refused: ${source}`, () => assert.equal(Pattern.parse(source), null))
  }

  test('what takes a matcher that goes back for ever takes this one a moment', () => {
    const pattern = Pattern.parse('^(a|a|aa)*(a*)*$')
    assert.ok(pattern !== null)
    assert.equal(pattern.matches(`${'a'.repeat(2000)}b`), false)
    assert.ok(pattern.cost(2001) < 50_000)
  })
})

suite('the order of literals', () => {
  const typed = (text: string, type: string): string => `"${text}"^^<${XSD}${type}>`
  const cases: readonly (readonly [a: string, b: string, order: number | null])[] = [
    [typed('9007199254740993', 'integer'), typed('9007199254740992.5', 'decimal'), 1],
    [typed('-1.5', 'decimal'), typed('-1.25', 'decimal'), -1],
    [typed('0', 'integer'), typed('-0', 'double'), 0],
    [typed('INF', 'double'), typed('INF', 'double'), 0],
    [typed('NaN', 'double'), typed('1', 'integer'), null],
    [typed('2020-01-01T00:00:00Z', 'dateTime'), typed('2019-12-31T23:00:00-02:00', 'dateTime'), -1],
    [typed('2020-01-01T00:00:00.25', 'dateTime'), typed('2020-01-01T00:00:00.3', 'dateTime'), -1],
    [typed('-0004-02-29', 'date'), typed('-0004-03-01', 'date'), -1],
    [typed('12020-01-01', 'date'), typed('2020-01-01', 'date'), 1],
    [typed('2020-01-01', 'date'), typed('2020-01-01Z', 'date'), null],
    [typed('2020-01-01', 'date'), typed('2020-01-01T00:00:00', 'dateTime'), null],
    ['"1"', typed('1', 'integer'), null],
    ['<urn:a>', typed('1', 'integer'), null],
  ]
  for (const [a, b, order] of cases) {
    test(`${a} and ${b}: ${order}`, () => {
      const sign = (value: number | null): number | null => (value === null ? null : Math.sign(value) + 0)
      assert.equal(sign(compareTerms(a, b)), order)
      assert.equal(sign(compareTerms(b, a)), order === null ? null : 0 - order)
    })
  }

  test('dates in the order of days', () => {
    const date = fc.date({
      min: new Date('0001-01-02T00:00:00Z'),
      max: new Date('9998-12-31T00:00:00Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(date, date, (a, b) => {
        const term = (at: Date): string => typed(at.toISOString().replace(/\.?0*Z$/, 'Z'), 'dateTime')
        assert.equal(
          Math.sign(compareTerms(term(a), term(b)) ?? Number.NaN),
          Math.sign(a.getTime() - b.getTime()),
        )
      }),
    )
  })
})
