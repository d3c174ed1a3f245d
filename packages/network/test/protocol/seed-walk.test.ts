import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseSeed, SeedWalk } from '../../src/protocol/seed-walk.ts'

const A = '/ip4/192.0.2.1/tcp/9000/p2p/12D3KooWa'
const B = '/dns/b.example/tcp/443/wss/p2p/12D3KooWb'
const ANYONE = '/ip4/192.0.2.3/tcp/9000'

type Zone = Readonly<Record<string, readonly string[]>>

/** @returns what was found and how often was asked. */
function walk(seeds: readonly string[], zone: Zone): { found: string[]; questions: number } {
  const walked = new SeedWalk(seeds.map((seed) => parseSeed(seed)!))
  let questions = 0
  for (let batch = walked.next(); batch.length > 0; batch = walked.next()) {
    questions += batch.length
    for (const question of batch) walked.answered(question, zone[question.name] ?? [])
  }
  const found = walked.addresses.map(({ text, peer }) => (peer === null ? text : `${text}/p2p/${peer}`))
  return { found, questions }
}

/** `s1` leads to `s2`, and so on; each also has one address. */
function chainOf(length: number): Zone {
  const names = Array.from({ length }, (_, i) => i + 1)
  return Object.fromEntries(
    names.map((i) => [`_dnsaddr.s${i}`, [`dnsaddr=/dnsaddr/s${i + 1}`, `dnsaddr=/ip4/192.0.2.${i}/tcp/1`]]),
  )
}

describe('DNS seeds (VC-9)', () => {
  const rows: { what: string; seeds: string[]; zone: Zone; found: string[] }[] = [
    {
      what: 'the addresses of a name',
      seeds: ['/dnsaddr/x.example'],
      zone: { '_dnsaddr.x.example': [`dnsaddr=${A}`, `dnsaddr=${B}`, `dnsaddr=${ANYONE}`] },
      found: [A, B, ANYONE],
    },
    {
      what: 'a plain name by its own records too',
      seeds: ['x.example'],
      zone: { 'x.example': ['v=spf1 -all', `dnsaddr=${A}`], '_dnsaddr.x.example': [`dnsaddr=${B}`] },
      found: [B, A],
    },
    {
      what: 'names that lead to names',
      seeds: ['/dnsaddr/x.example'],
      zone: {
        '_dnsaddr.x.example': ['dnsaddr=/dnsaddr/y.example'],
        '_dnsaddr.y.example': [`dnsaddr=${A}`],
      },
      found: [A],
    },
    {
      what: 'only the peer that a seed names, also behind another name',
      seeds: ['/dnsaddr/x.example/p2p/12D3KooWb'],
      zone: {
        '_dnsaddr.x.example': [`dnsaddr=${A}`, `dnsaddr=${ANYONE}`, 'dnsaddr=/dnsaddr/y.example'],
        '_dnsaddr.y.example': [`dnsaddr=${A}`, `dnsaddr=${B}`],
      },
      found: [B],
    },
    {
      what: 'nothing in what is no address',
      seeds: ['/dnsaddr/x.example'],
      zone: { '_dnsaddr.x.example': ['dnsaddr=', 'dnsaddr=/onion/x', 'dnsaddr=x.example', A, ''] },
      found: [],
    },
    {
      what: 'the end of a circle',
      seeds: ['/dnsaddr/x.example'],
      zone: { '_dnsaddr.x.example': ['dnsaddr=/dnsaddr/x.example', `dnsaddr=${A}`] },
      found: [A],
    },
    {
      what: 'depth 4 and no further',
      seeds: ['/dnsaddr/s1'],
      zone: chainOf(9),
      found: [1, 2, 3, 4].map((i) => `/ip4/192.0.2.${i}/tcp/1`),
    },
  ]
  for (const { what, seeds, zone, found } of rows) {
    test(`finds ${what}`, () => assert.deepEqual(walk(seeds, zone).found, found))
  }

  test('a hostile zone costs at most 32 questions and 128 addresses', () => {
    const many = (make: (i: number) => string) => Array.from({ length: 500 }, (_, i) => `dnsaddr=${make(i)}`)
    const names = walk(['/dnsaddr/x'], { '_dnsaddr.x': many((i) => `/dnsaddr/n${i}`) })
    assert.equal(names.questions, 32)
    const addresses = walk(['/dnsaddr/x'], { '_dnsaddr.x': many((i) => `/ip4/192.0.2.1/tcp/${i + 1}`) })
    assert.equal(addresses.found.length, 128)
  })

  for (const text of [
    '',
    '/dnsaddr/',
    '/dnsaddr/x/tcp/1',
    '/dnsaddr/x/p2p/',
    '/ip4/1.2.3.4/tcp/1',
    'a b',
    'a:1',
  ]) {
    test(`"${text}" is no seed`, () => assert.equal(parseSeed(text), null))
  }
})
