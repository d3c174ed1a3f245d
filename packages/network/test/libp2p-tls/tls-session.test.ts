import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { afterEach, test } from 'node:test'
import type { SecuredConnection } from '@libp2p/interface'
import { until } from '../../src/testing/index.ts'
import { party, Received, sendAll, TlsWorld } from './tls-world.ts'
import type { TcpPair } from './tls-world.ts'

const MIB = 1024 * 1024
const world = new TlsWorld()
afterEach(() => world.stop())

const alice = await party('ours', 1)
const bob = await party('ours', 2)

interface Session {
  readonly pair: TcpPair
  readonly from: SecuredConnection['connection']
  readonly to: SecuredConnection['connection']
}

async function session(idleTimeoutMs?: number): Promise<Session> {
  const pair = await world.pair(idleTimeoutMs === undefined ? {} : { idleTimeoutMs })
  const [from, to] = await Promise.all([
    alice.encrypter.secureOutbound(pair.dialled),
    bob.encrypter.secureInbound(pair.accepted),
  ])
  return { pair, from: from.connection, to: to.connection }
}

function sessionIsOver({ pair, from, to }: Session): boolean {
  return [pair.dialled, pair.accepted, from, to].every(({ status }) => status !== 'open')
}

const ends: readonly { readonly what: string; readonly end: (session: Session) => Promise<void> }[] = [
  { what: 'connection', end: ({ pair }) => pair.dialled.close() },
  { what: 'stream', end: ({ from }) => from.close() },
]
for (const { what, end } of ends) {
  test(`what was sent before the ${what} is closed arrives, and then both sides are closed`, async () => {
    const both = await session()
    const received = new Received(both.to)
    const bytes = randomBytes(MIB)
    await sendAll(both.from, bytes)
    await end(both)
    await until('all of it came', () => received.bytes === bytes.length)
    assert.ok(received.all().equals(bytes))
    await until('both sides are closed', () => sessionIsOver(both))
  })
}

test('an abort is no clean end for the other side', async () => {
  const both = await session()
  const closed = once(both.to as unknown as EventTarget, 'close')
  both.from.abort(new Error('enough'))
  await closed
  assert.equal(both.to.status, 'aborted')
  await until('both sides are closed', () => sessionIsOver(both))
})

test('a session that says nothing for too long ends', async () => {
  const both = await session(100)
  await until('both sides are closed', () => sessionIsOver(both))
})

test('who does not read makes the other wait, and loses nothing', async () => {
  const { from, to } = await session()
  const received = new Received(to)
  to.pause()
  const piece = randomBytes(64 * 1024)
  let sent = 0
  // First the buffers of the kernel and of both sides fill up.
  do {
    assert.ok(sent < 1024, 'the sender was never told to wait')
    from.send(piece)
    sent++
  } while (!(from.writableNeedsDrain && (await isStuck(from))))
  assert.equal(received.bytes, 0)
  to.resume()
  await until('all of it came', () => received.bytes === sent * piece.length)
})

/** Whether a stream that needs a drain gets none in many turns. */
async function isStuck(stream: Session['from']): Promise<boolean> {
  for (let turn = 0; turn < 500; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    if (!stream.writableNeedsDrain) return false
  }
  return true
}
