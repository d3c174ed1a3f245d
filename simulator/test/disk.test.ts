/**
 * What the real vote log files keep on disks that fail (R2, R12).
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NULLIFY, ZERO_HASH } from '@althing/base'
import * as chain from '@althing/chain'
import { createVoteLogFiles, openSegments } from 'althing/vote-log'
import type { OpenedSegments } from 'althing/vote-log'
import { Prng, SimulatedDisk } from '../src/index.ts'

const SEEDS = 200
const identity = { genesis: ZERO_HASH, key: new Uint8Array(32).fill(7) }

interface Tried {
  readonly disk: SimulatedDisk
  readonly open: () => OpenedSegments
}

function newLog(seed: number): Tried {
  const prng = new Prng(seed, 1)
  const disk = new SimulatedDisk(prng)
  const ports = { disk, codec: chain, nonce: () => prng.bytes(32) }
  createVoteLogFiles('/votes', identity, ports)
  return { disk, open: () => openSegments('/votes', identity, ports) }
}

function voteRecord(view: number): Uint8Array {
  const signature = new Uint8Array(64).fill(1)
  const vote = { kind: NULLIFY, epoch: 0, anchor: ZERO_HASH, view, hash: ZERO_HASH, signer: 0, signature }
  return chain.encodeRecord({ kind: 'vote', vote })
}

function append({ segments }: OpenedSegments, from: number, to: number): void {
  for (let view = from; view <= to; view++) segments.append(voteRecord(view))
}

function viewsIn({ log }: OpenedSegments): number[] {
  const records = log.segments.flatMap((segment) => segment.records)
  return records.flatMap((record) => (record.kind === 'vote' ? [record.vote.view] : []))
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

test('a power loss takes nothing that was fsynced, and leaves the log intact whatever it takes of the rest', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { disk, open } = newLog(seed)
    const opened = open()
    append(opened, 1, 5)
    const { end } = opened.segments
    append(opened, 6, 20)
    disk.syncUpTo(end.file, end.bytes)
    opened.segments.noteSynced(end)
    append(opened, 21, 25)
    disk.losePower()
    const again = open()
    const views = viewsIn(again)
    assert.equal(again.damage, null, `seed ${seed}`)
    assert.ok(views.length >= 5, `seed ${seed}`)
    assert.deepEqual(views, upTo(views.length), `seed ${seed}`)
  }
})

test('what a program wrote that ended is durable before the next one goes by it', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { disk, open } = newLog(seed)
    append(open(), 1, 20)
    const found = viewsIn(open())
    disk.losePower()
    assert.deepEqual(viewsIn(open()), found, `seed ${seed}`)
  }
})

test('a flipped bit in what was fsynced is found, with or without a power loss', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { disk, open } = newLog(seed)
    append(open(), 1, 20)
    append(open(), 21, 40)
    if (seed % 2 === 0) disk.losePower()
    assert.ok(disk.flipBit('/votes'))
    const { damage, log } = open()
    assert.notEqual(damage, null, `seed ${seed}`)
    assert.notEqual(log.rejoin, null, `seed ${seed}`)
  }
})

test('a full disk cuts a record short; with room again the log goes on after the last whole one', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { disk, open } = newLog(seed)
    const opened = open()
    append(opened, 1, 3)
    disk.isFull = () => true
    assert.throws(() => append(opened, 4, 4), { code: 'ENOSPC' })
    disk.isFull = () => false
    append(open(), 4, 6)
    assert.deepEqual(viewsIn(open()), upTo(6), `seed ${seed}`)
  }
})

test('the power may fail at any step of a start, of a new segment and of letting old ones go', () => {
  for (let step = 1; step <= 30; step++) {
    const { disk, open } = newLog(step)
    const before = open()
    append(before, 1, 10)
    disk.fdatasyncSync(before.segments.end.file)
    let steps = 0
    disk.powerFails = () => ++steps === step
    try {
      const opened = open()
      opened.segments.startSegment(2, chain.createVoteLog(identity, undefined, 2))()
      append(opened, 11, 11)
      disk.fdatasyncSync(opened.segments.end.file)
      opened.segments.forget(2)
    } catch {
      disk.losePower()
    }
    disk.powerFails = () => false
    const again = open()
    assert.equal(again.damage, null, `at step ${step}`)
    assert.ok(viewsIn(again).at(-1)! >= 10, `at step ${step}: no vote is forgotten`)
  }
})
