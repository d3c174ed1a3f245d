import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import { silentLog } from '@althing/base'
import type { Clock } from '@althing/base'
import { QueryFault } from '../src/sparql/fault.ts'
import { Queries } from '../src/sparql/queries.ts'
import type { QueriesOptions, QueryAnswer, QueryLimits, QueryRequest } from '../src/sparql/queries.ts'
import type { GraphSource } from '../src/sparql/source.ts'

const clock: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }
const LIMITS: QueryLimits = {
  timeMs: 10_000,
  rowsMax: 1_000,
  bytesMax: 1_000_000,
  memoryBytesMax: 2_000_000_000,
  waitingMax: 8,
}
/** Ten thousand million combinations. */
const ENDLESS = 'SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }'

function line(subject: string, value: number, graph = 'g'): string {
  return `<http://e/${subject}> <http://e/p> "${value}" <http://e/${graph}> .\n`
}

/** Of block h all statements s0 … sh. */
const source: GraphSource = {
  height: 300,
  read(height) {
    if (height < 100 || height > 300) return null
    // What is on disk is the state after every tenth block.
    const base = height - (height % 10)
    const lines = Array.from({ length: height }, (_, i) => line(`s${i}`, i, i % 2 === 0 ? 'even' : 'odd'))
    const blocks = lines.slice(base).map((inserted, i) => ({ height: base + i + 1, deleted: '', inserted }))
    return { height: base, statements: lines.slice(0, base), blocks }
  },
  isSame: (height, other) => height === other,
  stateRoot: (height) => (height < 100 ? null : `root of ${height}`),
}

async function withQueries(
  run: (
    ask: (query: string, changed?: Partial<QueryRequest>) => Promise<QueryAnswer>,
    queries: Queries,
  ) => Promise<void>,
  changed: { limits?: Partial<QueryLimits>; copies?: number } & Partial<Pick<QueriesOptions, 'source'>> = {},
): Promise<void> {
  const limits = { ...LIMITS, ...changed.limits }
  const queries = new Queries({ source, clock, log: silentLog, copies: 2, ...changed, limits })
  try {
    await queries.ready()
    await run(
      (query, more = {}) =>
        queries.query({
          query,
          mediaType: 'text/csv',
          defaultGraphs: null,
          namedGraphs: null,
          unionDefault: true,
          height: null,
          client: '127.0.0.1',
          ...more,
        }),
      queries,
    )
  } finally {
    await queries.stop()
  }
}

function fault(code: QueryFault['code'], words: RegExp) {
  return (error: unknown): true => {
    assert.ok(error instanceof QueryFault, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, words)
    return true
  }
}

const COUNT = 'SELECT (COUNT(*) AS ?n) { ?s ?p ?o }'

describe('queries over the final graphs (PC-6)', () => {
  test('an answer names its height and state root', () =>
    withQueries(async (ask) => {
      const answer = await ask('SELECT ?o { <http://e/s7> ?p ?o }')
      assert.deepEqual(answer, { text: 'o\r\n7\r\n', rows: 1, height: 300, stateRoot: 'root of 300' })
    }))

  test('graphs: all together, those asked for, those of the query', () =>
    withQueries(async (ask) => {
      const graphs = { unionDefault: false, defaultGraphs: ['http://e/even'] }
      assert.equal((await ask(COUNT)).text, 'n\r\n300\r\n')
      assert.equal((await ask(COUNT, graphs)).text, 'n\r\n150\r\n')
      const named = { unionDefault: false, namedGraphs: ['http://e/odd'] }
      assert.equal(
        (await ask('SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }', named)).text,
        'g\r\nhttp://e/odd\r\n',
      )
      const from = 'SELECT (COUNT(*) AS ?n) FROM <http://e/odd> { ?s ?p ?o }'
      assert.equal((await ask(from, { unionDefault: false })).text, 'n\r\n150\r\n')
    }))

  test('a copy that has much to catch up with is not taken for a query that takes long', () =>
    withQueries(
      async (ask, queries) => {
        const inserted = Array.from({ length: 200_000 }, (_, n) => line(`late${n}`, n)).join('')
        queries.follow({ height: 301, deleted: '', inserted })
        assert.equal((await ask('ASK { <http://e/late7> ?p ?o }')).height, 301)
      },
      { limits: { timeMs: 200 } },
    ))

  test('follows blocks, in all copies alike', () =>
    withQueries(async (ask, queries) => {
      queries.follow({
        height: 301,
        deleted: line('s0', 0, 'even'),
        inserted: line('new', 1) + line('new', 2),
      })
      queries.follow({ height: 302, deleted: line('new', 1), inserted: '' })
      for (let i = 0; i < 4; i++) {
        const answers = await Promise.all([ask(COUNT), ask('SELECT ?o { <http://e/new> ?p ?o }')])
        assert.deepEqual(
          answers.map(({ text }) => text),
          ['n\r\n300\r\n', 'o\r\n2\r\n'],
        )
        assert.deepEqual(
          answers.map(({ height }) => height),
          [302, 302],
        )
      }
    }))

  test('blocks that become final while a copy is being built are not missed', async () => {
    const queries = new Queries({ source, clock, log: silentLog, copies: 1, limits: LIMITS })
    queries.follow({ height: 301, deleted: '', inserted: line('new', 1) })
    try {
      const request = {
        defaultGraphs: null,
        namedGraphs: null,
        unionDefault: true,
        height: null,
        client: 'c',
      }
      const answer = await queries.query({ ...request, query: COUNT, mediaType: 'text/csv' })
      assert.deepEqual([answer.text, answer.height], ['n\r\n301\r\n', 301])
    } finally {
      await queries.stop()
    }
  })

  test('a past height is answered as it was', () =>
    withQueries(async (ask) => {
      const past = await ask(COUNT, { height: 120 })
      assert.deepEqual(past, { text: 'n\r\n120\r\n', rows: 1, height: 120, stateRoot: 'root of 120' })
      assert.equal((await ask(COUNT, { height: 137 })).text, 'n\r\n137\r\n')
      assert.equal((await ask(COUNT)).text, 'n\r\n300\r\n')
      await assert.rejects(ask(COUNT, { height: 99 }), fault('HEIGHT_NOT_KEPT', /height 99 .* newest is 300/))
      await assert.rejects(ask(COUNT, { height: 301 }), fault('HEIGHT_NOT_KEPT', /height 301/))
    }))

  test('a malformed query is told where', () =>
    withQueries(async (ask) => {
      await assert.rejects(
        ask('SELECT *\n{ ?s foo:b ?p }'),
        fault('SPARQL_SYNTAX', /^error at 2:11: a prefix that is not declared/),
      )
      await assert.rejects(ask('SELECT * {'), fault('SPARQL_SYNTAX', /^error at 2:9: expected OPTIONAL/))
    }))

  test('over a limit, the answer says which', () =>
    withQueries(
      async (ask) => {
        const all = 'SELECT * { ?s ?p ?o }'
        await assert.rejects(ask(all), fault('QUERY_TOO_MANY_ROWS', /more than 10 rows.*LIMIT/))
        assert.equal((await ask(`${all} LIMIT 10`)).rows, 10)
        const long = `SELECT (GROUP_CONCAT(STR(?s)) AS ?all) { ?s ?p ?o }`
        await assert.rejects(ask(long), fault('QUERY_TOO_LARGE', /at most 500/))
      },
      { limits: { rowsMax: 10, bytesMax: 500 } },
    ))

  test('what is constructed is whole, or refused for its number of statements, in every form', () =>
    withQueries(
      async (ask) => {
        const types = ['text/turtle', 'application/n-triples', 'application/n-quads', 'application/trig']
        for (const mediaType of [...types, 'application/ld+json', 'application/rdf+xml']) {
          // Of 300 solutions all but the first are of statements that were there already, or of the other graph.
          const few = 'CONSTRUCT { <http://e/all> <http://e/has> ?g } { GRAPH ?g { ?s ?p ?o } }'
          const answer = await ask(few, { mediaType, unionDefault: false })
          assert.equal(answer.rows, 2, mediaType)
          assert.match(answer.text, /odd/)
          assert.match(answer.text, /even/)
          const many = 'CONSTRUCT WHERE { ?s ?p ?o }'
          await assert.rejects(ask(many, { mediaType }), fault('QUERY_TOO_MANY_ROWS', /more than 10 rows/))
          const described = ask('DESCRIBE ?s { ?s ?p ?o }', { mediaType })
          await assert.rejects(described, fault('QUERY_TOO_MANY_ROWS', /more than 10 rows/))
        }
      },
      { limits: { rowsMax: 10 } },
    ))

  test('one that does not end is ended, and the next is served by the other copy', () =>
    withQueries(
      async (ask) => {
        const endless = ask(ENDLESS, { client: 'bad' })
        const others = Array.from({ length: 4 }, () => ask(COUNT))
        await assert.rejects(endless, fault('QUERY_TIMEOUT', /ended after 300 ms/))
        for (const { text } of await Promise.all(others)) assert.equal(text, 'n\r\n300\r\n')
        // Both copies are there again.
        await Promise.all([ask(COUNT), ask(COUNT)])
      },
      { limits: { timeMs: 300 } },
    ))

  test('two heavy queries at once leave a copy to the others, once they are known', () =>
    withQueries(
      async (ask) => {
        await assert.rejects(ask(ENDLESS, { client: 'a' }), fault('QUERY_TIMEOUT', /ended/))
        await ask(COUNT)
        const heavy = [ask(ENDLESS, { client: 'b' }), ask(ENDLESS, { client: 'c' })]
        const settled = Promise.allSettled(heavy)
        assert.equal((await ask(COUNT)).rows, 1)
        assert.deepEqual(
          (await settled).map(({ status }) => status),
          ['rejected', 'rejected'],
        )
      },
      { limits: { timeMs: 500 } },
    ))

  test('one that needs too much memory is ended', () =>
    withQueries(
      async (ask) => {
        const growing = 'SELECT ?a ?d ?g { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?c ?f ?i ?a ?d ?g'
        await assert.rejects(ask(growing), fault('QUERY_OUT_OF_MEMORY', /more than 100000000 bytes/))
        assert.equal((await ask(COUNT)).rows, 1)
      },
      { limits: { timeMs: 60_000, memoryBytesMax: 100_000_000 } },
    ))

  const breaking: readonly [string, string][] = [
    ['deeply nested', `SELECT * ${'{'.repeat(5_000)}${'}'.repeat(5_000)}`],
    ['a long chain', `SELECT * { ?s ?p ?o FILTER(1${'||1'.repeat(15_000)}) }`],
  ]
  for (const [what, query] of breaking) {
    test(`one that breaks its copy (${what}) harms nobody else: the copy is made anew`, () =>
      withQueries(async (ask) => {
        for (let i = 0; i < 3; i++) {
          await assert.rejects(ask(query, { client: 'bad' }), fault('QUERY_TOO_COMPLEX', /split it/))
          assert.equal((await ask(COUNT)).text, 'n\r\n300\r\n')
        }
        const both = await Promise.all([ask(COUNT), ask(COUNT)])
        assert.deepEqual(
          both.map(({ text }) => text),
          ['n\r\n300\r\n', 'n\r\n300\r\n'],
        )
        await assert.rejects(ask(COUNT, { client: 'bad' }), fault('QUERY_THROTTLED', /wait/))
      }))
  }

  test('a state that is pruned while a copy reads it is read again', async () => {
    let reads = 0
    const pruned: GraphSource = {
      ...source,
      read(height) {
        const reading = source.read(height)
        if (reads++ > 0 || reading === null) return reading
        const statements = function* (): Generator<string> {
          yield line('s', 1)
          throw new Error('page 7 is not in the store')
        }
        return { ...reading, statements: statements() }
      },
    }
    const queries = new Queries({ source: pruned, clock, log: silentLog, copies: 1, limits: LIMITS })
    try {
      const answer = await queries.query({
        query: COUNT,
        mediaType: 'text/csv',
        defaultGraphs: null,
        namedGraphs: null,
        unionDefault: true,
        height: null,
        client: 'c',
      })
      assert.equal(answer.text, 'n\r\n300\r\n')
    } finally {
      await queries.stop()
    }
  })

  test('blocks that are in the state already when they are followed change nothing', async () => {
    const queries = new Queries({ source, clock, log: silentLog, copies: 1, limits: LIMITS })
    // Block 299 put s298 in, and an older one had taken s0 out again: both are in what is read.
    queries.follow({ height: 299, deleted: line('s7', 7, 'odd'), inserted: line('gone', 1) })
    queries.follow({ height: 300, deleted: line('s8', 8, 'even'), inserted: '' })
    try {
      const request = {
        defaultGraphs: null,
        namedGraphs: null,
        unionDefault: true,
        height: null,
        client: 'c',
      }
      const answer = await queries.query({ ...request, query: COUNT, mediaType: 'text/csv' })
      assert.deepEqual([answer.text, answer.height], ['n\r\n300\r\n', 300])
    } finally {
      await queries.stop()
    }
  })

  test('queries at past heights that wait are bounded, and end when the node stops', async () => {
    const queries = new Queries({ source, clock, log: silentLog, copies: 1, limits: LIMITS })
    const past = { query: COUNT, mediaType: 'text/csv', unionDefault: true, height: 120, client: 'c' }
    const asked = Array.from({ length: 20 }, () =>
      queries.query({ ...past, defaultGraphs: null, namedGraphs: null }),
    )
    const settled = Promise.allSettled(asked)
    await asked[0]
    await queries.stop()
    const codes = (await settled).map((each) =>
      each.status === 'fulfilled' ? each.value.text : (each.reason as QueryFault).code,
    )
    assert.equal(codes[0], 'n\r\n120\r\n')
    assert.equal(codes.filter((code) => code === 'QUERY_QUEUE_FULL').length, 4)
  })

  test('who had several ended waits; others do not', () =>
    withQueries(
      async (ask) => {
        for (let i = 0; i < 3; i++) await assert.rejects(ask(`${ENDLESS} #${i}`, { client: 'bad' }))
        await assert.rejects(ask(COUNT, { client: 'bad' }), (error) => {
          fault('QUERY_THROTTLED', /wait \d+ s/)(error)
          assert.ok((error as QueryFault).retryAfterMs! > 0)
          return true
        })
        assert.equal((await ask(COUNT, { client: 'good' })).rows, 1)
      },
      { limits: { timeMs: 200 } },
    ))

  test('many that do not end, sent at once: after the third the others are refused unasked', () =>
    withQueries(
      async (ask) => {
        const endless = Array.from({ length: 6 }, (_, i) => ask(`${ENDLESS} #${i}`, { client: 'bad' }))
        const ended = await Promise.allSettled(endless)
        const codes = ended.map((each) => each.status === 'rejected' && (each.reason as QueryFault).code)
        assert.equal(codes.at(-1), 'QUERY_THROTTLED')
        assert.ok(codes.filter((code) => code === 'QUERY_TIMEOUT').length <= 4)
        assert.equal((await ask(COUNT)).rows, 1)
      },
      { limits: { timeMs: 200, waitingMax: 16 } },
    ))

  test('the queue is bounded', () =>
    withQueries(
      async (ask) => {
        const running = [ask(ENDLESS, { client: 'a' }), ask(`${ENDLESS} #`, { client: 'b' })]
        const waiting = [ask(COUNT), ask(COUNT)]
        await assert.rejects(ask(COUNT), fault('QUERY_QUEUE_FULL', /2 queries from here wait/))
        waiting.push(ask(COUNT, { client: 'c' }), ask(COUNT, { client: 'd' }))
        await assert.rejects(ask(COUNT, { client: 'e' }), fault('QUERY_QUEUE_FULL', /4 queries wait/))
        await Promise.allSettled([...running, ...waiting])
      },
      { limits: { timeMs: 300, waitingMax: 4 } },
    ))
})
