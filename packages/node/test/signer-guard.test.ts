import { strict as assert } from 'node:assert'
import { mkdtempSync, openSync, closeSync, rmSync, writeSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { FINALIZE, NOTARIZE, NULLIFY, ZERO_HASH } from '@althing/base'
import type { Result, VoteKind } from '@althing/base'
import { judgeVote, newGuardState } from '../src/signer/guard.ts'
import type { GuardState } from '../src/signer/guard.ts'
import { createGuardFile, openGuardFile } from '../src/signer/guard-file.ts'

const genesis = new Uint8Array(32).fill(1)
const key = new Uint8Array(32).fill(2)
const a = new Uint8Array(32).fill(0xa)
const b = new Uint8Array(32).fill(0xb)

function ask(
  state: GuardState,
  kind: VoteKind,
  view: number,
  hash = kind === NULLIFY ? ZERO_HASH : a,
  epoch = 0,
  anchor = genesis,
): Result<GuardState> {
  return judgeVote(state, { kind, view, hash, epoch, anchor })
}

/** Asks for votes in order; all but the last are given. */
function outcome(votes: readonly (readonly [VoteKind, number, Uint8Array?])[]): string {
  let state = newGuardState(genesis, key)
  for (const [index, [kind, view, hash]] of votes.entries()) {
    const judged = ask(state, kind, view, hash)
    if (index === votes.length - 1) return judged.ok ? 'given' : judged.fault.code
    assert.ok(judged.ok)
    state = judged.value
  }
  throw new Error('no votes')
}

describe('the guard of a signer (PC-3, R1)', () => {
  const rows: [string, string, Parameters<typeof outcome>[0]][] = [
    ['N', 'given', [[NOTARIZE, 1]]],
    [
      'N then N of another block',
      'VOTE_TWICE',
      [
        [NOTARIZE, 1],
        [NOTARIZE, 1, b],
      ],
    ],
    [
      'N then the same N',
      'given',
      [
        [NOTARIZE, 1],
        [NOTARIZE, 1],
      ],
    ],
    [
      'N then U',
      'given',
      [
        [NOTARIZE, 1],
        [NULLIFY, 1],
      ],
    ],
    [
      'U then N',
      'VOTE_TWICE',
      [
        [NULLIFY, 1],
        [NOTARIZE, 1],
      ],
    ],
    [
      'U then F',
      'VOTE_TWICE',
      [
        [NULLIFY, 1],
        [FINALIZE, 1],
      ],
    ],
    [
      'F then U',
      'VOTE_TWICE',
      [
        [FINALIZE, 1],
        [NULLIFY, 1],
      ],
    ],
    [
      'F then F of another block',
      'VOTE_TWICE',
      [
        [FINALIZE, 1],
        [FINALIZE, 1, b],
      ],
    ],
    [
      'N then F of another block',
      'given',
      [
        [NOTARIZE, 1],
        [FINALIZE, 1, b],
      ],
    ],
    [
      'a vote of an earlier view',
      'VOTE_TOO_OLD',
      [
        [NOTARIZE, 5],
        [NOTARIZE, 4],
      ],
    ],
    [
      'a vote of a later view',
      'given',
      [
        [NULLIFY, 5],
        [NOTARIZE, 9],
      ],
    ],
  ]
  for (const [name, expected, votes] of rows) {
    test(`${name}: ${expected}`, () => assert.equal(outcome(votes), expected))
  }

  test('knows epochs: a later one begins anew, an earlier one is over, another anchor is another chain', () => {
    const first = ask(newGuardState(genesis, key), NOTARIZE, 7)
    assert.ok(first.ok)
    const next = ask(first.value, NOTARIZE, 1, b, 1, a)
    assert.ok(next.ok)
    const faultOf = (judged: Result<unknown>): string => (judged.ok ? 'given' : judged.fault.code)
    assert.equal(faultOf(ask(next.value, NOTARIZE, 9)), 'VOTE_TOO_OLD')
    assert.equal(faultOf(ask(next.value, NOTARIZE, 2, b, 1, b)), 'VOTE_OTHER_CHAIN')
    assert.equal(faultOf(ask(newGuardState(genesis, key), NOTARIZE, 1, b, 0, a)), 'VOTE_OTHER_CHAIN')
  })
})

describe('the file of a guard', () => {
  let folder = ''
  before(() => (folder = mkdtempSync(join(tmpdir(), 'althing-guard-'))))
  after(() => rmSync(folder, { recursive: true }))

  function guardWithVote(name: string): string {
    const file = join(folder, name)
    createGuardFile(file, genesis, key)
    const guard = openGuardFile(file, genesis, key)
    const judged = ask(guard.state, NOTARIZE, 7)
    assert.ok(judged.ok)
    guard.keep(judged.value)
    guard.close()
    return file
  }

  function viewIn(file: string): number {
    const guard = openGuardFile(file, genesis, key)
    guard.close()
    return guard.state.view
  }

  test('remembers, and damage to either copy brings nothing older back', () => {
    for (const offset of [20, 4_096 + 20]) {
      const file = guardWithVote(`copy-${offset}`)
      assert.equal(viewIn(file), 7)
      const descriptor = openSync(file, 'r+')
      writeSync(descriptor, Uint8Array.of(0xff, 0xff), 0, 2, offset)
      closeSync(descriptor)
      assert.equal(viewIn(file), 7)
    }
  })

  test('is not used when it is damaged, missing, cut short, or of another key', () => {
    assert.throws(() => viewIn(join(folder, 'none')), { code: 'GUARD_MISSING' })
    const file = guardWithVote('other')
    assert.throws(() => openGuardFile(file, genesis, a), { code: 'GUARD_OF_ANOTHER' })
    assert.throws(() => openGuardFile(file, a, key), { code: 'GUARD_OF_ANOTHER' })
    assert.throws(() => createGuardFile(file, genesis, key), { code: 'GUARD_EXISTS' })
    const bytes = readFileSync(file)
    writeFileSync(
      file,
      bytes.map((byte, at) => (at % 4_096 === 30 ? byte ^ 1 : byte)),
    )
    assert.throws(() => viewIn(file), { code: 'GUARD_DAMAGED' })
    writeFileSync(file, '')
    assert.throws(() => viewIn(file), { code: 'GUARD_DAMAGED' })
  })
})
