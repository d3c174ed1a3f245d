import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { Store } from 'oxigraph'
import { chooseMediaType } from '../src/sparql/media-types.ts'
import { readQueryText, withLimit } from '../src/sparql/query-text.ts'
import { countRows } from '../src/sparql/rows.ts'

describe('the form of a query', () => {
  const forms = [
    ['SELECT * {}', 'select'],
    ['# ASK {}\nPREFIX ask: <http://select/>\nBASE <http://describe/> construct {} where {}', 'construct'],
    ['ask{}', 'ask'],
    ['DESCRIBE <http://e/SELECT>', 'describe'],
    ['PREFIX e: <http://e/> INSERT DATA { e:a e:b e:c }', 'update'],
    ['  drop all', 'update'],
    ['hello', 'unknown'],
    ['', 'unknown'],
  ] as const
  for (const [query, form] of forms)
    test(query || '(nothing)', () => assert.equal(readQueryText(query).form, form))

  test('other endpoints are noticed, words that look like it are not', () => {
    assert.ok(readQueryText('SELECT * { service silent <http://e/> { ?s ?p ?o } }').asksOutside)
    for (const harmless of [
      '?service',
      '"SERVICE"',
      'e:service',
      '<http://e/SERVICE>',
      '"""a\nSERVICE"""',
      '"a"@service',
    ]) {
      assert.ok(!readQueryText(`SELECT * { ?s ?p ${harmless} } # SERVICE`).asksOutside, harmless)
    }
  })

  test('a dataset of its own', () => {
    assert.ok(readQueryText('SELECT * FROM <http://e/g> {}').namesDataset)
    assert.ok(!readQueryText('SELECT ?from { ?s <http://e/from> "FROM" }').namesDataset)
  })
})

describe('a limit put into a query', () => {
  const store = new Store()
  const lines = Array.from({ length: 20 }, (_, i) => `<http://e/s${i}> <http://e/p> "${i}" .`)
  store.load(lines.join('\n'), { format: 'application/n-quads' })
  const rowsOf = (query: string): number => {
    const result = store.query(query)
    assert.ok(Array.isArray(result))
    return result.length
  }

  const cases: readonly [string, number][] = [
    ['SELECT * { ?s ?p ?o }', 5],
    ['SELECT * { ?s ?p ?o } # a comment', 5],
    ['SELECT * { ?s ?p ?o } LIMIT 3', 3],
    ['SELECT * { ?s ?p ?o } limit 30 offset 1', 5],
    ['SELECT * { ?s ?p ?o } OFFSET 18', 2],
    ['SELECT * { ?s ?p ?o } ORDER BY DESC(?o) OFFSET 1 LIMIT 400', 5],
    ['SELECT * { { SELECT ?s { ?s ?p ?o } LIMIT 7 } }', 5],
    ['SELECT * { ?s ?p ?o } VALUES ?o { "1" "2" "3" "4" "5" "6" "7" }', 5],
    ['SELECT * { VALUES ?o { "1" "2" } ?s ?p ?o }', 2],
    ['SELECT ?p (COUNT(?s) AS ?n) { ?s ?p ?o } GROUP BY ?p HAVING (COUNT(?s) > 1)', 1],
    ['SELECT * { ?s ?p ?o FILTER(?o != "LIMIT 1 }") }', 5],
    ['SELECT * { ?s ?p ?o FILTER EXISTS { ?s ?p ?limit } }', 5],
    ['CONSTRUCT WHERE { ?s ?p ?o }', 20],
    ['CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o } LIMIT 9', 9],
    ['SELECT * { ?s ?p ?o } LIMIT 400 VALUES ?o { "1" "2" "3" "4" "5" "6" "7" }', 5],
    ['SELECT * { ?s ?p ?o } LIMIT # 2\n 0400', 5],
    ['SELECT * { ?s ?p ?o } LIMIT 99999999999999999999', 5],
    ['PREFIX limit: <http://e/> SELECT * { ?s limit:p ?o } ORDER BY ?limit # LIMIT 2', 5],
    ['BASE <http://e/#LIMIT> SELECT ?limit { ?limit <p#values> ?o } VALUES () {} ', 0],
    ['SELECT ?s { ?s ?p ?o } GROUP BY ?s ?o HAVING (COUNT(*) = 1) ORDER BY ?o', 5],
    ['CONSTRUCT { ?s <http://e/limit> 1 } { ?s ?p ?o } VALUES ?o { "1" "2" }', 2],
    ['DESCRIBE <http://e/s1>', 1],
    ['DESCRIBE ?s { ?s ?p ?o }', 20],
  ]
  for (const [query, rows] of cases) test(query, () => assert.equal(rowsOf(withLimit(query, 5)), rows))

  test('work grows with the length only', () => {
    for (const part of ['é', 'a-', '"""', "'", '<', '"\\', '{(', ':', '?', '@a-']) {
      readQueryText(part.repeat(30_000))
      withLimit(part.repeat(30_000), 5)
    }
  })
})

describe('rows of an answer', () => {
  const store = new Store()
  const values = ['1', '"{', '}', 'a\nb', 'a\r\n"b",', '<result>']
  for (const [i, value] of values.entries()) {
    store.load(`<http://e/s${i}> <http://e/p> ${JSON.stringify(value)} .`, { format: 'application/n-quads' })
  }
  const types = ['sparql-results+json', 'sparql-results+xml'].map((type) => `application/${type}`)
  for (const mediaType of [...types, 'text/csv', 'text/tab-separated-values']) {
    test(mediaType, () => {
      const answer = store.query('SELECT * { ?s ?p ?o }', { results_format: mediaType })
      assert.equal(countRows(answer as string, mediaType), values.length)
      const none = store.query('SELECT * { ?s ?p 7 }', { results_format: mediaType })
      assert.equal(countRows(none as string, mediaType), 0)
    })
  }
  test('application/n-triples', () => {
    const answer = store.query('CONSTRUCT WHERE { ?s ?p ?o }', { results_format: 'application/n-triples' })
    assert.equal(countRows(answer as string, 'application/n-triples'), values.length)
  })
})

describe('the form of an answer', () => {
  const cases = [
    ['select', '', 'application/sparql-results+json'],
    ['select', '*/*', 'application/sparql-results+json'],
    ['select', 'text/html, application/xml;q=0.9, */*;q=0.1', 'application/sparql-results+xml'],
    ['select', 'text/csv;q=0.5, text/tab-separated-values', 'text/tab-separated-values'],
    ['ask', 'application/json', 'application/sparql-results+json'],
    ['construct', 'application/json', 'application/ld+json'],
    ['construct', 'text/*', 'text/turtle'],
    ['describe', 'application/n-quads, text/turtle;q=0.2', 'application/n-quads'],
    ['select', 'text/turtle', null],
    ['construct', 'text/csv', null],
    ['select', 'text/csv;q=0, application/*;q=0', null],
    ['select', '*/*, text/csv;q=0', 'application/sparql-results+json'],
    ['select', 'nonsense', 'application/sparql-results+json'],
    ['select', 'text/csv;q=7', null],
  ] as const
  for (const [form, accept, expected] of cases) {
    test(`${form} for "${accept}"`, () => assert.equal(chooseMediaType(form, accept), expected))
  }
})
