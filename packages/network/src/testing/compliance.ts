/**
 * What every transport must give the network, tested through the network.
 * @module
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { afterEach, describe, test } from 'node:test'
import { NetworkError } from '../errors.ts'
import { CONTROL } from '../protocol/control.ts'
import { FRAGMENT_BYTES_MAX } from '../protocol/frame.ts'
import { until } from './until.ts'
import { endings, frame, isConnected, join, refusals, TestWorld } from './world.ts'
import type { TestNode, TransportUnderTest } from './world.ts'

const MIB = 1024 * 1024

/** @param make a fresh transport for each test. */
export function networkCompliance(name: string, make: () => TransportUnderTest): void {
  describe(`network over ${name}`, () => {
    let world: TestWorld = new TestWorld(make())
    afterEach(async () => {
      await world.stop()
      world = new TestWorld(make())
    })

    describe('handshake (PO-1, PC-7)', () => handshakeTests(() => world))
    describe('peers that misbehave', () => hostileTests(() => world))
    describe('messages and requests', () => messageTests(() => world))
    describe('gossip (PO-2)', () => gossipTests(() => world))
    describe('connections (PT-9, PO-3, VC-8)', () => connectionTests(() => world))
  })
}

function handshakeTests(world: () => TestWorld): void {
  test('tells each side who the other is', async () => {
    const status = { height: 12, finalizedHeight: 11, lowestHeight: 3 }
    const a = await world().node({
      nodeType: 'authority',
      features: ['x'],
      versions: { min: 1, max: 3 },
      status: () => status,
    })
    const b = await world().node({ versions: { min: 2, max: 5 } })
    await join(b.network, a.network)
    const [seen] = b.network.peers()
    assert.equal(seen?.id, a.network.peerId)
    assert.deepEqual(
      [
        seen.nodeType,
        seen.features.includes('x'),
        seen.version,
        seen.height,
        seen.finalizedHeight,
        seen.lowestHeight,
        seen.direction,
      ],
      ['authority', true, 3, 12, 11, 3, 'outbound'],
    )
    assert.deepEqual(seen.addresses, a.network.addresses())
    assert.equal(a.network.peers()[0]?.direction, 'inbound')
  })

  const mismatches = [
    { what: 'another network id', options: { networkId: 'other' }, code: 'network-mismatch' },
    {
      what: 'another genesis',
      options: { genesisHash: new Uint8Array(32).fill(8) },
      code: 'genesis-mismatch',
    },
    { what: 'no common version', options: { versions: { min: 2, max: 4 } }, code: 'version-mismatch' },
  ]
  for (const { what, options, code } of mismatches) {
    test(`refuses ${what}, and both sides log why`, async () => {
      const a = await world().node()
      const b = await world().node(options)
      await assert.rejects(b.network.connect(a.network.addresses()[0]!), { code: 'HANDSHAKE_REFUSED' })
      await until('both know why', () => refusals(a).length > 0 && refusals(b).length > 0)
      for (const node of [a, b]) {
        assert.equal(refusals(node)[0]?.code, code)
        assert.match(node.warnings.join('\n'), new RegExp(`handshake failed.*${code}`))
        assert.deepEqual(node.network.peers(), [])
      }
    })
  }

  test('what admit refuses is refused, with its reason on both sides', async () => {
    const a = await world().node({ admit: () => ({ ok: false, reason: 'not on the list' }) })
    const b = await world().node()
    await assert.rejects(b.network.connect(a.network.addresses()[0]!), /not-admitted: not on the list/)
    await until('both know', () => refusals(a).length + refusals(b).length === 2)
    assert.deepEqual(refusals(a), [{ side: 'local', code: 'not-admitted' }])
    assert.deepEqual(refusals(b), [{ side: 'remote', code: 'not-admitted' }])
  })

  test('a credential is bound to both peers, and admit can label by it', async () => {
    const credential = (local: string, remote: string) => new TextEncoder().encode(`${local}>${remote}`)
    const a = await world().node({
      admit: (hello, remote) => {
        const expected = `${remote}>${a.network.peerId}`
        const ok = new TextDecoder().decode(hello.credential) === expected
        return ok ? { ok, reserved: true, label: 'authority 0' } : { ok, reason: 'forged' }
      },
    })
    const b = await world().node({ credential })
    await join(b.network, a.network)
    assert.deepEqual([a.network.peers()[0]?.label, a.network.peers()[0]?.reserved], ['authority 0', true])
  })

  test('full inbound slots refuse ordinary peers and let reserved ones in', async () => {
    const a = await world().node({
      maxInbound: 1,
      admit: ({ features }) => ({ ok: true, reserved: features.includes('vip') }),
    })
    const [b, c, d] = [await world().node(), await world().node(), await world().node({ features: ['vip'] })]
    await join(b.network, a.network)
    await assert.rejects(c.network.connect(a.network.addresses()[0]!), /slots-full/)
    await join(d.network, a.network)
  })

  test('a handshake that never comes is given up', async () => {
    const a = await world().node({ handshakeTimeoutMs: 1500, lingerMs: 100 })
    const stranger = await (await world().stranger()).link(a.network)
    await until('the node gave up', () => refusals(a).length === 1)
    assert.deepEqual(refusals(a), [{ side: 'local', code: 'handshake-timeout' }])
    await until('the link is gone', () => stranger.closed)
  })
}

function hostileTests(world: () => TestWorld): void {
  const attacks = [
    { what: 'garbage instead of a hello', bytes: new Uint8Array(100).fill(0xff), early: true },
    { what: 'a message before the handshake', bytes: frame({ kind: 1 }, new Uint8Array(1)), early: true },
    {
      what: 'a hello that cannot be read',
      bytes: frame({ kind: CONTROL.hello }, new Uint8Array(30)),
      early: true,
    },
    { what: 'garbage', bytes: new Uint8Array(100_000).fill(0xab), early: false },
    { what: 'an oversized frame', bytes: new Uint8Array([0, 1, 0, 0, 1, 0, 0, 0, 0, 0]), early: false },
    { what: 'a truncated header', bytes: new Uint8Array([0, 0, 0, 2, 1, 0]), early: false },
    { what: 'a message larger than its kind', bytes: frame({ kind: 1 }, new Uint8Array(4097)), early: false },
    { what: 'an unknown kind', bytes: frame({ kind: 99 }, new Uint8Array(0)), early: false },
    {
      what: 'fragments of two messages mixed',
      bytes: new Uint8Array([
        ...frame({ kind: 2, more: true }, new Uint8Array(FRAGMENT_BYTES_MAX)),
        ...frame({ kind: 4, more: true }, new Uint8Array(FRAGMENT_BYTES_MAX)),
      ]),
      early: false,
    },
  ]
  for (const { what, bytes, early } of attacks) {
    test(`${what} ends the link with a reason, counted`, async () => {
      const a = await world().node()
      const stranger = await (await world().stranger()).link(a.network)
      if (!early) {
        await stranger.shakeHands()
        await until('the session is open', () => a.network.peers().length === 1)
      }
      stranger.link.write(bytes)
      const found = () => (early ? refusals(a) : endings(a))
      await until('the node ended it', () => found().length === 1)
      assert.equal(found()[0]?.code, 'protocol-fault')
      const { endedByReason, refusedByReason } = a.network.stats()
      assert.deepEqual(early ? refusedByReason : endedByReason, { 'protocol-fault': 1 })
      await until('the link is gone', () => stranger.closed)
    })
  }

  test('a peer that stops reading is closed with a reason, and holds bounded memory', async () => {
    const a = await world().node({ pingIntervalMs: 300, peerTimeoutMs: 2000, handshakeTimeoutMs: 1500 })
    const stranger = await (await world().stranger()).link(a.network)
    await stranger.shakeHands()
    await until('the session is open', () => a.network.peers().length === 1)
    const { id } = a.network.peers()[0]!
    stranger.link.pause()
    const talking = setInterval(
      () => stranger.link.write(frame({ kind: CONTROL.ping }, new Uint8Array(4))),
      100,
    )
    try {
      const body = new Uint8Array(MIB)
      let queued = 0
      while (a.network.send(id, 'bulk', body) === 'queued') queued++
      assert.ok(queued <= 12, `${queued} MiB queued in a lane of 12 MiB`)
      await until('the node gave up', () => endings(a).length === 1)
      assert.deepEqual(endings(a), [{ by: 'local', code: 'stopped-reading' }])
      assert.ok(a.network.stats().droppedByReason['queue full']! > 0)
    } finally {
      clearInterval(talking)
    }
  })

  test('a silent peer is closed with a reason', async () => {
    const a = await world().node({ pingIntervalMs: 300, peerTimeoutMs: 2000, handshakeTimeoutMs: 1500 })
    const stranger = await (await world().stranger()).link(a.network)
    await stranger.shakeHands()
    await until('the node gave up', () => endings(a).length === 1)
    assert.deepEqual(endings(a), [{ by: 'local', code: 'silent' }])
  })

  test('too many faults send a peer away for a while, and it is told so', async () => {
    const a = await world().node()
    const b = await world().node()
    await join(b.network, a.network)
    for (let i = 0; i < 5; i++) a.network.penalise(b.network.peerId, 'invalidMessage', 'nonsense')
    await until('both know', () => endings(a).length + endings(b).length === 2)
    assert.deepEqual(endings(b), [{ by: 'remote', code: 'too-many-faults' }])
    await assert.rejects(b.network.connect(a.network.addresses()[0]!), /cooling-down/)
  })
}

function messageTests(world: () => TestWorld): void {
  test('messages arrive whole and in the order of their lane', async () => {
    const [a, b] = await world().pair()
    const sizes = [0, 1, FRAGMENT_BYTES_MAX, FRAGMENT_BYTES_MAX + 1, 3 * MIB, 5]
    const received: Uint8Array[] = []
    b.handle('block', ({ body }) => received.push(body))
    for (const size of sizes)
      assert.equal(a.send(b.peerId, 'block', new Uint8Array(size).fill(size % 251)), 'queued')
    await until('all came', () => received.length === sizes.length)
    assert.deepEqual(
      received.map(({ length }) => length),
      sizes,
    )
    assert.ok(received.every((body) => body.every((byte) => byte === body.length % 251)))
  })

  test('a critical message does not wait behind bulk that was sent before it', async () => {
    const [a, b] = await world().pair()
    const order: string[] = []
    b.handle('bulk', () => order.push('bulk'))
    b.handle('vote', () => order.push('vote'))
    a.send(b.peerId, 'bulk', new Uint8Array(8 * MIB))
    a.send(b.peerId, 'vote', new Uint8Array(100))
    await until('both came', () => order.length === 2)
    assert.deepEqual(order, ['vote', 'bulk'])
  })

  test('what is larger than its kind allows is not sent', async () => {
    const [a, b] = await world().pair()
    assert.equal(a.send(b.peerId, 'vote', new Uint8Array(4097)), 'dropped: too large')
    await assert.rejects(a.request(b.peerId, 'vote', new Uint8Array(4097)), { code: 'MESSAGE_TOO_LARGE' })
    assert.equal(a.send('nobody', 'vote', new Uint8Array(1)), 'dropped: no session')
  })

  test('broadcast reaches whom it is for', async () => {
    const [a, b, c] = [await world().node(), await world().node({ nodeType: 'light' }), await world().node()]
    await join(b.network, a.network)
    await join(c.network, a.network)
    const got: string[] = []
    b.network.handle('vote', () => got.push('b'))
    c.network.handle('vote', () => got.push('c'))
    assert.equal(
      a.network.broadcast('vote', new Uint8Array(1), { only: ({ nodeType }) => nodeType === 'light' }),
      1,
    )
    assert.equal(a.network.broadcast('vote', new Uint8Array(1), { except: b.network.peerId }), 1)
    await until('both got one', () => got.length === 2)
    assert.deepEqual(got.toSorted(), ['b', 'c'])
  })

  test('many requests at once, answered in another order, each get their own answer', async () => {
    const [a, b] = await world().pair()
    const waiting: (() => void)[] = []
    b.handleRequest('block', ({ body }) => new Promise((resolve) => waiting.unshift(() => resolve(body))))
    b.handleRequest('range', ({ body }) => new Uint8Array(2 * MIB).fill(body[0]!))
    const small = Array.from({ length: 50 }, (_, i) => a.request(b.peerId, 'block', Uint8Array.of(i)))
    const large = a.request(b.peerId, 'range', Uint8Array.of(9))
    await until('all are open', () => waiting.length === 50)
    for (const answer of waiting) answer()
    assert.deepEqual(
      (await Promise.all(small)).map(([byte]) => byte),
      Array.from({ length: 50 }, (_, i) => i),
    )
    assert.deepEqual(await large, new Uint8Array(2 * MIB).fill(9))
  })

  test('the error of a handler comes back with its code', async () => {
    const [a, b] = await world().pair()
    b.handleRequest('range', () => {
      throw Object.assign(new Error('we begin at 100'), { code: 'BLOCK_NOT_FOUND' })
    })
    await assert.rejects(
      a.request(b.peerId, 'range', new Uint8Array(8)),
      (error) =>
        error instanceof NetworkError &&
        error.code === 'REQUEST_REFUSED' &&
        error.remoteCode === 'BLOCK_NOT_FOUND' &&
        !error.retryable,
    )
    await assert.rejects(a.request(b.peerId, 'bulk', new Uint8Array(8)), { remoteCode: 'NOT_SUPPORTED' })
  })

  test('a request that times out, or is cancelled, is withdrawn at the other side', async () => {
    const [a, b] = await world().pair()
    let withdrawn = 0
    b.handleRequest('range', (_, signal) => {
      signal.addEventListener('abort', () => withdrawn++)
      return new Promise(() => {})
    })
    await assert.rejects(a.request(b.peerId, 'range', new Uint8Array(1), { timeoutMs: 50 }), {
      code: 'REQUEST_TIMEOUT',
      retryable: true,
    })
    await until('the first is withdrawn', () => withdrawn === 1)
    const cancel = new AbortController()
    const request = a.request(b.peerId, 'range', new Uint8Array(1), { signal: cancel.signal })
    cancel.abort()
    await assert.rejects(request, { code: 'REQUEST_CANCELLED' })
    await assert.rejects(a.request('nobody', 'range', new Uint8Array(1)), { code: 'PEER_UNREACHABLE' })
  })

  test('a request open when the peer goes fails at once', async () => {
    const [a, b] = await world().pair()
    b.handleRequest('range', () => new Promise(() => {}))
    const request = a.request(b.peerId, 'range', new Uint8Array(1))
    const failed = assert.rejects(request, { code: 'PEER_GONE', retryable: true })
    await b.stop()
    await failed
  })

  test('sendReady lets a producer go as fast as the peer reads', async () => {
    const [a, b] = await world().pair({ requestTimeoutMs: 20_000 })
    let received = 0
    b.handle('bulk', () => received++)
    for (let i = 0; i < 40; i++) {
      await a.sendReady(b.peerId, 'low')
      assert.equal(a.send(b.peerId, 'bulk', new Uint8Array(MIB)), 'queued')
    }
    await until('all came', () => received === 40, 20_000)
  })

  test('a sender over the limit of its reader is slowed, and nothing is lost (PT-2)', async () => {
    const a = await world().node({ compression: false })
    const b = await world().node({ bytesPerSecond: 2 * MIB })
    await join(a.network, b.network)
    let got = 0
    b.network.handle('bulk', ({ body }) => (got += body.length))
    for (let i = 0; i < 6; i++) a.network.send(b.network.peerId, 'bulk', new Uint8Array(MIB).fill(i))
    await until('all arrived', () => got === 6 * MIB)
    assert.ok(b.network.stats().limits.slowed > 0)
    assert.deepEqual(b.network.stats().droppedByReason, {})
    assert.equal(b.network.stats().faults, 0)
  })

  test('long messages arrive as they were, whether they were compressed or not (PT-13)', async () => {
    const [a, b] = await world().pair()
    const bodies = [new Uint8Array(300_000).fill(7), new Uint8Array(randomBytes(300_000))]
    const got: Uint8Array[] = []
    b.handle('bulk', ({ body }) => got.push(body))
    for (const body of bodies) a.send(b.peerId, 'bulk', body)
    await until('both arrived', () => got.length === 2)
    assert.deepEqual(
      got.map((body) => Buffer.from(body).toString('hex')),
      bodies.map((body) => Buffer.from(body).toString('hex')),
    )
    assert.ok(a.peers()[0]!.bytesOut < 400_000)
  })

  test('a new status is told to the peers', async () => {
    const [a, b] = await world().pair({ statusIntervalMs: 50 })
    let told = 0
    b.subscribe(({ kind }) => {
      if (kind === 'peerStatus') told++
    })
    for (let height = 1; height <= 20; height++)
      a.setStatus({ height, finalizedHeight: height - 1, lowestHeight: 1 })
    await until('the newest arrived', () => b.peers()[0]?.height === 20)
    assert.equal(b.peers()[0]?.finalizedHeight, 19)
    assert.ok(told < 15, 'twenty changes are not twenty frames')
  })
}

function gossipTests(world: () => TestWorld): void {
  const shapes = [
    {
      shape: 'a line of five',
      links: [
        [0, 1],
        [1, 2],
        [2, 3],
        [3, 4],
      ],
    },
    {
      shape: 'a ring of five',
      links: [
        [0, 1],
        [1, 2],
        [2, 3],
        [3, 4],
        [4, 0],
      ],
    },
    {
      shape: 'a star of five',
      links: [
        [1, 0],
        [2, 0],
        [3, 0],
        [4, 0],
      ],
    },
  ] as const
  for (const { shape, links } of shapes) {
    test(`reaches everyone exactly once on ${shape}`, async () => {
      const nodes = await shaped(links)
      const received = nodes.map(() => [] as number[])
      for (const [i, { network }] of nodes.entries()) {
        network.handleGossip('transaction', ({ body }) => {
          received[i]!.push(body[0]!)
          return 'accept'
        })
      }
      nodes[0]!.network.publish('transaction', Uint8Array.of(1))
      nodes[4]!.network.publish('transaction', Uint8Array.of(2))
      nodes[4]!.network.publish('transaction', Uint8Array.of(2))
      await until('everyone has all', () => received.flat().length === 8)
      for (const { network } of nodes)
        for (const { id } of network.peers()) await network.sendReady(id, 'normal')
      assert.deepEqual(
        received.map((bytes) => bytes.toSorted((a, b) => a - b)),
        [[2], [1, 2], [1, 2], [1, 2], [1]],
      )
    })
  }

  test('only what was accepted is relayed, also when the verdict takes its time', async () => {
    const nodes = await shaped([
      [0, 1],
      [1, 2],
    ])
    const received: number[] = []
    const verdicts = ['ignore', 'reject', 'accept'] as const
    nodes[1]!.network.handleGossip('transaction', async ({ body }) => verdicts[body[0]!]!)
    nodes[2]!.network.handleGossip('transaction', ({ body }) => {
      received.push(body[0]!)
      return 'accept'
    })
    for (const byte of [0, 1, 2]) nodes[0]!.network.publish('transaction', Uint8Array.of(byte))
    await until('the accepted one came', () => received.length > 0)
    assert.deepEqual(received, [2])
    const { gossip, faults } = nodes[1]!.network.stats()
    assert.deepEqual([gossip.ignored, gossip.rejected, gossip.accepted, faults], [1, 1, 1, 1])
  })

  async function shaped(links: readonly (readonly [number, number])[]): Promise<TestNode[]> {
    const count = Math.max(...links.flat()) + 1
    const nodes: TestNode[] = []
    // Without dialling what it hears of, a node stays where the test puts it.
    for (let i = 0; i < count; i++) nodes.push(await world().node({ maxOutbound: 0 }))
    for (const [from, to] of links) await join(nodes[from]!.network, nodes[to]!.network)
    return nodes
  }
}

function connectionTests(world: () => TestWorld): void {
  test('nodes that know one bootstrap become a mesh', async () => {
    const first = await world().node()
    const bootstrap = [first.network.addresses()[0]!]
    const nodes = [first, ...(await Promise.all([0, 1, 2, 3].map(() => world().node({ bootstrap }))))]
    await until('everyone has everyone', () => nodes.every(({ network }) => network.peers().length === 4))
  })

  test('simultaneous dials leave exactly one session', async () => {
    const [a, b] = [await world().node(), await world().node()]
    const dials = [a.network.connect(b.network.addresses()[0]!), b.network.connect(a.network.addresses()[0]!)]
    await Promise.allSettled(dials)
    await until('both have it', () => isConnected(a.network, b.network) && isConnected(b.network, a.network))
    a.network.handleRequest('range', ({ body }) => body)
    b.network.handleRequest('range', ({ body }) => body)
    await a.network.request(b.network.peerId, 'range', new Uint8Array(1))
    await b.network.request(a.network.peerId, 'range', new Uint8Array(1))
    assert.deepEqual([endings(a), endings(b)], [[], []])
    const [ofA, ofB] = [a.network.peers(), b.network.peers()]
    assert.deepEqual([ofA.length, ofB.length], [1, 1])
    assert.notEqual(ofA[0]?.direction, ofB[0]?.direction)
  })

  test('a peer that lost its session and comes back gets a new one, which replaces the old', async () => {
    const a = await world().node({ handshakeTimeoutMs: 1500, lingerMs: 100 })
    const stranger = await world().stranger()
    await (await stranger.link(a.network)).shakeHands()
    await until('the session is open', () => a.network.peers().length === 1)
    // Refused as long as both could have dialled at once, if the node's id is the smaller one.
    while (endings(a).length === 0) {
      const link = await stranger.link(a.network)
      await link.shakeHands()
      await until('the node decided', () => link.closed || endings(a).length > 0)
    }
    assert.deepEqual(endings(a), [{ by: 'local', code: 'replaced' }])
    assert.equal(a.network.peers().length, 1)
  })

  test('connecting twice uses the session that there is, or is about to be', async () => {
    const [a, b] = [(await world().node()).network, (await world().node()).network]
    const twice = [a.connect(b.addresses()[0]!), a.connect(b.addresses()[0]!)]
    assert.deepEqual(await Promise.all(twice), [b.peerId, b.peerId])
    await until('b has it too', () => isConnected(b, a))
    assert.equal(await a.connect(b.addresses()[0]!), b.peerId)
    assert.equal(a.peers().length, 1)
    assert.equal(b.peers().length, 1)
  })

  test('a node that comes back is found again', async () => {
    const identity = world().identity()
    const a = await world().node({ identity })
    const address = a.network.addresses()[0]!
    const b = await world().node({ bootstrap: [address], backoffMaxMs: 200 })
    await until('connected', () => isConnected(b.network, a.network))
    await a.network.stop()
    await until('b lost it', () => endings(b).length === 1)
    assert.deepEqual(endings(b), [{ by: 'remote', code: 'shutting-down' }])
    await until('b tries in vain', () => b.events.some(({ kind }) => kind === 'dialFailed'))
    const again = await world().node({ identity, listen: [address.replace(/\/p2p\/.*/, '')] })
    await until('connected again', () => isConnected(b.network, again.network))
  })

  test('an address in use is named', async () => {
    const a = await world().node()
    const address = a.network.addresses()[0]!.replace(/\/p2p\/.*/, '')
    await assert.rejects(
      world().node({ listen: [address] }),
      (error) =>
        error instanceof NetworkError && error.code === 'LISTEN_FAILED' && error.message.includes(address),
    )
  })

  test('an address that nobody answers fails with a code', async () => {
    const a = await world().node()
    const b = await world().node()
    const address = b.network.addresses()[0]!
    await b.network.stop()
    await assert.rejects(a.network.connect(address), { code: 'DIAL_FAILED', retryable: true })
    await assert.rejects(a.network.connect('nonsense'), { code: 'ADDRESS_INVALID' })
  })

  test('stop tells the peers, refuses further work, and can be called twice', async () => {
    const a = await world().node()
    const b = await world().node()
    await join(a.network, b.network)
    await Promise.all([a.network.stop(), a.network.stop()])
    await until('b knows', () => endings(b).length === 1)
    assert.deepEqual(endings(b), [{ by: 'remote', code: 'shutting-down' }])
    await assert.rejects(a.network.request(b.network.peerId, 'range', new Uint8Array(1)), { code: 'STOPPED' })
    await assert.rejects(a.network.connect(b.network.addresses()[0]!), { code: 'STOPPED' })
    assert.equal(a.network.send(b.network.peerId, 'vote', new Uint8Array(1)), 'dropped: no session')
  })
}
