import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { graphCreate, graphDelete, graphInsert, OperationError } from '@althing/base'
import type { Operation } from '@althing/base'
import fc from 'fast-check'
import { Store } from 'oxigraph'
import { World } from './chain-world.ts'
import { sortedLines, textsOf } from './graph-world.ts'

const G = 'http://example.org/gated'
const PREFIXES = `@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
  @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix : <urn:x:> .`

/** Statements of a Turtle text, blank nodes named as on the chain. */
function turtle(text: string): string[] {
  const store = new Store()
  store.load(`${PREFIXES}\n${text}`, { format: 'text/turtle' })
  const names = new Map<string, string>()
  const name = (label: string): string => {
    const known = names.get(label) ?? `<urn:althing:bnode:${'ab'.repeat(32)}:${names.size}>`
    names.set(label, known)
    return known
  }
  return sortedLines(store.dump({ format: 'application/n-quads' })).map((line) =>
    line.slice(0, -2).replaceAll(/_:[0-9a-z]+/g, name),
  )
}

function create(shapes: string): Operation {
  return graphCreate({ graph: G, shapes: turtle(shapes) })
}

function newWorld(): World {
  return new World({ balances: { a: 100_000n }, memberNames: ['a'] })
}

function outcomeOf(shapes: string, data: string): string {
  const result = newWorld().send('a', [create(shapes), graphInsert({ graph: G, statements: turtle(data) })])
  assert.ok(result.ok)
  return result.value.ok ? 'ok' : (result.value.fault?.message ?? '')
}

const SHAPE = ':S a sh:NodeShape ; sh:targetClass :C ;'

suite('shapes that gate a graph (PC-6)', () => {
  const cases: readonly (readonly [
    name: string,
    shapes: string,
    good: readonly string[],
    bad: readonly (readonly [string, RegExp])[],
  ])[] = [
    [
      'counts',
      `${SHAPE} sh:property [ sh:path :p ; sh:minCount 1 ; sh:maxCount 2 ] .`,
      [':a a :C ; :p 1 .', ':a :q 1 .'],
      [
        [':a a :C .', /node <urn:x:a>, path <urn:x:p>: sh:minCount: 0 values; at least 1/],
        [':a a :C ; :p 1,2,3 .', /sh:maxCount: 3 values; at most 2/],
      ],
    ],
    [
      'datatypes',
      `${SHAPE} sh:property [ sh:path :p ; sh:datatype xsd:integer ] .`,
      [':a a :C ; :p 1 .'],
      [
        [':a a :C ; :p "1" .', /sh:datatype: "1"; expected <.*integer>/],
        [':a a :C ; :p 1.5 .', /datatype/],
        [':a a :C ; :p :x .', /datatype/],
      ],
    ],
    [
      'types derived from integer, of which values are left',
      `${SHAPE} sh:property [ sh:path :p ; sh:datatype xsd:byte ] .`,
      [':a a :C ; :p "7"^^xsd:integer .'],
      [[':a a :C ; :p 300 .', /datatype/]],
    ],
    [
      'a class of values',
      `${SHAPE} sh:property [ sh:path :p ; sh:class :D ] . :E rdfs:subClassOf :D .`,
      [':a a :C ; :p :b . :b a :D .', ':a a :C ; :p :b . :b a :E .'],
      [[':a a :C ; :p :b .', /sh:class: <urn:x:b>/]],
    ],
    [
      'node kinds',
      `${SHAPE} sh:property [ sh:path :p ; sh:nodeKind sh:BlankNodeOrIRI ] .`,
      [':a a :C ; :p :b, [] .'],
      [[':a a :C ; :p "b" .', /nodeKind/]],
    ],
    [
      'a list of values',
      `${SHAPE} sh:property [ sh:path :p ; sh:in ( 1 "b"@en :c ) ] .`,
      [':a a :C ; :p 1, "b"@en, :c .'],
      [[':a a :C ; :p "b" .', /sh:in/]],
    ],
    [
      'a value that is there',
      `${SHAPE} sh:property [ sh:path :p ; sh:hasValue :v ] .`,
      [':a a :C ; :p :v, :w .'],
      [[':a a :C ; :p :w .', /sh:hasValue: <urn:x:v> is missing/]],
    ],
    [
      'patterns',
      `${SHAPE} sh:property [ sh:path :p ; sh:pattern "^[A-Z]{2}\\\\d+(-\\\\w+)?$" ] .`,
      [':a a :C ; :p "AB12", "AB1-x_y" .'],
      [
        [':a a :C ; :p "Ab12" .', /sh:pattern/],
        [':a a :C ; :p "AB12-" .', /sh:pattern/],
      ],
    ],
    [
      'lengths',
      `${SHAPE} sh:property [ sh:path :p ; sh:minLength 2 ; sh:maxLength 3 ] .`,
      [':a a :C ; :p "\u{1f600}\u{1f600}\u{1f600}" .'],
      [
        [':a a :C ; :p "a" .', /minLength/],
        [':a a :C ; :p "abcd" .', /maxLength/],
      ],
    ],
    [
      'bounds of numbers',
      `${SHAPE} sh:property [ sh:path :p ; sh:minInclusive 1 ; sh:maxExclusive 2.5 ] .`,
      [':a a :C ; :p 1, 2.4999999999999999999, 1.5e0 .'],
      [
        [':a a :C ; :p 0.999 .', /minInclusive/],
        [':a a :C ; :p 2.5 .', /maxExclusive/],
        [':a a :C ; :p "2" .', /expected/],
      ],
    ],
    [
      'bounds of times',
      `${SHAPE} sh:property [ sh:path :p ; sh:minInclusive "2020-01-01T00:00:00Z"^^xsd:dateTime ] .`,
      [':a a :C ; :p "2020-01-01T01:00:00+01:00"^^xsd:dateTime .'],
      [
        [':a a :C ; :p "2020-01-01T00:30:00+01:00"^^xsd:dateTime .', /minInclusive/],
        [':a a :C ; :p "2021-01-01T00:00:00"^^xsd:dateTime .', /minInclusive/],
      ],
    ],
    [
      'languages',
      `${SHAPE} sh:property [ sh:path :p ; sh:languageIn ( "en" "de" ) ; sh:uniqueLang true ] .`,
      [':a a :C ; :p "a"@en, "b"@de-at .'],
      [
        [':a a :C ; :p "a"@fr .', /languageIn/],
        [':a a :C ; :p "a"@en, "b"@en .', /uniqueLang/],
      ],
    ],
    [
      'inverse paths',
      `${SHAPE} sh:property [ sh:path [ sh:inversePath :owns ] ; sh:minCount 1 ; sh:maxCount 1 ] .`,
      [':a a :C . :o :owns :a .'],
      [
        [':a a :C .', /path \^<urn:x:owns>: sh:minCount/],
        [':a a :C . :o :owns :a . :p :owns :a .', /maxCount/],
      ],
    ],
    [
      'all targets',
      ':S a sh:NodeShape ; sh:targetNode :n ; sh:targetSubjectsOf :s ; sh:targetObjectsOf :o ; sh:property [ sh:path :p ; sh:minCount 1 ] .',
      [':z :q 1 .', ':n :p 1 .'],
      [
        [':n :q 1 .', /<urn:x:n>/],
        [':a :s 1 .', /node <urn:x:a>/],
        [':a :o :b .', /node <urn:x:b>/],
      ],
    ],
    [
      'a shape that is a class',
      ':C a rdfs:Class, sh:NodeShape ; sh:property [ sh:path :p ; sh:minCount 1 ] .',
      [':a a :C ; :p 1 .'],
      [[':a a :C .', /minCount/]],
    ],
    [
      'shapes of values',
      `${SHAPE} sh:property [ sh:path :p ; sh:node [ sh:property [ sh:path :q ; sh:datatype xsd:string ] ] ] .`,
      [':a a :C ; :p :b . :b :q "x" .'],
      [[':a a :C ; :p :b . :b :q 1 .', /node <urn:x:b>, path <urn:x:q>: sh:datatype/]],
    ],
    [
      'one of several',
      `${SHAPE} sh:or ( [ sh:property [ sh:path :p ; sh:minCount 1 ] ] [ sh:property [ sh:path :q ; sh:minCount 1 ] ] ) .`,
      [':a a :C ; :p 1 .', ':a a :C ; :p 1 ; :q 1 .'],
      [[':a a :C .', /sh:or/]],
    ],
    [
      'exactly one of several',
      `${SHAPE} sh:xone ( [ sh:property [ sh:path :p ; sh:minCount 1 ] ] [ sh:property [ sh:path :q ; sh:minCount 1 ] ] ) .`,
      [':a a :C ; :p 1 .'],
      [[':a a :C ; :p 1 ; :q 1 .', /sh:xone/]],
    ],
    [
      'not',
      `${SHAPE} sh:not [ sh:property [ sh:path :p ; sh:minCount 1 ] ] .`,
      [':a a :C .'],
      [[':a a :C ; :p 1 .', /sh:not/]],
    ],
    [
      'closed shapes',
      `${SHAPE} sh:closed true ; sh:ignoredProperties ( <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> ) ; sh:property [ sh:path :p ] .`,
      [':a a :C ; :p 1 .'],
      [[':a a :C ; :q 1 .', /sh:closed: <urn:x:a> has <urn:x:q>/]],
    ],
    [
      'what is deactivated',
      `${SHAPE} sh:property [ sh:path :p ; sh:minCount 1 ; sh:deactivated true ] .`,
      [':a a :C .'],
      [],
    ],
  ]
  for (const [name, shapes, good, bad] of cases) {
    test(name, () => {
      for (const data of good) assert.equal(outcomeOf(shapes, data), 'ok', data)
      for (const [data, message] of bad) assert.match(outcomeOf(shapes, data), message, data)
    })
  }

  const refused: readonly (readonly [name: string, shapes: string, code: string, message: RegExp])[] = [
    [
      'what is not supported, by its name',
      `${SHAPE} sh:property [ sh:path :p ; sh:lessThan :q ] .`,
      'SHAPE_UNSUPPORTED',
      /sh:lessThan/,
    ],
    ['SPARQL', `${SHAPE} sh:sparql [ sh:select "" ] .`, 'SHAPE_UNSUPPORTED', /sh:s/],
    ['long paths', `${SHAPE} sh:property [ sh:path ( :p :q ) ] .`, 'SHAPE_UNSUPPORTED', /path/],
    [
      'paths of any length',
      `${SHAPE} sh:property [ sh:path [ sh:zeroOrMorePath :p ] ] .`,
      'SHAPE_UNSUPPORTED',
      /zeroOrMorePath/,
    ],
    [
      'a pattern with look-ahead',
      `${SHAPE} sh:property [ sh:path :p ; sh:pattern "(?=a)" ] .`,
      'SHAPE_UNSUPPORTED',
      /sh:pattern/,
    ],
    [
      'a shape within itself',
      `${SHAPE} sh:property [ sh:path :p ; sh:node :S ] .`,
      'SHAPE_RECURSIVE',
      /refers to itself/,
    ],
    [
      'more at least than at most',
      `${SHAPE} sh:property [ sh:path :p ; sh:minCount 2 ; sh:maxCount 1 ] .`,
      'SHAPE_CONTRADICTORY',
      /at least 2 values, and at most 1/,
    ],
    [
      'bounds that cross',
      `${SHAPE} sh:property [ sh:path :p ; sh:minInclusive 2 ; sh:maxInclusive 1 ] .`,
      'SHAPE_CONTRADICTORY',
      /minInclusive/,
    ],
    [
      'a value that its own shape forbids',
      `${SHAPE} sh:property [ sh:path :p ; sh:hasValue "x" ; sh:datatype xsd:integer ] .`,
      'SHAPE_CONTRADICTORY',
      /hasValue/,
    ],
    ['a property without a path', `${SHAPE} sh:property [ sh:minCount 1 ] .`, 'SHAPE_INVALID', /path/],
    [
      'a count that is none',
      `${SHAPE} sh:property [ sh:path :p ; sh:minCount "1" ] .`,
      'SHAPE_INVALID',
      /minCount/,
    ],
    ['a shape that is not there', `${SHAPE} sh:node :T .`, 'SHAPE_INVALID', /not there/],
    ['nothing that is ever looked at', ':S a sh:NodeShape .', 'SHAPE_INVALID', /target/],
    [
      'a list that goes in a circle',
      `${SHAPE} sh:in _:l . _:l <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> 1 ; <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> _:l .`,
      'SHAPE_INVALID',
      /list/,
    ],
  ]
  for (const [name, shapes, code, message] of refused) {
    test(`refused when the graph is made: ${name}: ${code}`, () => {
      const result = newWorld().send('a', [create(shapes)])
      assert.ok(!result.ok)
      assert.equal(result.fault.code, code)
      assert.match(result.fault.message, message)
    })
  }

  const CHAINED = `${SHAPE} sh:property [ sh:path :p ; sh:class :D ; sh:node [ sh:property [ sh:path [ sh:inversePath :q ] ; sh:maxCount 1 ] ] ] .
    :T a sh:NodeShape ; sh:targetObjectsOf :q ; sh:not [ sh:property [ sh:path :r ; sh:hasValue :c ] ] .`

  test('a transaction is looked at as a whole, and what it breaks far away too', () => {
    const world = newWorld()
    const insert = (data: string): Operation => graphInsert({ graph: G, statements: turtle(data) })
    const remove = (data: string): Operation => graphDelete({ graph: G, statements: turtle(data) })
    world.assertOutcome('ok', 'a', create(CHAINED))
    world.assertOutcome('ok', 'a', insert(':a a :C ; :p :b .'), insert(':b a :D .'))
    world.assertOutcome('receipt GATE_VIOLATED', 'a', remove(':b a :D .'))
    world.assertOutcome('ok', 'a', remove(':b a :D .'), insert(':b a :D .'))
    world.assertOutcome('receipt GATE_VIOLATED', 'a', insert(':x :q :b . :y :q :b .'))
    world.assertOutcome('ok', 'a', remove(':b a :D .'), remove(':a a :C .'))
    assert.deepEqual(textsOf(world, G), ['<urn:x:a> <urn:x:p> <urn:x:b>'])
  })

  const node = fc.constantFrom('a', 'b')
  const statement = fc.oneof(
    fc
      .tuple(node, fc.constantFrom('C', 'D', 'D'))
      .map(([s, c]) => `<urn:x:${s}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <urn:x:${c}>`),
    fc
      .tuple(node, fc.constantFrom('p', 'q', 'r'), fc.constantFrom('a', 'b', 'c'))
      .map(([s, p, o]) => `<urn:x:${s}> <urn:x:${p}> <urn:x:${o}>`),
  )
  const change = fc.record({
    isInsert: fc.constantFrom(true, true, false),
    texts: fc.array(statement, { minLength: 1, maxLength: 3 }),
  })

  test('looking at what changed says the same as looking at everything', () => {
    const gated = create(CHAINED)
    let refusals = 0
    fc.assert(
      fc.property(fc.array(change, { minLength: 3, maxLength: 6 }), (changes) => {
        const world = newWorld()
        world.assertOutcome('ok', 'a', gated)
        for (const { isInsert, texts } of changes) {
          const operation = (isInsert ? graphInsert : graphDelete)({ graph: G, statements: texts })
          const expected = new Set(textsOf(world, G))
          for (const text of texts)
            if (isInsert) expected.add(text)
            else expected.delete(text)
          const outcome = world.outcome('a', [operation])
          const fresh = newWorld()
          fresh.assertOutcome('ok', 'a', gated)
          const all = [...expected]
          const whole =
            all.length === 0 ? 'ok' : fresh.outcome('a', [graphInsert({ graph: G, statements: all })])
          assert.equal(outcome, whole)
          if (outcome !== 'ok') refusals++
        }
      }),
      { numRuns: 30 },
    )
    assert.ok(refusals > 0)
  })

  test('insert, then delete, leaves the root of a graph with a gate as it was', () => {
    const [never, undone] = [newWorld(), newWorld()]
    const statements = turtle(':a a :C ; :p :b . :b a :D .')
    const gated = create(CHAINED)
    never.assertOutcome('ok', 'a', gated)
    undone.assertOutcome(
      'ok',
      'a',
      gated,
      graphInsert({ graph: G, statements }),
      graphDelete({ graph: G, statements }),
    )
    assert.deepEqual(never.ledger.root(never.state), undone.ledger.root(undone.state))
  })

  test('the work of a gate is bounded', () => {
    const world = newWorld()
    const nested = `${SHAPE} sh:property [ sh:path :p ; sh:pattern "(a|b|ab)*c(a?){200}" ] .`
    world.assertOutcome('ok', 'a', create(nested))
    const data = Array.from({ length: 20 }, (_, n) => `<urn:x:a> <urn:x:p> "${'ab'.repeat(1000 + n)}c"`)
    world.assertOutcome(
      'receipt GATE_STEPS_EXCEEDED',
      'a',
      graphInsert({ graph: G, statements: [...data, ...turtle(':a a :C .')] }),
    )
  })

  test('a shape that the builder is given in another form is refused', () => {
    assert.throws(
      () =>
        graphCreate({
          graph: G,
          shapes: ['<urn:s> <urn:p> "01"^^<http://www.w3.org/2001/XMLSchema#integer>'],
        }),
      OperationError,
    )
  })
})
