/**
 * First light: one command starts a real network that finalises real data, and says whether it did.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { althing } from './support/network.ts'

let folder: string

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'althing-devnet-'))
})

after(() => rmSync(folder, { recursive: true, force: true }))

test('devnet --once loads the vocabularies on five nodes, checks them from outside, and continues the chain', async () => {
  const first = await althing(['devnet', '--once', '--folder', join(folder, 'net')])
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stdout, /Loaded 5,975 resources .* 37,892 statements/)
  assert.match(first.stdout, /Checked by a process of its own .* 5,975 keys and 37,892 statements/)
  assert.match(first.stdout, /All 5 nodes have state root [0-9a-f]{64} at height \d+/)
  const proved = first.stdout.match(/proved by http:\/\/\S+ at height \d+, signed by [34] authorities/g)
  assert.equal(proved?.length, 6, 'three values, each proved against certificates of two nodes')
  assert.ok(!first.stdout.includes('\u001B'), 'no cursor codes in a pipe')
  const genesis = /Genesis hash ([0-9a-f]{64})/.exec(first.stdout)![1]!

  const second = await althing(['devnet', '--once', '--folder', join(folder, 'net')])
  assert.equal(second.code, 0, second.stderr)
  assert.match(second.stdout, /continued/)
  assert.match(second.stdout, new RegExp(genesis))
  assert.match(second.stdout, /Loaded already: 5,975 resources/)
})

test('devnet in a folder that holds something else touches nothing and says so', async () => {
  const before = readdirSync(folder)
  const { code, stderr } = await althing(['devnet', '--once', '--folder', folder])
  assert.ok(code > 0)
  assert.match(stderr, new RegExp(folder))
  assert.deepEqual(readdirSync(folder), before)
})
