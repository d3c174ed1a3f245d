/**
 * The voting rules, exhaustively: every state of four and five authorities, one of them Byzantine, over two views; and
 * each broken rule is caught (consensus rules, verification plan). Three views: `npm run verify`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check } from '../model/checker.ts'
import { BROKEN_RULES, FIVE, RULES } from '../model/rules.ts'
import type { Rules } from '../model/rules.ts'

const sizes: readonly [string, Rules, number][] = [
  ['four authorities, equivocation', RULES, 45_874],
  ['four, ordinary beside boundary', { ...RULES, blocks: ['ordinary', 'boundary'] }, 35_732],
  ['four, boundary beside boundary', { ...RULES, blocks: ['boundary', 'boundary'] }, 25_590],
  ['five authorities need four votes', { ...RULES, ...FIVE }, 194_574],
]

for (const [name, rules, states] of sizes) {
  test(`every state of two views is good: ${name}`, () => {
    const outcome = check(rules)
    assert.equal(outcome.violation, null)
    assert.equal(outcome.states, states, 'as docs/verification.md says')
  })
}

for (const { name, rules, finds } of BROKEN_RULES) {
  test(`a broken rule is caught: ${name}`, () => {
    assert.match(check(rules).violation ?? 'nothing is wrong', finds)
  })
}
