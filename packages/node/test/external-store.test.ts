/** A SPARQL 1.1 server outside the node holds its graphs (PC-6): another process, kept in step by SPARQL Update. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { graphCreate, graphDelete, graphInsert, portableSigner } from '@althing/base'
import type { ApiError, ExternalGraphsJson } from '@althing/client'
import { GraphWorld, sortedLines, until } from './graph-world.ts'
import type { ServerOrder } from './sparql-server-process.ts'

const TOKEN = 'a secret of more than sixteen characters'
const GRAPH = 'http://e/graph'
const writer = portableSigner(new Uint8Array(32).fill(50))
/** With all that SPARQL and N-Quads write differently. */
const ODD =
  '<http://e/s> <http://e/p> "a \\\\u0041 \\\\U00000041 \\\\\\\\u \\" \\n \\t \\u0001 { } # é 中"@en'
const statement = (n: number): string => `<http://e/s${n}> <http://e/p> "${n}"`
const line = (text: string): string => `${text} <${GRAPH}> .`

class Server {
  readonly #child: ChildProcess
  #url = ''

  constructor() {
    this.#child = fork(new URL('./sparql-server-process.ts', import.meta.url), [TOKEN])
  }

  async ready(): Promise<{ externalQuery: string; externalUpdate: string }> {
    const [{ port }] = (await once(this.#child, 'message')) as [{ port: number }]
    this.#url = `http://127.0.0.1:${port}`
    return { externalQuery: `${this.#url}/query`, externalUpdate: `${this.#url}/update` }
  }

  async tell(order: ServerOrder): Promise<{ readonly dump: string; readonly updates: number }> {
    this.#child.send(order)
    const [answer] = (await once(this.#child, 'message')) as [{ dump: string; updates: number }]
    return answer
  }

  /** What the chain's graphs are there, in order. */
  async statements(): Promise<string[]> {
    const { dump } = await this.tell('dump')
    return sortedLines(dump).filter((each) => !each.includes('urn:althing:index'))
  }

  async stop(): Promise<void> {
    this.#child.kill()
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
  }
}

describe('a SPARQL server outside the node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'althing-external-'))
  const tokenFile = join(folder, 'token')
  const world = new GraphWorld(1, [writer])
  let server: Server
  let urls: { externalQuery: string; externalUpdate: string }

  const start = () => world.start(0, { ...urls, externalTokenFile: tokenFile })
  const status = (): ExternalGraphsJson => world.nodes[0]!.backend.info().external_graphs!
  const inStep = () =>
    until('the server is in step', () => status().state === 'in_step' && status().height === world.height(0))
  const insert = (...statements: string[]) =>
    world.write(0, writer, [graphInsert({ graph: GRAPH, statements })])

  before(async () => {
    writeFileSync(tokenFile, TOKEN)
    server = new Server()
    urls = await server.ready()
    await start()
    await world.write(0, writer, [graphCreate({ graph: GRAPH })])
  })
  after(async () => {
    await world[Symbol.asyncDispose]()
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  test('has after each block what the state has, and answers with height and root', async () => {
    await insert(ODD, statement(1), statement(2))
    const height = await world.write(0, writer, [
      graphDelete({ graph: GRAPH, statements: [statement(1)] }),
      graphInsert({ graph: GRAPH, statements: [statement(3)] }),
    ])
    await inStep()
    const { lines, height: answered } = await world.asked(0, height)
    assert.deepEqual(lines, [ODD, statement(2), statement(3)].map((text) => `${text} .`).sort())
    assert.deepEqual(await server.statements(), [ODD, statement(2), statement(3)].map(line).sort())
    const { block } = world.nodes[0]!.backend.block(answered)!
    const ask = await world.client(0).query('ASK {}')
    assert.ok(ask.height >= answered)
    assert.equal(block.header.height, answered)
  })

  test('shows nothing of its own in queries, and refuses what no height has', async () => {
    await inStep()
    const named = await world
      .client(0)
      .query('SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }', { accept: 'text/csv' })
    assert.equal(named.text, `g\r\n${GRAPH}\r\n`)
    const old = world.client(0).query('ASK {}', { height: 1 })
    await assert.rejects(old, (error: ApiError) => error.code === 'HEIGHT_NOT_KEPT')
    const wrong = world.client(0).query('SELECT * { ?s')
    await assert.rejects(wrong, (error: ApiError) => error.code === 'SPARQL_FAILED')
  })

  test('may be away: the node goes on and says so, and what was missed follows', async () => {
    await inStep()
    await server.tell('away')
    await insert(statement(4))
    await until('the node knows', () => status().state === 'away')
    assert.match(status().problem ?? '', /cannot be reached/)
    const asked = world.client(0).query('ASK {}')
    await assert.rejects(asked, (error: ApiError) => error.code === 'GRAPH_LOADING')
    await insert(statement(5))
    await server.tell('back')
    await inStep()
    const { lines } = await world.asked(0, 0)
    assert.ok(lines.includes(`${statement(4)} .`) && lines.includes(`${statement(5)} .`))
    assert.equal(status().problem, null)
  })

  test('gets each block once, also when its answers are lost', async () => {
    await inStep()
    const before = (await server.tell('loseAnswers')).updates
    await world.write(0, writer, [graphDelete({ graph: GRAPH, statements: [statement(5)] })])
    await until('an update was done', async () => (await server.tell('dump')).updates > before)
    await server.tell('keepAnswers')
    await insert(statement(5))
    await inStep()
    assert.ok((await server.statements()).includes(line(statement(5))))
  })

  test('gets a block that is too much for one update in parts, also when it goes away between them', async () => {
    await inStep()
    const many = Array.from({ length: 2_500 }, (_, n) => `<http://e/many${n}> <http://e/p> "${n}"`)
    const halves = [many.slice(0, 1_250), many.slice(1_250)]
    const { updates } = await server.tell('loseAnswers')
    await world.write(
      0,
      writer,
      halves.map((statements) => graphInsert({ graph: GRAPH, statements })),
    )
    await until('a part was done', async () => (await server.tell('dump')).updates > updates + 2)
    await server.tell('keepAnswers')
    await inStep()
    const held = new Set(await server.statements())
    assert.ok(many.every((text) => held.has(line(text))))
    await world.write(
      0,
      writer,
      halves.map((statements) => graphDelete({ graph: GRAPH, statements })),
    )
    await until(
      'they are gone',
      async () => !(await server.statements()).some((each) => each.includes('many')),
    )
    await inStep()
  })

  test('goes on where it was when the node starts again', async () => {
    await inStep()
    await insert(statement(6))
    await inStep()
    const kept = await server.statements()
    const { updates } = await server.tell('dump')
    await world.stop(0)
    await start()
    await inStep()
    assert.deepEqual(await server.statements(), kept)
    assert.ok((await server.tell('dump')).updates - updates <= 3, 'it was not filled again')
  })

  test('that lost everything is filled again from the chain', async () => {
    await inStep()
    const kept = await server.statements()
    await server.stop()
    server = new Server()
    urls = await server.ready()
    await world.stop(0)
    await start()
    await inStep()
    assert.deepEqual(await server.statements(), kept)
  })

  test('with statements of somebody else is left alone', async () => {
    await world.stop(0)
    const headers = { 'content-type': 'application/sparql-update', authorization: `Bearer ${TOKEN}` }
    const update = async (body: string): Promise<void> => {
      const { status: code } = await fetch(urls.externalUpdate, { method: 'POST', headers, body })
      assert.equal(code, 204)
    }
    await update('DROP ALL; INSERT DATA { <http://e/a> <http://e/b> <http://e/c> }')
    await start()
    await until('the node refuses', () => /not of this node/.test(status().problem ?? ''))
    assert.deepEqual(await server.statements(), ['<http://e/a> <http://e/b> <http://e/c> .'])
    await update('DROP ALL')
    await inStep()
  })
})
