import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  formatOfFile,
  formatOfMediaType,
  packStatements,
  RdfError,
  readRdf,
  SKOLEM_PREFIX,
} from '../src/rdf/index.ts'
import type { RdfFormat } from '../src/rdf/index.ts'

const GRAPH = 'http://example.org/graph'

async function linesOf(text: string, format: RdfFormat = 'text/turtle'): Promise<string[]> {
  const { groups } = await readRdf(text, { format, graph: GRAPH })
  return groups
    .flat()
    .map(({ graph: name, statement }) => `${statement} <${name}> .`)
    .sort()
}

function refusal(code: RdfError['code'], words: RegExp) {
  return (error: unknown): true => {
    assert.ok(error instanceof RdfError, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, words)
    return true
  }
}

test('the same statements in four formats are the same lines (PC-5)', async () => {
  const turtle = '@prefix e: <http://e/> . e:a e:b "x"@en, 1 ; e:c e:d .'
  const expected = [
    `<http://e/a> <http://e/b> "1"^^<http://www.w3.org/2001/XMLSchema#integer> <${GRAPH}> .`,
    `<http://e/a> <http://e/b> "x"@en <${GRAPH}> .`,
    `<http://e/a> <http://e/c> <http://e/d> <${GRAPH}> .`,
  ]
  assert.deepEqual(await linesOf(turtle), expected)
  assert.deepEqual(
    await linesOf(
      `@prefix e: <http://e/> . <${GRAPH}> { e:a e:b "x"@en, 1 ; e:c e:d . }`,
      'application/trig',
    ),
    expected,
  )
  assert.deepEqual(await linesOf(`${expected.join('\n')}\n`, 'application/n-quads'), expected)
  const jsonLd = {
    '@context': { '@vocab': 'http://e/', c: { '@type': '@id' } },
    '@id': 'http://e/a',
    b: [{ '@value': 'x', '@language': 'en' }, 1],
    c: 'http://e/d',
  }
  assert.deepEqual(await linesOf(JSON.stringify(jsonLd), 'application/ld+json'), expected)
})

test('literals get their one lexical form, and equal ones become one statement', async () => {
  const text =
    '<http://e/a> <http://e/b> "01"^^<http://www.w3.org/2001/XMLSchema#integer>, 1, "x"@EN, "x"@en .'
  assert.equal((await linesOf(text)).length, 2)
})

test('a graph that names itself stays there', async () => {
  const lines = await linesOf('<http://e/a> <http://e/b> <http://e/c> <http://e/g> .', 'application/n-quads')
  assert.deepEqual(lines, ['<http://e/a> <http://e/b> <http://e/c> <http://e/g> .'])
})

test('names of blank nodes and the order of statements change nothing', async () => {
  const statement = fc.record({
    subject: fc.nat(4),
    predicate: fc.constantFrom('p', 'q'),
    object: fc.oneof(
      fc.nat(4).map((n) => `_:b${n}`),
      fc.constantFrom('"x"', '"_:b1 \\" ."', '<http://e/o>'),
    ),
  })
  const dataset = fc.array(statement, { minLength: 1, maxLength: 10 })
  await fc.assert(
    fc.asyncProperty(dataset, fc.infiniteStream(fc.nat()), async (statements, orders) => {
      const lines = statements.map((s) => `_:b${s.subject} <http://e/${s.predicate}> ${s.object} .`)
      const others = lines
        .map((line) => line.replaceAll(/(^|> )_:b(\d)/g, '$1_:other$2x'))
        .map((line) => ({ line, order: orders.next().value! }))
        .sort((a, b) => a.order - b.order)
        .map(({ line }) => line)
      assert.deepEqual(await linesOf(others.join('\n')), await linesOf(lines.join('\n')))
    }),
    { numRuns: 100 },
  )
})

test('statements that share a blank node stay together, others are apart', async () => {
  const text = '@prefix e: <http://e/> . e:a e:b [ e:c [ e:d 1 ] ] . e:x e:y 2 . e:x e:z [ e:d 3 ] .'
  const { groups, quads, blankNodes } = await readRdf(text, { format: 'text/turtle', graph: GRAPH })
  assert.deepEqual(
    groups.map((group) => group.length).sort((a, b) => a - b),
    [1, 2, 3],
  )
  assert.equal(quads, 6)
  assert.equal(blankNodes, 3)
  for (const { statement } of groups.flat()) assert.doesNotMatch(statement, /_:/)
})

test('the IRI of a blank node comes from what is said of it', async () => {
  const nodeOf = async (text: string): Promise<string> => (await linesOf(text))[0]!.split(' ')[0]!
  const one = await nodeOf('[] <http://e/p> 1 .')
  assert.ok(one.startsWith(`<${SKOLEM_PREFIX}`))
  assert.equal(await nodeOf('_:zzz <http://e/p> "01"^^<http://www.w3.org/2001/XMLSchema#integer> .'), one)
  assert.notEqual(await nodeOf('[] <http://e/p> 2 .'), one)
})

test('equal descriptions of several nodes stay several', async () => {
  const three = await linesOf('[] <http://e/p> 1 . [] <http://e/p> 1 . [] <http://e/p> 1 .')
  assert.equal(new Set(three).size, 3)
})

test('what cannot be read is refused with line and column', async () => {
  const cases: readonly [RdfFormat, string, RegExp, number, number][] = [
    ['text/turtle', '<http://a> <b> <http://c> .', /line 1 .*scheme/, 1, 12],
    ['text/turtle', '<http://a> <http://b>\n  <http://c d> .', /line 2 .*IRI/, 2, 3],
    ['application/n-quads', '<http://a> <http://b> "x"@1 .', /line 1/, 1, 27],
  ]
  for (const [format, text, words, line, column] of cases) {
    await assert.rejects(readRdf(text, { format, graph: GRAPH }), (error) => {
      refusal('RDF_SYNTAX', words)(error)
      assert.deepEqual((error as RdfError).position, { line, column })
      return true
    })
  }
})

test('a context that would have to be fetched is refused, with the remedy', async () => {
  const text = '{"@context":"https://schema.org/","@id":"http://e/1","name":"x"}'
  await assert.rejects(
    readRdf(text, { format: 'application/ld+json', graph: GRAPH }),
    refusal('RDF_UNSUPPORTED', /put the context itself into the document/),
  )
})

test('what the chain would refuse is refused here already, with the reason', async () => {
  const xsd = 'http://www.w3.org/2001/XMLSchema#'
  for (const [object, words] of [
    [`"x"^^<${xsd}integer>`, /"x" is no .*integer/],
    [`"2026-02-30"^^<${xsd}date>`, /is no .*date/],
    ['<urn:althing:bnode:1>', /64 hexadecimal digits/],
  ] as const) {
    await assert.rejects(
      readRdf(`<http://a> <http://b> ${object} .`, { format: 'text/turtle', graph: GRAPH }),
      refusal('RDF_INVALID', words),
    )
  }
})

test('what only RDF 1.2 has is refused', async () => {
  for (const text of [
    '<http://a> <http://b> << <http://a> <http://b> 1 >> .',
    '<http://a> <http://b> "x"@en--ltr .',
  ]) {
    await assert.rejects(
      readRdf(text, { format: 'text/turtle', graph: GRAPH }),
      refusal('RDF_UNSUPPORTED', /RDF 1\.2/),
    )
  }
})

test('statements without a graph, or too many of them, are refused', async () => {
  const text = '<http://a> <http://b> 1, 2 .'
  await assert.rejects(
    readRdf(text, { format: 'text/turtle' }),
    refusal('RDF_GRAPH_MISSING', /name the graph/),
  )
  await assert.rejects(
    readRdf(text, { format: 'text/turtle', graph: GRAPH, quadsMax: 1 }),
    refusal('RDF_TOO_LARGE', /2 statements; at most 1/),
  )
})

test('a knot of blank nodes made to be too hard is given up after its steps', async () => {
  const nodes = Array.from({ length: 9 }, (_, i) => `_:b${i}`)
  const clique = nodes.flatMap((a) => nodes.filter((b) => b !== a).map((b) => `${a} <http://e/p> ${b} .`))
  await assert.rejects(
    readRdf(clique.join('\n'), { format: 'application/n-triples', graph: GRAPH, stepsMax: 100 }),
    refusal('RDF_TOO_COMPLEX', /72 statements .* 100 steps; give some of them IRIs/),
  )
  const signal = AbortSignal.abort()
  await assert.rejects(
    readRdf(clique.join('\n'), { format: 'application/n-triples', graph: GRAPH, signal }),
    refusal('RDF_TOO_COMPLEX', /too much alike/),
  )
})

test('formats are found by media type and by file name', () => {
  assert.equal(formatOfMediaType('Text/Turtle; charset=utf-8'), 'text/turtle')
  assert.equal(formatOfFile('a.b.JSONLD'), 'application/ld+json')
  assert.throws(() => formatOfMediaType('text/html'), refusal('RDF_FORMAT_UNKNOWN', /text\/turtle/))
  assert.throws(() => formatOfFile('data.csv'), refusal('RDF_FORMAT_UNKNOWN', /\.ttl \(text\/turtle\)/))
})

test('statements are packed so that groups stay whole and every transaction fits', async () => {
  const knots = Array.from({ length: 300 }, (_, i) => `[] e:n ${i} ; e:x [ e:y "${'z'.repeat(i % 90)}" ] .`)
  const { groups } = await readRdf(`@prefix e: <http://e/> . ${knots.join('\n')}`, {
    format: 'text/turtle',
    graph: GRAPH,
  })
  const packed = packStatements(groups, 'insert', { bytesMax: 4_000 })
  assert.equal(
    packed.reduce((sum, { statements }) => sum + statements, 0),
    900,
  )
  for (const { operations, statements } of packed) {
    assert.equal(statements % 3, 0, 'three statements of a knot are not parted')
    assert.ok(operations[0]!.body.length <= 4_000)
  }
  assert.throws(
    () => packStatements(groups, 'insert', { bytesMax: 400, groupBytesMax: 400 }),
    refusal('RDF_TOO_LARGE', /3 statements .* give some of the nodes IRIs/),
  )
})
