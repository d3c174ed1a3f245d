import { strict as assert } from 'node:assert'
import { after, describe, test } from 'node:test'
import type { RdfAnswer } from '../src/rdf/messages.ts'
import { RdfReader } from '../src/rdf/reader.ts'

const reader = new RdfReader({ timeMs: 1_500, memoryBytesMax: 300_000_000 })
after(() => reader.stop())

const turtle = (text: string): Promise<RdfAnswer | null> =>
  reader.read({ text, mediaType: 'text/turtle', graph: 'http://e/g', base: null })

async function isRead(): Promise<void> {
  const answer = await turtle('<http://e/s> <http://e/p> 1 .')
  assert.equal(answer?.kind, 'read')
  assert.equal((JSON.parse(answer.json) as { quads: number }).quads, 1)
}

async function isRefused(answer: Promise<RdfAnswer | null>, words: RegExp): Promise<void> {
  const told = await answer
  assert.equal(told?.kind, 'refused')
  assert.equal(told.code, 'RDF_TOO_COMPLEX')
  assert.match(told.message, words)
}

describe('RDF that comes by the API (PC-5)', () => {
  test('one that takes too long is ended, and the next is read', async () => {
    // Grows with the square of the nesting: minutes.
    await isRefused(
      turtle(`<a:a> <a:b> ${'('.repeat(400_000)}${')'.repeat(400_000)} .`),
      /takes more than (1500 ms|300000000 bytes)/,
    )
    await isRead()
  })

  test('one whose statements are a thousand times as long as their text is ended, and the next is read', async () => {
    const statements = Array.from({ length: 20_000 }, (_, i) => `p:${i} p:p p:o.`).join('\n')
    await isRefused(
      turtle(`@prefix p: <http://e/${'x'.repeat(500_000)}> .\n${statements}`),
      /takes more than/,
    )
    await isRead()
  })

  test('one that breaks the parser is refused, and the next is read', async () => {
    const nested = `${'{"http://e/p":'.repeat(1_000)}1${'}'.repeat(1_000)}`
    const jsonLd = { mediaType: 'application/ld+json', graph: 'http://e/g', base: null } as const
    await isRefused(reader.read({ ...jsonLd, text: nested }), /too deeply nested/)
    await isRead()
  })

  test('a bounded number wait', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => turtle('<a:s> <a:p> 1 .')))
    assert.equal(answers.filter((answer) => answer?.kind === 'read').length, 16)
    assert.equal(answers.filter((answer) => answer === null).length, 4)
  })

  test('syntax errors have line and column', async () => {
    const answer = await turtle('<a:s> <a:p>\n  oops .')
    assert.equal(answer?.kind, 'refused')
    assert.deepEqual([answer.code, answer.position?.line], ['RDF_SYNTAX', 2])
    assert.equal(answer.isBroken, false)
  })
})
