import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { conflictsOf, EntityClass, SAME_AS } from '../src/trace/entity.ts'
import { literalText } from '../src/trace/relations.ts'
import type { Found } from '../src/trace/relations.ts'
import { traceSvg } from '../src/trace/svg.ts'
import { Tracer } from '../src/trace/trace.ts'
import type { Direction, Trace } from '../src/trace/trace.ts'
import { traceLines } from '../src/trace/tree-text.ts'

const PROV = 'http://www.w3.org/ns/prov#'
const EPCIS = 'https://ref.gs1.org/epcis/'

const say = (subject: string, predicate: string, object: string, graph = 'urn:g'): Found => ({
  graph,
  subject: `urn:${subject}`,
  predicate,
  object: object.startsWith('"') ? object : `urn:${object}`,
})

/** Flour of two harvests becomes bread, which goes on a pallet with other bread; the pallet is seen, and unpacked. */
const CHAIN: readonly Found[] = [
  say('milling', `${EPCIS}inputEPCList`, 'wheat-1'),
  say('milling', `${EPCIS}inputEPCList`, 'wheat-2'),
  say('milling', `${EPCIS}outputEPCList`, 'flour'),
  say('milling', `${EPCIS}eventTime`, '"2026-01-02T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>'),
  say('bread', `${PROV}wasGeneratedBy`, 'baking'),
  say('baking', `${PROV}used`, 'flour'),
  say('baking', `${PROV}wasAssociatedWith`, 'baker'),
  say('bread', 'http://schema.org/name', '"Loaf \\"1\\""'),
  say('packing', `${EPCIS}childEPCs`, 'bread'),
  say('packing', `${EPCIS}childEPCs`, 'other-bread'),
  say('packing', `${EPCIS}parentID`, 'pallet'),
  say('receiving', `${EPCIS}epcList`, 'pallet'),
  say('unpacking', `${EPCIS}action`, '"DELETE"'),
  say('unpacking', `${EPCIS}childEPCs`, 'other-bread'),
  say('unpacking', `${EPCIS}parentID`, 'pallet'),
]

function traceOf(
  root: string,
  direction: Direction,
  said: readonly Found[] = CHAIN,
  limits = { depthMax: 32, thingsMax: 100 },
): Trace {
  const tracer = new Tracer(`urn:${root}`, direction, limits)
  for (let asked = tracer.asked; asked !== null; asked = tracer.asked) {
    const things = new Set(asked)
    const near = said.filter(({ subject, object }) => things.has(subject) || things.has(object))
    const events = new Set(near.map(({ subject }) => subject))
    const actions = said.filter(
      ({ subject, predicate }) => predicate === `${EPCIS}action` && events.has(subject),
    )
    tracer.answer([...new Set([...near, ...actions])])
  }
  return tracer.trace
}

const names = ({ things }: Trace): string[] => things.map(({ iri }) => iri.slice('urn:'.length))

describe('a trace (PC-6)', () => {
  test('backwards: what a thing was made of, over PROV-O and EPCIS', () => {
    const trace = traceOf('bread', 'back')
    assert.deepEqual(names(trace), ['bread', 'baking', 'flour', 'milling', 'wheat-1', 'wheat-2'])
    assert.deepEqual(
      trace.things.map(({ depth }) => depth),
      [0, 1, 2, 3, 4, 4],
    )
    assert.equal(trace.things[0]!.label, 'Loaf "1"')
    assert.deepEqual(
      trace.things[1]!.agents.map(({ object }) => object),
      ['urn:baker'],
    )
  })

  test('forwards: what became of it', () => {
    const trace = traceOf('wheat-2', 'forth')
    assert.deepEqual(names(trace), ['wheat-2', 'milling', 'flour', 'baking', 'bread', 'packing', 'pallet'])
    assert.deepEqual(
      trace.things.at(-1)!.seen.map(({ subject }) => subject),
      ['urn:receiving'],
    )
  })

  test('a pallet comes from what was put on it, not from what was taken off', () => {
    assert.deepEqual(names(traceOf('pallet', 'back')).slice(0, 4), [
      'pallet',
      'packing',
      'bread',
      'other-bread',
    ])
    assert.deepEqual(names(traceOf('other-bread', 'forth')), ['other-bread', 'packing', 'pallet'])
  })

  test('a cycle ends where it closes', () => {
    const cycle = ['a', 'b', 'c'].map((each, i, all) => say(each, `${PROV}wasDerivedFrom`, all[(i + 1) % 3]!))
    const trace = traceOf('a', 'back', cycle)
    assert.deepEqual(names(trace), ['a', 'b', 'c'])
    assert.deepEqual(
      trace.steps.map(({ isKnown }) => isKnown),
      [false, false, true],
    )
  })

  test('limits bound things and levels, and what was cut is said', () => {
    const line = Array.from({ length: 50 }, (_, i) => say(`n${i}`, `${PROV}wasDerivedFrom`, `n${i + 1}`))
    const deep = traceOf('n0', 'back', line, { depthMax: 3, thingsMax: 100 })
    assert.deepEqual([names(deep), deep.cut], [['n0', 'n1', 'n2', 'n3'], ['urn:n3']])
    const fan = Array.from({ length: 50 }, (_, i) => say('n', `${PROV}used`, `m${i}`))
    const wide = traceOf('n', 'back', fan, { depthMax: 3, thingsMax: 10 })
    assert.deepEqual([wide.things.length, wide.cut], [10, ['urn:n']])
  })

  test('the order in which statements are found changes nothing', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...CHAIN], { minLength: CHAIN.length }), (said) => {
        assert.deepEqual(traceOf('pallet', 'back', said), traceOf('pallet', 'back'))
      }),
    )
  })

  test('shows as a tree and as a picture', () => {
    const trace = traceOf('pallet', 'back')
    const json = {
      ...trace,
      height: 9,
      things: trace.things.map(({ iri, depth, label, agents }) => ({
        iri,
        depth,
        label,
        what: null,
        agents: agents.map(({ object }) => object),
        seen_by: [],
        facts: [],
      })),
      steps: trace.steps.map(({ from, to, by, isKnown }) => ({
        from,
        to,
        predicate: by.predicate,
        graph: by.graph,
        height: 7,
        time: '2026-01-02T00:00:00.000Z',
        signer: 'ab'.repeat(32),
        again: isKnown,
      })),
      cut: ['urn:x'],
    }
    const signed = '[block 7, 2026-01-02T00:00:00.000Z, abababababab…]'
    assert.deepEqual(traceLines(json).slice(0, 4), [
      'urn:pallet',
      `└─ urn:packing  ${signed}`,
      `   ├─ Loaf "1" <urn:bread>  ${signed}`,
      `   │  └─ urn:baking by urn:baker  ${signed}`,
    ])
    assert.equal(traceLines(json).at(-1), '… not followed further: urn:x')
    const svg = traceSvg(json)
    assert.match(svg, /^<svg /)
    assert.equal(svg.match(/<g>/g)?.length, json.things.length)
    assert.match(svg, /Loaf &quot;1&quot;/)
  })

  test('the text of literals', () => {
    assert.equal(literalText('"a\\nb\\\\"@en'), 'a\nb\\')
    assert.equal(literalText('urn:x'), 'urn:x')
  })
})

describe('an entity (PC-6)', () => {
  const GTIN = 'urn:gtin'
  const said: readonly Found[] = [
    say('a', SAME_AS, 'b'),
    say('c', SAME_AS, 'b', 'urn:h'),
    say('c', GTIN, '"123"'),
    say('d', GTIN, '"123"', 'urn:h'),
    say('d', GTIN, '"124"', 'urn:h'),
    say('e', GTIN, '"999"'),
    say('e', SAME_AS, '"no"'),
  ]

  function classOf(iri: string, max = 100): EntityClass {
    const entity = new EntityClass(`urn:${iri}`, new Set([GTIN]), max)
    for (let asked = entity.asked; asked !== null; asked = entity.asked) {
      const things = new Set(asked)
      const values = new Set(said.filter(({ subject }) => things.has(subject)).map(({ object }) => object))
      entity.answer(
        said.filter(({ subject, predicate, object }) =>
          predicate === SAME_AS ? things.has(subject) || things.has(object) : values.has(object),
        ),
      )
    }
    return entity
  }

  test('sameness goes over owl:sameAs both ways and over identifying values, from wherever one starts', () => {
    for (const iri of ['a', 'b', 'c', 'd']) {
      assert.deepEqual(classOf(iri).iris, ['urn:a', 'urn:b', 'urn:c', 'urn:d'])
      assert.deepEqual(
        classOf(iri).links.map(({ subject, object }) => [subject, object]),
        [
          ['urn:a', 'urn:b'],
          ['urn:c', 'urn:b'],
          ['urn:c', '"123"'],
          ['urn:d', '"123"'],
        ],
      )
    }
    assert.deepEqual(classOf('e').iris, ['urn:e'])
  })

  test('is bounded, and says so', () => {
    const entity = classOf('a', 2)
    assert.equal(entity.iris.length, 2)
    assert.ok(entity.isTruncated)
  })

  test('two values of what has one are a conflict, with their sources', () => {
    assert.deepEqual(
      conflictsOf(said, new Set([GTIN])).map(({ predicate, values }) => [predicate, values.length]),
      [[GTIN, 4]],
    )
    assert.deepEqual(conflictsOf(said.slice(0, 4), new Set([GTIN])), [])
  })
})
