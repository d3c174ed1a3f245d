import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { silentLog } from '@althing/base'
import { blacklistFile, createMemoryNetwork, startNetwork } from '../src/index.ts'
import type { BlacklistEntry, MemoryNetwork, Network, NetworkConfig, NetworkEvent } from '../src/index.ts'
import { CONTROL, encodeHello } from '../src/protocol/control.ts'
import type { Hello } from '../src/protocol/hello.ts'
import { frame } from '../src/testing/world.ts'
import { seeded, VirtualTime } from './virtual-time.ts'

const KINDS = {
  transaction: { id: 1, lane: 'normal', maxBytes: 100, gossip: true },
  range: { id: 2, lane: 'high', maxBytes: 100 },
} as const

const HELLO: Hello = {
  versions: { min: 1, max: 1 },
  networkId: 'test',
  genesisHash: new Uint8Array(32),
  status: { height: 0, finalizedHeight: 0, lowestHeight: 0 },
  nodeType: 'full',
  addresses: [],
  features: [],
  credential: new Uint8Array(0),
}

describe('peers, in virtual time', () => {
  let time: VirtualTime
  let memory: MemoryNetwork
  let networks: Network[]
  let ids: number

  beforeEach(() => {
    time = new VirtualTime()
    memory = createMemoryNetwork({ scheduler: time, random: seeded(1), latencyMs: () => 5 })
    networks = []
    ids = 0
  })

  afterEach(async () => {
    memory.heal()
    const stopped = Promise.all(networks.map((network) => network.stop()))
    await time.pass(5000)
    await stopped
  })

  /** @param address in memory an IP address is a name, and limits take it for what it says. */
  async function start(address: string, options: Partial<NetworkConfig> = {}): Promise<Network> {
    const id = ++ids
    const network = await startNetwork({
      identity: new Uint8Array(32).fill(id),
      networkId: 'test',
      genesisHash: new Uint8Array(32),
      versions: { min: 1, max: 1 },
      listen: [address],
      bootstrap: [],
      nodeType: 'full',
      features: [],
      status: () => ({ height: 0, finalizedHeight: 0, lowestHeight: 0 }),
      kinds: KINDS,
      clock: time,
      scheduler: time,
      random: seeded(id),
      transport: memory.transport,
      maxOutbound: 0,
      ...options,
    })
    networks.push(network)
    return network
  }

  const ip4 = (ip: string) => `/ip4/${ip}/tcp/9000`

  /** @returns 'ok', or why not. */
  async function connect(from: Network, to: Network): Promise<string> {
    const outcome = from.connect(to.addresses()[0]!).then(
      () => 'ok',
      (error: Error) => `${'code' in error ? String(error.code) : ''} ${error.message}`,
    )
    await time.pass(500)
    return outcome
  }

  async function pair(options: Partial<NetworkConfig> = {}): Promise<[Network, Network]> {
    const a = await start(ip4('198.51.100.1'), options)
    const b = await start(ip4('203.0.113.1'), options)
    assert.equal(await connect(b, a), 'ok')
    return [a, b]
  }

  function eventsOf(network: Network): NetworkEvent[] {
    const events: NetworkEvent[] = []
    network.subscribe((event) => events.push(event))
    return events
  }

  const isConnected = (a: Network, b: Network) => a.peers().some(({ id }) => id === b.peerId)

  test('three peers from one address, and no more; a reserved one still (PO-6)', async () => {
    const reserved: string[] = []
    const a = await start(ip4('198.51.100.1'), {
      admit: (_hello, peer) => ({ ok: true, reserved: reserved.includes(peer) }),
    })
    for (let i = 0; i < 3; i++) {
      assert.equal(await connect(await start(`/ip4/203.0.113.9/tcp/${9000 + i}`), a), 'ok')
    }
    const fourth = await start('/ip4/203.0.113.9/tcp/9003')
    assert.match(await connect(fourth, a), /^HANDSHAKE_REFUSED slots-full: 3 peers at 203\.0\.113\.9/)
    reserved.push(fourth.peerId)
    assert.equal(await connect(fourth, a), 'ok')
    assert.equal(await connect(await start(ip4('203.0.113.10')), a), 'ok')
  })

  test('one /24 gets no more slots than it may; loopback is not limited', async () => {
    const a = await start(ip4('198.51.100.1'), { maxPerIpBlock: 4 })
    const outcomes = []
    for (let i = 1; i <= 5; i++) outcomes.push(await connect(await start(ip4(`203.0.113.${i}`)), a))
    assert.deepEqual(outcomes.slice(0, 4), ['ok', 'ok', 'ok', 'ok'])
    assert.match(outcomes[4]!, /slots-full: 4 peers in 203\.0\.113\.0\/24/)
    for (let i = 0; i < 6; i++) {
      assert.equal(await connect(await start(`/ip4/127.0.0.1/tcp/${9000 + i}`), a), 'ok')
    }
  })

  test('a Sybil flood from one subnet pushes out no honest peer, and honest ones still come in (PO-3)', async () => {
    const a = await start(ip4('198.51.100.1'), { maxInbound: 8, maxPerIpBlock: 8 })
    const honest: Network[] = []
    for (let i = 1; i <= 2; i++) {
      const network = await start(ip4(`20.${i}.0.1`))
      honest.push(network)
      await connect(network, a)
    }
    for (let i = 1; i <= 20; i++) await connect(await start(ip4(`66.6.6.${i}`)), a)
    assert.equal(a.peers().length, 8)
    for (let i = 3; i <= 4; i++) {
      const network = await start(ip4(`20.${i}.0.1`))
      honest.push(network)
      assert.equal(await connect(network, a), 'ok')
    }
    for (let i = 21; i <= 30; i++) await connect(await start(ip4(`66.6.6.${i}`)), a)
    for (const network of honest) assert.ok(isConnected(a, network))
    assert.equal(a.peers().length, 8)
    assert.ok((a.stats().endedByReason['evicted'] ?? 0) >= 2)
  })

  test('a flood from one /16, an address of each of its networks, keeps nobody from elsewhere out (PO-3)', async () => {
    const a = await start(ip4('198.51.100.1'), { maxInbound: 8 })
    const honest = await start(ip4('20.1.0.1'))
    assert.equal(await connect(honest, a), 'ok')
    for (let i = 1; i <= 12; i++) await connect(await start(ip4(`66.6.${i}.1`)), a)
    const newcomer = await start(ip4('20.2.0.1'))
    assert.equal(await connect(newcomer, a), 'ok')
    assert.match(await connect(await start(ip4('66.6.99.1')), a), /slots-full/)
    assert.ok(isConnected(a, honest) && isConnected(a, newcomer))
  })

  test('who takes slots and never ends a handshake makes room (PO-3)', async () => {
    const a = await start(ip4('198.51.100.1'), { maxInbound: 6, maxPerIpBlock: 8 })
    for (let i = 1; i <= 6; i++) {
      const stranger = await memory.transport({
        identity: new Uint8Array(32).fill(100 + i),
        sessionProtocol: '/althing/0000000000000000/session/1',
        helloProtocol: '/althing/hello/1',
        listen: [ip4(`66.6.6.${i}`)],
        handshakeTimeoutMs: 5000,
        idleTimeoutMs: 60_000,
        log: silentLog,
        onInbound: () => {},
      })
      await stranger.start()
      const dialled = stranger.dial(a.addresses()[0]!, AbortSignal.timeout(60_000))
      await time.pass(100)
      const link = await dialled
      link.open({ onData: () => {}, onWritable: () => {}, onClosed: () => {} })
      link.write(frame({ kind: CONTROL.hello }, encodeHello(HELLO)))
      await time.pass(100)
    }
    const newcomer = await start(ip4('20.1.0.1'))
    assert.equal(await connect(newcomer, a), 'ok')
    assert.ok(isConnected(a, newcomer))
  })

  test('an eclipse fails: whoever fills the slots and the address book from one /16 leaves honest peers linked (PO-3)', async () => {
    const honest: Network[] = []
    for (let i = 1; i <= 5; i++) {
      const bootstrap = honest.slice(0, 1).map((first) => first.addresses()[0]!)
      honest.push(await start(ip4(`20.${i}.0.1`), { maxOutbound: 1, bootstrap }))
    }
    await time.pass(10_000)
    const victim = await start(ip4('198.51.100.1'), { maxInbound: 6, maxOutbound: 6, backoffMinMs: 200 })
    const attackers: Network[] = []
    for (let i = 1; i <= 16; i++) {
      const bootstrap = attackers.slice(0, 1).map((first) => first.addresses()[0]!)
      const attacker = await start(ip4(`66.6.${i}.1`), { maxOutbound: 3, bootstrap })
      attackers.push(attacker)
      await connect(attacker, victim)
    }
    const outbound = victim.peers().filter(({ direction }) => direction === 'outbound')
    assert.equal(outbound.length, 6, 'all slots are taken by those who came first')
    assert.equal(await connect(honest[0]!, victim), 'ok')
    await time.pass(120_000)
    const linked = honest.filter((one) => isConnected(victim, one))
    assert.equal(linked.length, 5, 'one honest peer that comes in is enough to find all')
  })

  const targets = [
    { what: 'its id', of: (b: Network) => b.peerId },
    { what: 'its address', of: () => '203.0.113.1' },
    { what: 'its network', of: () => '203.0.0.0/16' },
  ]
  for (const { what, of } of targets) {
    test(`a peer banned by ${what} is told, gone, and comes in no way until it is unbanned (PT-4)`, async () => {
      const [a, b] = await pair()
      const heard = eventsOf(b)
      const entry = await a.ban(of(b), { reason: 'a test', forMs: 100_000 })
      await time.pass(100)
      assert.deepEqual([isConnected(a, b), isConnected(b, a)], [false, false])
      const [end] = heard.filter((event) => event.kind === 'peerDisconnected')
      assert.equal(end?.reason.code, 'banned')
      assert.match(end.reason.message, /a test/)
      assert.match(await connect(b, a), /^DIAL_FAILED/)
      assert.match(await connect(a, b), /^PEER_BANNED/)
      assert.deepEqual(a.blacklist(), [entry])
      assert.deepEqual(a.peer(b.peerId)?.ban, entry)
      assert.ok(await a.unban(of(b)))
      assert.equal(await connect(b, a), 'ok')
    })
  }

  test('a ban ends at its time', async () => {
    const [a, b] = await pair()
    await a.ban(b.peerId, { forMs: 60_000 })
    await time.pass(59_000)
    assert.match(await connect(b, a), /^DIAL_FAILED/)
    await time.pass(1000)
    assert.equal(await connect(b, a), 'ok')
  })

  test('what cannot be banned is refused', async () => {
    const a = await start(ip4('198.51.100.1'))
    await assert.rejects(a.ban(a.peerId), { code: 'BLACKLIST_TARGET_INVALID' })
    await assert.rejects(a.ban('0.0.0.0/0'), { code: 'BLACKLIST_TARGET_INVALID' })
    assert.equal(await a.unban('10.0.0.1'), null)
  })

  test('bans survive a restart, in a file for the owner only; a damaged file stops the start', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'althing-bans-'))
    try {
      const path = join(folder, 'data', 'blacklist.json')
      const a = await start(ip4('198.51.100.1'), { blacklistStore: blacklistFile(path) })
      const b = await start(ip4('203.0.113.1'))
      const entry = await a.ban(b.peerId, { by: 'ann' })
      assert.equal((await stat(path)).mode & 0o777, 0o600)
      await a.stop()
      const again = await start(ip4('198.51.100.1'), { blacklistStore: blacklistFile(path) })
      assert.deepEqual(again.blacklist(), [entry])
      assert.match(await connect(b, again), /^DIAL_FAILED/)
      await again.unban(b.peerId)
      assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), { version: 1, entries: [] })
      for (const text of ['', '{"version":2,"entries":[]}', '{"version":1,"entries":[{"target":"x"}]}']) {
        await writeFile(path, text)
        await assert.rejects(blacklistFile(path).load(), { code: 'BLACKLIST_UNREADABLE' })
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('a ban that cannot be saved is in force, and its caller is told', async () => {
    const store = {
      load: () => Promise.resolve([] as BlacklistEntry[]),
      save: () => Promise.reject(new Error('the disk is full')),
    }
    const [a, b] = await pair({ blacklistStore: store })
    await assert.rejects(a.ban(b.peerId), /the disk is full/)
    assert.equal(a.blacklist().length, 1)
  })

  test('offences send away, then ban; a reserved peer is only sent away (VC-5)', async () => {
    const [a, b] = await pair({ cooldownMs: 1000, banMinMs: 50_000 })
    for (let i = 0; i < 3; i++) a.penalise(b.peerId, 'invalidBlock', 'a wrong state root')
    await time.pass(100)
    assert.match(await connect(b, a), /cooling-down/)
    await time.pass(1000)
    assert.equal(await connect(b, a), 'ok')
    for (let i = 0; i < 3; i++) a.penalise(b.peerId, 'invalidBlock', 'a wrong state root')
    await time.pass(100)
    const [entry] = a.blacklist()
    assert.deepEqual([entry?.target, entry?.automatic, entry?.by], [b.peerId, true, 'reputation'])
    assert.match(entry?.reason ?? '', /invalidBlock: a wrong state root/)
    assert.equal(a.peer(b.peerId)?.offences.invalidBlock, 6)
    await time.pass(50_000)
    assert.equal(await connect(b, a), 'ok')
    b.reserve(a.peerId)
    for (let i = 0; i < 20; i++) b.penalise(a.peerId, 'protocolViolation', 'nonsense')
    assert.deepEqual(b.blacklist(), [])
  })

  test('an authority is not banned by itself, also for what comes out when it is gone; released it would be', async () => {
    const [a, b] = await pair({ admit: () => ({ ok: true, reserved: true }) })
    for (let i = 0; i < 20; i++) a.penalise(b.peerId, 'invalidBlock', 'checked late')
    await time.pass(100)
    assert.deepEqual([a.peers().length, a.blacklist().length], [0, 0])
    const c = await start(ip4('20.1.0.1'))
    b.reserve(c.peerId)
    assert.equal(b.release(c.peerId), true)
    assert.equal(b.release(c.peerId), false)
    for (let i = 0; i < 3; i++) b.penalise(c.peerId, 'protocolViolation', 'nonsense')
    assert.equal(b.blacklist().length, 1)
  })

  test('who comes back under new identities is banned by its address', async () => {
    const a = await start(ip4('198.51.100.1'))
    for (let i = 0; i < 3; i++) {
      const sybil = await start(`/ip4/203.0.113.9/tcp/${9000 + i}`)
      assert.equal(await connect(sybil, a), 'ok')
      for (let j = 0; j < 3; j++) a.penalise(sybil.peerId, 'protocolViolation', 'nonsense')
      await time.pass(100)
    }
    assert.ok(a.blacklist().some(({ target }) => target === '203.0.113.9'))
    assert.match(await connect(await start('/ip4/203.0.113.9/tcp/9009'), a), /^DIAL_FAILED/)
  })

  test('a slow and silent honest peer is degraded, lost, found again, and never banned', async () => {
    memory = createMemoryNetwork({ scheduler: time, random: seeded(1), latencyMs: () => 700 })
    const a = await start(ip4('198.51.100.1'))
    const b = await start(ip4('203.0.113.1'), { bootstrap: [ip4('198.51.100.1')], maxOutbound: 4 })
    const events = eventsOf(a)
    await time.pass(30_000)
    assert.equal(a.peer(b.peerId)?.health, 'degraded')
    for (let i = 0; i < 10; i++) {
      memory.stopReading(b.peerId)
      for (let request = 0; request < 5; request++) {
        a.request(b.peerId, 'range', new Uint8Array(1), { timeoutMs: 1000 }).catch(() => {})
      }
      await time.pass(70_000)
      assert.equal(a.peer(b.peerId)?.health, 'disconnected')
      memory.resumeReading(b.peerId)
      await time.pass(20_000)
      assert.ok(isConnected(a, b))
    }
    assert.deepEqual(a.blacklist(), [])
    assert.equal(a.peer(b.peerId)?.reputation, 0)
    assert.ok(events.some((event) => event.kind === 'peerHealth' && event.to === 'degraded'))
  })

  test('what is known of a peer: counts by kind, requests, latency; and it stays known when it is gone', async () => {
    const [a, b] = await pair({ knownPeerStaleMs: 60_000 })
    b.handleRequest('range', ({ body }) => body)
    b.handleGossip('transaction', () => 'accept')
    a.publish('transaction', new Uint8Array(9))
    const answer = a.request(b.peerId, 'range', new Uint8Array(7))
    const refused = assert.rejects(b.request(a.peerId, 'range', new Uint8Array(1)))
    await time.pass(1000)
    await Promise.all([answer, refused])
    const seen = a.peer(b.peerId)!
    assert.deepEqual(seen.byKind['range'], { messagesIn: 1, messagesOut: 1, bytesIn: 1, bytesOut: 7 })
    assert.deepEqual(seen.byKind['transaction'], { messagesIn: 0, messagesOut: 1, bytesIn: 0, bytesOut: 9 })
    assert.ok(seen.requests.answered >= 1)
    assert.deepEqual([seen.requests.timedOut, seen.requests.lost, seen.requests.responseMs], [0, 0, 10])
    assert.equal(seen.session?.latencyMs, 10)
    assert.ok(b.peer(a.peerId)!.reputation > 0)
    b.disconnect(a.peerId, 'done')
    await time.pass(100)
    const gone = a.peer(b.peerId)!
    assert.deepEqual(
      [gone.session, gone.health, gone.lastEnd?.by, gone.lastEnd?.reason],
      [null, 'disconnected', 'remote', { code: 'requested', message: 'done' }],
    )
    assert.ok(gone.bytesOut >= seen.bytesOut && gone.byKind['transaction']?.messagesOut === 1)
    assert.deepEqual(
      a.knownPeers().map(({ id }) => id),
      [b.peerId],
    )
    assert.equal(a.health().disconnected, 1)
    await time.pass(66_000)
    assert.equal(a.peer(b.peerId), undefined)
  })

  test('peers are found by what they offer and how they do, the best first (TN-2)', async () => {
    const latency = new Map<string, number>()
    memory = createMemoryNetwork({
      scheduler: time,
      random: seeded(1),
      latencyMs: (from, to) => latency.get(from) ?? latency.get(to) ?? 5,
    })
    const a = await start(ip4('198.51.100.1'), {
      admit: ({ nodeType }) => ({ ok: true, reserved: false, label: `a ${nodeType} node` }),
    })
    const near = await start(ip4('20.1.0.1'), { features: ['tasks'] })
    const far = await start(ip4('20.2.0.1'), { features: ['tasks'] })
    const light = await start(ip4('20.3.0.1'), { nodeType: 'light' })
    latency.set(far.peerId, 60)
    for (const network of [far, near, light]) assert.equal(await connect(network, a), 'ok')
    await time.pass(1000)
    a.reward(light.peerId, 'validBlock')
    const found = (query: Parameters<Network['findPeers']>[0]) => a.findPeers(query).map(({ id }) => id)
    assert.deepEqual(found({ feature: 'tasks' }), [near.peerId, far.peerId])
    assert.deepEqual(found({ feature: 'tasks', maxLatencyMs: 50 }), [near.peerId])
    assert.deepEqual(found({ nodeType: 'light' }), [light.peerId])
    assert.deepEqual(found({ label: 'a light node' }), [light.peerId])
    assert.deepEqual(found({ minReputation: 0.5 }), [light.peerId])
    assert.deepEqual(found({ feature: 'quantum' }), [])
    assert.deepEqual(found({ within: '20.2.0.0/16' }), [far.peerId])
    assert.deepEqual([found({ within: '20.3.0.1' }), found({ within: 'nowhere' })], [[light.peerId], []])
    assert.deepEqual([found({ version: 1 }).length, found({ version: 2 }).length], [3, 0])
    memory.stopReading(a.peerId)
    await time.pass(15_000)
    assert.deepEqual([found({ heardWithinMs: 10_000 }), found({ heardWithinMs: 60_000 }).length], [[], 3])
    memory.resumeReading(a.peerId)
  })

  test('a link that works badly is given up for another try, but not below the floor (PT-5)', async () => {
    const slow = new Set<string>()
    memory = createMemoryNetwork({
      scheduler: time,
      random: seeded(1),
      latencyMs: (from, to) => (slow.has(from) || slow.has(to) ? 1500 : 5),
    })
    const others = [await start(ip4('20.1.0.1')), await start(ip4('20.2.0.1')), await start(ip4('20.3.0.1'))]
    for (const peersFloor of [2, 0]) {
      const a = await start(ip4(`198.51.100.${peersFloor + 1}`), {
        maxOutbound: 2,
        peersFloor,
        bootstrap: others.slice(0, 2).map((other) => other.addresses()[0]!),
      })
      await time.pass(1000)
      others[2]!.connect(a.addresses()[0]!).catch(() => {})
      await time.pass(1000)
      others[2]!.disconnect(a.peerId, 'only to be known')
      slow.add(others[0]!.peerId)
      await time.pass(200_000)
      const evicted = a.stats().endedByReason['evicted'] ?? 0
      assert.equal(evicted > 0, peersFloor === 0)
      slow.clear()
    }
  })

  test('configured peers need no slot, and are redialled', async () => {
    const b = await start(ip4('203.0.113.1'))
    const a = await start(ip4('198.51.100.1'), { reserved: b.addresses(), maxInbound: 0 })
    await time.pass(1000)
    assert.ok(isConnected(a, b))
    assert.equal(a.peers()[0]?.reserved, true)
    assert.deepEqual([a.health().reserved, a.health().bootstrap, b.health().bootstrap], [1, 1, 0])
    b.disconnect(a.peerId, 'to see')
    await time.pass(2500)
    assert.ok(isConnected(a, b))
    await assert.rejects(start(ip4('198.51.100.2'), { reserved: ['203.0.113.1:9000'] }), {
      code: 'ADDRESS_INVALID',
    })
  })
})
