import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KnownPeers } from '../../src/protocol/known-peers.ts'
import { PeerCounts } from '../../src/protocol/peer-counts.ts'

const LIMITS = { knownPeersMax: 2, knownPeerStaleMs: 1000, peerTimeoutMs: 60_000 }
const TRAFFIC = { messagesIn: 1, messagesOut: 2, bytesIn: 3, bytesOut: 4 }

function knownPeers(...ids: string[]): KnownPeers<string> {
  const known = new KnownPeers<string>(LIMITS)
  for (const id of ids) known.opened(id, id, 0)
  return known
}

function end(
  of: KnownPeers<string>,
  id: string,
  atMs: number,
  counts = new PeerCounts(),
  isGone = true,
): void {
  of.ended(
    id,
    { atMs, by: 'remote', reason: { code: 'requested', message: '' } },
    { counts, traffic: TRAFFIC },
    isGone,
  )
}

const ids = (known: KnownPeers<string>) => [...known.all()].map(({ id }) => id)

describe('known peers (VC-4)', () => {
  test('of those that are gone the latest are kept; whoever has a session always is', () => {
    const known = knownPeers('a', 'b', 'c', 'd')
    for (const [atMs, id] of ['c', 'b', 'a'].entries()) end(known, id, atMs)
    assert.deepEqual(ids(known), ['d', 'b', 'a'])
  })

  test('who was not seen for long is forgotten, unless it has a session (PC-12)', () => {
    const known = knownPeers('a', 'b', 'c')
    end(known, 'a', 0)
    end(known, 'b', 500)
    known.expire(1000)
    assert.deepEqual(ids(known), ['c', 'b'])
  })

  test('counts of all sessions add up, also of two at a time', () => {
    const known = knownPeers('a')
    const counts = new PeerCounts()
    counts.sent('vote', 10)
    counts.received('vote', 7)
    counts.answered(100)
    counts.timedOut()
    known.opened('a', 'a', 1)
    end(known, 'a', 2, counts, false)
    known.expire(5000)
    end(known, 'a', 5000, counts)
    const peer = known.get('a')!
    assert.deepEqual(peer.counts.byKind, {
      vote: { messagesIn: 2, messagesOut: 2, bytesIn: 14, bytesOut: 20 },
    })
    assert.deepEqual(peer.counts.requests, { answered: 2, timedOut: 2, lost: 0, responseMs: 100 })
    assert.deepEqual(peer.traffic, { messagesIn: 2, messagesOut: 4, bytesIn: 6, bytesOut: 8 })
    assert.deepEqual([peer.sessions, peer.lastEnd?.atMs], [2, 5000])
  })
})
