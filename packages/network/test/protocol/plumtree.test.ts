/** One core of gossip, step by step; networks of them are in `gossip-simulation.test.ts`. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Spreading } from '../../src/protocol/kinds.ts'
import { gossipId } from '../../src/protocol/notice.ts'
import { Plumtree } from '../../src/protocol/plumtree.ts'
import type { GossipEffect } from '../../src/protocol/plumtree.ts'

const LIMITS = {
  seenMax: 100,
  seenMs: 60_000,
  keptMax: 10,
  keptBytesMax: 10_000,
  keptMs: 30_000,
  largeBytes: 1000,
}
const TREE = 1
const FLOOD = 2
const ORIGIN = 7

function spreading(kind: number): Spreading {
  return kind === TREE ? 'tree' : 'flood'
}

describe('gossip, one node', () => {
  let core: Plumtree
  let nowMs: number

  beforeEach(() => {
    nowMs = 0
    core = new Plumtree(
      {
        limits: LIMITS,
        kindOf: (id) => {
          const kind = id.charCodeAt(0)
          return kind === TREE || kind === FLOOD ? { spreading: spreading(kind), maxBytes: 5000 } : null
        },
        // Base links are drawn last to first: with 0 the newest peer always gets one.
        random: { next: () => 0.99 },
      },
      nowMs,
    )
    for (const peer of ['a', 'b', 'c', 'd', 'e']) core.peerOpened(peer, true, nowMs)
    core.peerOpened('old', false, nowMs)
  })

  const body = (byte: number, bytes = 10) => new Uint8Array(bytes).fill(byte)
  const idOf = (byte: number, kind = TREE, bytes = 10) => gossipId(kind, body(byte, bytes))

  function receive(from: string, byte: number, kind = TREE, bytes = 10): string[] {
    const copy = {
      id: idOf(byte, kind, bytes),
      spreading: spreading(kind),
      origin: ORIGIN,
      body: body(byte, bytes),
    }
    return texts(core.received(from, copy, nowMs))
  }

  /** A first copy comes, and is accepted. */
  function accept(from: string, byte: number, kind = TREE, bytes = 10): string[] {
    const copy = {
      id: idOf(byte, kind, bytes),
      spreading: spreading(kind),
      origin: ORIGIN,
      body: body(byte, bytes),
    }
    const [judge] = core.received(from, copy, nowMs)
    assert.ok(judge?.kind === 'judge')
    return texts(core.judged(judge.message, true, nowMs))
  }

  function texts(effects: readonly GossipEffect[]): string[] {
    return effects.map((effect) => {
      switch (effect.kind) {
        case 'judge':
          return 'judge'
        case 'push':
          return `push to ${effect.to.map(({ id }) => id).join()}`
        case 'tell': {
          const { notice } = effect
          const mode = notice.kind === 'want' ? ` ${notice.mode}` : ''
          return `${notice.kind}${mode} to ${effect.to.id}`
        }
        case 'withheld':
          return `withheld by ${effect.peer.id}`
      }
    })
  }

  function tickAfter(ms: number): string[] {
    nowMs += ms
    return texts(core.tick(nowMs))
  }

  test('a transaction is pushed over the base links and announced to others', () => {
    assert.deepEqual(accept('d', 1), ['push to a,b,c,old'])
    assert.deepEqual(tickAfter(150), ['announce to e'])
  })

  test('a duplicate takes the link off the tree of its origin, both ways', () => {
    accept('a', 1)
    assert.deepEqual(receive('b', 1), ['prune to b'])
    assert.deepEqual(accept('a', 2), ['push to c,old'])
    core.noticed('c', { kind: 'prune', ids: [idOf(2)] }, nowMs)
    assert.deepEqual(accept('a', 3), ['push to old'])
    assert.ok(tickAfter(150).includes('announce to b'))
  })

  test('what was announced and does not come is asked for, of one after the other, who is then on the tree', () => {
    core.noticed('d', { kind: 'announce', spreading: 'tree', ids: [idOf(1)] }, nowMs)
    core.noticed('e', { kind: 'announce', spreading: 'tree', ids: [idOf(1)] }, nowMs)
    assert.deepEqual(tickAfter(10), [])
    assert.deepEqual(tickAfter(200), ['want graftAndSend to d'])
    assert.deepEqual(tickAfter(2000), ['withheld by d', 'want graftAndSend to e'])
    assert.deepEqual(accept('e', 1), ['push to a,b,c,old'], 'd has it, since it said so')
  })

  test('who asks is served, and on the tree from then on; what is not kept is said to be gone', () => {
    accept('a', 1)
    const wanted = core.noticed('e', { kind: 'want', mode: 'graftAndSend', ids: [idOf(1), idOf(9)] }, nowMs)
    assert.deepEqual(texts(wanted).slice(0, 2), ['push to e', 'gone to e'])
    assert.deepEqual(accept('a', 2), ['push to b,c,e,old'])
  })

  test('a large message is offered to the base peers and some others, and asked of the first who offers it', () => {
    assert.deepEqual(accept('a', 1, TREE, 2000), [
      'push to old',
      'offer to b',
      'offer to c',
      'offer to e',
      'offer to d',
    ])
    const offers = [{ id: idOf(2, TREE, 2000), bytes: 2000 }]
    assert.deepEqual(texts(core.noticed('b', { kind: 'offer', offers }, nowMs)), ['want send to b'])
    assert.deepEqual(texts(core.noticed('c', { kind: 'offer', offers }, nowMs)), [])
    assert.deepEqual(texts(core.noticed('b', { kind: 'gone', ids: [offers[0]!.id] }, nowMs)), [
      'want send to c',
    ])
  })

  test('an offer of more than its kind allows is not asked for', () => {
    const offers = [{ id: idOf(2), bytes: 5001 }]
    assert.deepEqual(texts(core.noticed('b', { kind: 'offer', offers }, nowMs)), [])
    assert.equal(core.nextDeadlineMs, Infinity)
  })

  test('a vote of ours goes to all; one of another to all who are not seen to get it without us', () => {
    const ours = core.published(idOf(1, FLOOD), 'flood', body(1), nowMs)
    assert.deepEqual(texts(ours), ['push to a,b,c,d,e,old'])
    assert.deepEqual(accept('a', 2, FLOOD), ['push to b,c,d,e,old'])
    assert.deepEqual(receive('b', 2, FLOOD), ['prune to b'])
    assert.deepEqual(accept('a', 3, FLOOD), ['push to c,d,e,old'])
    assert.ok(tickAfter(10).includes('announce to b'))
    core.noticed('b', { kind: 'want', mode: 'graftAndSend', ids: [idOf(3, FLOOD)] }, nowMs)
    assert.deepEqual(accept('a', 4, FLOOD), ['push to b,c,d,e,old'])
  })

  test('what was rejected or ignored goes nowhere, and is not judged again', () => {
    const copy = { id: idOf(1), spreading: 'tree' as const, origin: ORIGIN, body: body(1) }
    const [judge] = core.received('a', copy, nowMs)
    assert.ok(judge?.kind === 'judge')
    assert.deepEqual(core.judged(judge.message, false, nowMs), [])
    assert.deepEqual(receive('b', 1), [])
    const wanted = core.noticed('c', { kind: 'want', mode: 'send', ids: [idOf(1)] }, nowMs)
    assert.deepEqual(texts(wanted), ['gone to c'])
  })

  test('a lost link of the tree is replaced, and the newest messages are told to who connects', () => {
    accept('a', 1)
    const effects = texts(core.peerClosed('a', nowMs))
    assert.deepEqual(effects, ['want graftAll to b', 'want graftAll to c'])
    assert.ok(texts(core.peerOpened('f', true, nowMs)).includes('announce to f'))
  })

  test('a node without traffic has nothing to wake up for', () => {
    accept('a', 1)
    for (let i = 0; i < 100 && core.nextDeadlineMs < Infinity; i++) tickAfter(core.nextDeadlineMs - nowMs)
    assert.equal(core.nextDeadlineMs, Infinity)
    assert.deepEqual(core.memory, { kept: 0, keptBytes: 0, missing: 0 })
  })
})
