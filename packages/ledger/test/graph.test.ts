import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  bytesToHex,
  graphCreate,
  graphDelete,
  graphGrant,
  graphInsert,
  graphRevoke,
  OperationError,
  POLICY_OPEN,
  quadLine,
  readQuad,
  statementText,
  utf8ToBytes,
} from '@althing/base'
import type { Operation } from '@althing/base'
import fc from 'fast-check'
import { grantsOf, graphOf, graphsOf, statementsOf } from '../src/index.ts'
import { idOf, World } from './chain-world.ts'
import { oxigraphLines, sortedLines, sourceOf, statementInAnyForm, textsOf } from './graph-world.ts'

const G = 'http://example.org/graph'
const H = 'http://example.org/other'
const STATEMENTS = ['<urn:a> <urn:p> "1"', '<urn:a> <urn:q> <urn:b>', '<urn:b> <urn:p> "\u{e9}"@fr']

function newWorld(over: ConstructorParameters<typeof World>[0] = {}): World {
  return new World({ balances: { a: 10_000n, b: 10_000n, c: 10_000n }, memberNames: ['a', 'b'], ...over })
}

/** Statements in canonical form. */
const statements = fc
  .array(statementInAnyForm, { maxLength: 12 })
  .map((all) =>
    all.flatMap((text) => {
      const read = readQuad(`${text} .`)
      return read.ok ? [statementText(read.value)] : []
    }),
  )
  .filter((all) => all.length > 0)

suite('graphs on the chain (PC-5)', () => {
  type Step = readonly [sender: string, operation: Operation, outcome: string]
  const create = graphCreate({ graph: G })
  const insert = graphInsert({ graph: G, statements: STATEMENTS })
  const remove = graphDelete({ graph: G, statements: STATEMENTS })
  const cases: readonly (readonly [name: string, steps: readonly Step[]])[] = [
    [
      'the owner inserts and deletes',
      [
        ['a', create, 'ok'],
        ['a', insert, 'ok'],
        ['a', remove, 'ok'],
      ],
    ],
    [
      'a graph is made once',
      [
        ['a', create, 'ok'],
        ['b', create, 'receipt GRAPH_EXISTS'],
      ],
    ],
    [
      'statements need a graph',
      [
        ['a', insert, 'receipt GRAPH_UNKNOWN'],
        ['a', remove, 'receipt GRAPH_UNKNOWN'],
      ],
    ],
    [
      'nobody writes to another one\u2019s graph',
      [
        ['a', create, 'ok'],
        ['b', insert, 'receipt NOT_OWNER'],
        ['b', remove, 'receipt NOT_OWNER'],
      ],
    ],
    ['who is no member writes nothing', [['c', create, 'receipt NOT_MEMBER']]],
    [
      'a grant lets an account write, until it is revoked',
      [
        ['a', create, 'ok'],
        ['a', graphGrant({ graph: G, account: idOf('b') }), 'ok'],
        ['a', graphGrant({ graph: G, account: idOf('b') }), 'receipt GRANT_EXISTS'],
        ['b', insert, 'ok'],
        ['b', graphGrant({ graph: G, account: idOf('c') }), 'receipt NOT_OWNER'],
        ['a', graphRevoke({ graph: G, account: idOf('b') }), 'ok'],
        ['b', remove, 'receipt NOT_OWNER'],
        ['a', graphRevoke({ graph: G, account: idOf('b') }), 'receipt GRANT_UNKNOWN'],
      ],
    ],
    [
      'a grant does not make a member',
      [
        ['a', create, 'ok'],
        ['a', graphGrant({ graph: G, account: idOf('c') }), 'ok'],
        ['c', insert, 'receipt NOT_MEMBER'],
      ],
    ],
    [
      'the owner needs no grant',
      [
        ['a', create, 'ok'],
        ['a', graphGrant({ graph: G, account: idOf('a') }), 'receipt GRANT_EXISTS'],
      ],
    ],
  ]
  for (const [name, steps] of cases) {
    test(name, () => {
      const world = newWorld()
      for (const [sender, operation, outcome] of steps) world.assertOutcome(outcome, sender, operation)
    })
  }

  test('under policy open any account makes graphs', () => {
    newWorld({ policy: POLICY_OPEN }).assertOutcome('ok', 'c', create)
  })

  test('a transaction that fails changes nothing and tells nothing', () => {
    const world = newWorld()
    world.assertOutcome('ok', 'a', create)
    world.assertOutcome(
      'receipt GRAPH_UNKNOWN',
      'a',
      insert,
      graphDelete({ graph: H, statements: STATEMENTS }),
    )
    assert.deepEqual(textsOf(world, G), [])
    assert.deepEqual(world.ledger.graphChanges(world.state), [])
  })

  test('who said what when is in the state: owners, counts, grants, heights, signers', () => {
    const world = newWorld()
    world.assertOutcome('ok', 'a', create, graphCreate({ graph: H }))
    world.assertOutcome(
      'ok',
      'a',
      graphGrant({ graph: G, account: idOf('b') }),
      graphInsert({ graph: G, statements: STATEMENTS.slice(1) }),
    )
    world.assertOutcome('ok', 'b', insert)
    const source = sourceOf(world)
    const graph = { name: G, owner: idOf('a'), height: 1, statements: 3, isGated: false }
    assert.deepEqual(graphOf(source, G), graph)
    assert.equal(graphOf(source, `${G}x`), null)
    const all = [...graphsOf(source)]
    assert.deepEqual(all.map(({ name }) => name).sort(), [G, H])
    assert.deepEqual([...graphsOf(source, all[0]!.name)], all.slice(1))
    assert.deepEqual([...grantsOf(source, G)], [{ account: idOf('b'), since: 2 }])
    const ofA = [...statementsOf(source, G, { subject: '<urn:a>' })]
    const said = ofA.map(({ text, height, sender }) => [text, height, bytesToHex(sender)] as const)
    assert.deepEqual(
      said.sort(([, a], [, b]) => a - b),
      [
        [STATEMENTS[1], 2, bytesToHex(idOf('a'))],
        [STATEMENTS[0], 3, bytesToHex(idOf('b'))],
      ],
    )
    assert.deepEqual([...statementsOf(source, G, { subject: '<urn:a>', after: ofA[0]!.key })], ofA.slice(1))
  })

  test('what a block changed is told, in its order, without what changed nothing', () => {
    const world = newWorld()
    world.assertOutcome('ok', 'a', create)
    const [first, ...rest] = STATEMENTS as [string, ...string[]]
    world.block((batch) => {
      batch.apply(world.transaction('a', [graphInsert({ graph: G, statements: [first, first] })]))
      batch.apply(world.transaction('a', [remove, graphInsert({ graph: G, statements: rest })], { nonce: 2 }))
    })
    const changes = world.ledger.graphChanges(world.state) ?? []
    assert.deepEqual(
      changes.map(({ kind, graph, statement }) => [kind, graph, statementText(statement)]),
      [
        ['inserted', G, first],
        ['deleted', G, first],
        ['inserted', G, rest[0]],
        ['inserted', G, rest[1]],
      ],
    )
  })

  test('what a block changed is still told when an empty one was built on it', () => {
    const world = newWorld()
    world.assertOutcome('ok', 'a', create, insert)
    const before = world.state
    world.block(() => {})
    assert.equal(world.ledger.graphChanges(before)?.length, STATEMENTS.length)
    assert.deepEqual(world.ledger.graphChanges(world.state), [])
  })

  test('the state holds what Oxigraph holds', () => {
    fc.assert(
      fc.property(fc.array(statements, { minLength: 1, maxLength: 4 }), statements, (batches, gone) => {
        const world = newWorld()
        world.assertOutcome('ok', 'a', create)
        for (const batch of batches)
          world.assertOutcome('ok', 'a', graphInsert({ graph: G, statements: batch }))
        world.assertOutcome('ok', 'a', graphDelete({ graph: G, statements: gone }))
        const held = textsOf(world, G)
        const lines = held.map((text) => quadLine(text, `<${G}>`))
        assert.deepEqual(oxigraphLines(`${lines.join('\n')}\n`), sortedLines(lines.join('\n')))
        const expected = new Set(batches.flat())
        for (const text of gone) expected.delete(text)
        assert.deepEqual(held, [...expected].sort())
        assert.equal(graphOf(sourceOf(world), G)?.statements, held.length)
      }),
      { numRuns: 60 },
    )
  })

  test('insert, then delete, leaves the root as it was; order and repetition change nothing', () => {
    fc.assert(
      fc.property(statements, fc.nat(), (all, seed) => {
        const [one, other] = [newWorld(), newWorld()]
        const cut = seed % all.length
        const turned = [...all.slice(cut), ...all.slice(0, cut)].reverse()
        const parts = [turned.slice(0, cut), turned.slice(cut), all.slice(0, 1)].filter(
          (part) => part.length > 0,
        )
        one.assertOutcome('ok', 'a', create, graphInsert({ graph: G, statements: all }))
        other.assertOutcome(
          'ok',
          'a',
          create,
          ...parts.map((part) => graphInsert({ graph: G, statements: part })),
        )
        assert.deepEqual(one.ledger.root(one.state), other.ledger.root(other.state))

        const [never, undone] = [newWorld(), newWorld()]
        never.assertOutcome('ok', 'a', create)
        undone.assertOutcome(
          'ok',
          'a',
          create,
          graphInsert({ graph: G, statements: all }),
          graphDelete({ graph: G, statements: all }),
        )
        assert.deepEqual(never.ledger.root(never.state), undone.ledger.root(undone.state))
      }),
      { numRuns: 60 },
    )
  })
})

suite('operations on graphs that no block carries', () => {
  const many = Array.from({ length: 2049 }, (_, n) => `<urn:${n}> <urn:p> "x"`)
  const misuses: readonly (readonly [string, () => unknown, string])[] = [
    ['a relative name', () => graphCreate({ graph: 'graph' }), 'GRAPH_NAME_INVALID'],
    ['a name of 1025 bytes', () => graphCreate({ graph: `urn:${'x'.repeat(1021)}` }), 'GRAPH_NAME_INVALID'],
    ['a reserved name', () => graphCreate({ graph: 'urn:althing:mine' }), 'GRAPH_NAME_RESERVED'],
    ['no statements', () => graphInsert({ graph: G, statements: [] }), 'STATEMENTS_MISSING'],
    ['2,049 statements', () => graphInsert({ graph: G, statements: many }), 'STATEMENTS_TOO_MANY'],
    ['a quad', () => graphInsert({ graph: G, statements: [`${STATEMENTS[0]} <${G}>`] }), 'QUAD_GRAPH'],
    [
      'a statement of 16,385 bytes',
      () => graphInsert({ graph: G, statements: [`<urn:a> <urn:p> "${'\u{e9}'.repeat(8184)}"`] }),
      'QUAD_TOO_LARGE',
    ],
    [
      'another form',
      () => graphDelete({ graph: G, statements: ['<urn:a> <urn:p> "a"@EN'] }),
      'QUAD_NOT_CANONICAL',
    ],
    ['a blank node', () => graphInsert({ graph: G, statements: ['_:a <urn:p> "a"'] }), 'BLANK_NODE'],
    [
      'an account id of 31 bytes',
      () => graphGrant({ graph: G, account: new Uint8Array(31) }),
      'OPERATION_MALFORMED',
    ],
  ]
  for (const [name, build, code] of misuses) {
    test(`${name}: ${code}`, () => {
      assert.throws(build, (error) => error instanceof OperationError && error.code === code)
    })
  }

  test('the fault says where in the operation, and the form that it should have', () => {
    const { module, body } = graphInsert({ graph: G, statements: STATEMENTS })
    const text = new TextDecoder('latin1').decode(body)
    const broken = Uint8Array.from(text.replace('"1"', "'1'"), (character) => character.charCodeAt(0))
    const world = newWorld()
    const result = world.send('a', [graphCreate({ graph: G }), { module, body: broken }])
    assert.ok(!result.ok)
    assert.equal(result.fault.code, 'QUAD_SYNTAX')
    assert.match(result.fault.message, /^operation 1: line 1, column 17: /)
  })

  test('any bytes are read without throwing', () => {
    const world = newWorld()
    fc.assert(
      fc.property(
        fc.constantFrom(0, 1, 2, 3, 4, 5),
        fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.string().map(utf8ToBytes)),
        (kind, rest) => {
          world.transaction('a', [])
          const result = world.send('a', [{ module: 3, body: Uint8Array.of(kind, ...rest) }])
          assert.equal(typeof result.ok, 'boolean')
        },
      ),
      { numRuns: 200 },
    )
  })
})
