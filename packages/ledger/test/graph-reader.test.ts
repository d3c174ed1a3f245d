import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { quadLine, readCanonicalQuad, readQuad, statementText } from '@althing/base'
import fc from 'fast-check'
import { oxigraphLines, statementInAnyForm } from './graph-world.ts'

const XSD = 'http://www.w3.org/2001/XMLSchema#'
const line = (object: string): string => `<http://a/s> <http://a/p> ${object} .`

suite('what enters the graph is what a store gives back (PC-5)', () => {
  test('the canonical form of a statement is accepted, and Oxigraph writes it just so', () => {
    fc.assert(
      fc.property(
        statementInAnyForm,
        fc.constantFrom(' .', '.', ' <http://a/g> .', '<http://a/g>\t.'),
        (text, end) => {
          const read = readQuad(text + end)
          if (!read.ok) return
          const canonical = quadLine(statementText(read.value), read.value.graph)
          assert.deepEqual(readCanonicalQuad(canonical), read)
          assert.deepEqual(oxigraphLines(canonical), [canonical])
          const [kept = ''] = oxigraphLines(text + end)
          assert.deepEqual(readQuad(kept), read)
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('a line in any other form is refused with the form that it should have, and that form is accepted', () => {
    let refused = 0
    fc.assert(
      fc.property(statementInAnyForm, (text) => {
        const read = readCanonicalQuad(`${text} .`)
        if (read.ok || read.fault.expected === null) return
        assert.equal(read.fault.code, 'QUAD_NOT_CANONICAL')
        assert.notEqual(read.fault.expected, `${text} .`)
        assert.ok(readCanonicalQuad(read.fault.expected).ok)
        assert.deepEqual(oxigraphLines(read.fault.expected), [read.fault.expected])
        refused++
      }),
      { numRuns: 1000 },
    )
    assert.ok(refused > 100)
  })

  test('what Oxigraph cannot read is refused', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(
            '<',
            '>',
            'a',
            ':',
            '/',
            '"',
            '@',
            '^',
            '_',
            ' ',
            '\\',
            '%',
            '[',
            '#',
            '\u{e000}',
          ),
          maxLength: 9,
        }),
        (object) => {
          try {
            oxigraphLines(line(object))
          } catch {
            assert.equal(readQuad(line(object)).ok, false)
          }
        },
      ),
      { numRuns: 3000 },
    )
  })

  const forms: readonly (readonly [object: string, expected: string])[] = [
    [`"01"^^<${XSD}integer>`, `"1"^^<${XSD}integer>`],
    [`"-0"^^<${XSD}integer>`, `"0"^^<${XSD}integer>`],
    [`"7"^^<${XSD}unsignedByte>`, `"7"^^<${XSD}integer>`],
    [`"1.00"^^<${XSD}decimal>`, `"1"^^<${XSD}decimal>`],
    [`".5"^^<${XSD}decimal>`, `"0.5"^^<${XSD}decimal>`],
    [`"1.5E3"^^<${XSD}double>`, `"1500"^^<${XSD}double>`],
    [`"1e-7"^^<${XSD}double>`, `"0.0000001"^^<${XSD}double>`],
    [`"16777217"^^<${XSD}float>`, `"16777216"^^<${XSD}float>`],
    [`"16777217.0000000001"^^<${XSD}float>`, `"16777218"^^<${XSD}float>`],
    [`"16777218.9999999999"^^<${XSD}float>`, `"16777218"^^<${XSD}float>`],
    [`"+INF"^^<${XSD}double>`, `"INF"^^<${XSD}double>`],
    [`"1"^^<${XSD}boolean>`, `"true"^^<${XSD}boolean>`],
    [`"2020-12-31T24:00:00Z"^^<${XSD}dateTime>`, `"2021-01-01T00:00:00Z"^^<${XSD}dateTime>`],
    [`"2020-01-01T00:00:00.500+00:00"^^<${XSD}dateTime>`, `"2020-01-01T00:00:00.5Z"^^<${XSD}dateTime>`],
    [`"2020-01-01T00:00:00Z"^^<${XSD}dateTimeStamp>`, `"2020-01-01T00:00:00Z"^^<${XSD}dateTime>`],
    [`"P13M"^^<${XSD}duration>`, `"P1Y1M"^^<${XSD}duration>`],
    [`"PT90M"^^<${XSD}dayTimeDuration>`, `"PT1H30M"^^<${XSD}dayTimeDuration>`],
    [`"a"^^<${XSD}string>`, '"a"'],
    ['"a"@EN-gb', '"a"@en-gb'],
    ['"\\u0041\\t"', '"A\\t"'],
    ['"\t"', '"\\t"'],
    ['<http://a/\\u00e9>', '<http://a/\u{e9}>'],
  ]
  for (const [object, expected] of forms) {
    test(`${object} should be ${expected}`, () => {
      const read = readCanonicalQuad(line(object), 7)
      assert.ok(!read.ok)
      assert.deepEqual(
        [read.fault.code, read.fault.line, read.fault.expected],
        ['QUAD_NOT_CANONICAL', 7, line(expected)],
      )
    })
  }

  const refused: readonly (readonly [line: string, code: string, column: number])[] = [
    [line(`"abc"^^<${XSD}integer>`), 'LITERAL_INVALID', 27],
    [line(`"256"^^<${XSD}unsignedByte>`), 'LITERAL_INVALID', 27],
    [line(`"2023-02-29"^^<${XSD}date>`), 'LITERAL_INVALID', 27],
    [line('"a"@englishlanguage'), 'LANGUAGE_INVALID', 30],
    [line('"a"@en--ltr'), 'LANGUAGE_INVALID', 30],
    [line('<relative/path>'), 'IRI_INVALID', 27],
    [line('<http://a/b c>'), 'IRI_INVALID', 27],
    [line('<http://a/%zz>'), 'IRI_INVALID', 27],
    [line('<http://[::z]/>'), 'IRI_INVALID', 27],
    [line('_:b0'), 'BLANK_NODE', 27],
    [line('<urn:althing:bnode:mine>'), 'SKOLEM_INVALID', 27],
    [line('"\\ud800"'), 'QUAD_SYNTAX', 27],
    ['<http://a/\u{1f600}> <http://a/p> x .', 'QUAD_SYNTAX', 27],
    ['<http://a/s> "p" <http://a/o> .', 'QUAD_SYNTAX', 14],
    ['<http://a/s> <http://a/p> <http://a/o>', 'QUAD_SYNTAX', 39],
    ['<http://a/s> <http://a/p> <http://a/o> . # comment', 'QUAD_SYNTAX', 42],
    ['<http://a/s> <http://a/p>  <http://a/o> .', 'QUAD_NOT_CANONICAL', 27],
  ]
  for (const [text, code, column] of refused) {
    test(`${text}: ${code} at column ${column}`, () => {
      const read = readCanonicalQuad(text)
      assert.ok(!read.ok)
      assert.deepEqual([read.fault.code, read.fault.column], [code, column])
    })
  }
})
