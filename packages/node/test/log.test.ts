import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import type { Log } from '@althing/base'
import { createLog } from '../src/log.ts'
import type { LogOptions } from '../src/log.ts'

function capture(options: LogOptions): { readonly lines: string[]; readonly log: Log } {
  const lines: string[] = []
  return { lines, log: createLog(options, { write: (line) => lines.push(line) }) }
}

test('a line for people has time, level, message and fields', () => {
  const { lines, log } = capture({ level: 'info', format: 'text' })
  log.debug('not this')
  log.with({ peer: 'p1' }).warn('connected', { why: 'two words', count: 3 })
  assert.equal(lines.length, 1)
  assert.match(
    lines[0]!,
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARN {2}connected {2}peer=p1 {2}why="two words" {2}count=3\n$/,
  )
})

test('a line for programs is one JSON object, whatever is in it', () => {
  const { lines, log } = capture({ level: 'debug', format: 'json' })
  log.debug('failed\nbadly', { code: 'X' })
  assert.equal(lines[0]!.split('\n').length, 2)
  const { time, ...rest } = JSON.parse(lines[0]!) as Record<string, unknown>
  assert.equal(typeof time, 'string')
  assert.deepEqual(rest, { level: 'debug', msg: 'failed\nbadly', code: 'X' })
})

test('a silent log writes nothing', () => {
  const { lines, log } = capture({ level: 'silent', format: 'text' })
  log.error('nobody hears')
  assert.deepEqual(lines, [])
})
