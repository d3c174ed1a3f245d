import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { NatOptions } from '../src/index.ts'
import { hasMiniupnpd, Internet, whatIsMissing } from './nat/internet.ts'
import { RemoteNode } from './nat/remote-node.ts'

const PORT = 4001
const LISTEN = [`/ip4/0.0.0.0/tcp/${PORT}`]
const LISTEN_QUIC = [...LISTEN, `/ip4/0.0.0.0/udp/${PORT}/quic-v1`]
const PUBLIC = { relayA: '11.0.0.2', relayB: '11.0.0.3' } as const
const HIDDEN = {
  alice: { site: 1, router: '11.0.0.11' },
  bob: { site: 2, router: '11.0.0.12' },
} as const
const SEED_BY_HOST = { relayA: 1, relayB: 2, alice: 3, bob: 4 } as const
type Host = keyof typeof SEED_BY_HOST

const missing = whatIsMissing()

/** Real NATs: alice and bob are behind one each, the relays are public (PT-8, VC-9). */
describe('behind NATs', { skip: missing ?? false }, () => {
  let internet: Internet
  const nodes: RemoteNode[] = []

  before(() => {
    internet = new Internet()
    for (const [name, address] of Object.entries(PUBLIC)) internet.addPublicHost(name, address)
    for (const [name, { site, router }] of Object.entries(HIDDEN)) internet.addHiddenHost(name, site, router)
  })
  after(() => internet?.stop())
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.stop()))
    internet.unforwardPorts('bob-router')
    for (const host of Object.keys(PUBLIC)) internet.plugIn(host)
  })

  async function start(host: Host, nat: Partial<NatOptions> = {}, listen = LISTEN): Promise<RemoteNode> {
    const bootstrap = Object.entries(PUBLIC)
      .filter(([name]) => name !== host)
      .map(([, address]) => `${address}:${PORT}`)
    const node = await RemoteNode.start(internet, host, {
      seed: SEED_BY_HOST[host],
      listen,
      bootstrap,
      nat,
    })
    nodes.push(node)
    return node
  }

  async function startRelays(listen = LISTEN): Promise<RemoteNode[]> {
    const relays = await Promise.all([start('relayA', {}, listen), start('relayB', {}, listen)])
    for (const relay of relays) await relay.until('it relays', ({ reach }) => reach.isRelay)
    return relays
  }

  const isRelayed = (address: string | null | undefined) => address?.includes('/p2p-circuit') === true

  /** Waits until both have a session over a relay. */
  async function areRelayed(a: RemoteNode, b: RemoteNode): Promise<void> {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      await from.until(`its link to ${to.host} is relayed`, () => isRelayed(from.linkTo(to)))
    }
  }

  test('nobody can dial them, they hold places at relays, and reach each other there', async () => {
    await startRelays()
    const [alice, bob] = await Promise.all([start('alice'), start('bob')])
    for (const node of [alice, bob]) {
      await node.until('it knows that it is hidden', ({ reach }) => reach.reach === 'private')
      await node.until('two relays hold places', ({ reach }) => reach.relays.length === 2)
      await node.until('it announces them', ({ addresses }) => addresses.some(isRelayed))
    }
    await areRelayed(alice, bob)
    for (let number = 1; number <= 200; number++) assert.ok(await alice.count(bob, number))
    await bob.until('all came', ({ received }) => received[alice.id]?.length === 200)
  })

  test('a relay that falls silent is replaced within seconds, and its addresses are withdrawn', async () => {
    const relays = await startRelays()
    const [alice, bob] = await Promise.all([start('alice', { relaysMax: 1 }), start('bob', { relaysMax: 1 })])
    await areRelayed(alice, bob)
    const lost = relays.find(({ id }) => alice.state.reach.relays.includes(id))!
    const other = relays.find(({ id }) => id !== lost.id)!
    internet.unplug(lost.host)
    await alice.until(
      'the other relay holds a place',
      ({ reach }) => reach.relays.join() === other.id,
      20_000,
    )
    await alice.until(
      'the lost one is announced no more',
      ({ addresses }) => !addresses.join().includes(lost.id),
    )
    await areRelayed(alice, bob)
  })

  test('when one side can be dialled after all, the session moves to a direct link and loses nothing', async () => {
    await startRelays()
    const [alice, bob] = await Promise.all([start('alice'), start('bob')])
    await areRelayed(alice, bob)
    internet.forwardPort('bob-router', PORT, `10.${HIDDEN.bob.site}.0.2`)
    let number = 0
    while (isRelayed(alice.linkTo(bob)) && number < 20_000) {
      for (let i = 0; i < 25; i++) {
        number++
        assert.ok(await alice.count(bob, number))
        assert.ok(await bob.count(alice, number))
      }
      await alice.until('it answers', () => true)
    }
    assert.ok(!isRelayed(alice.linkTo(bob)), `still relayed after ${number} messages`)
    await bob.until(
      'its side is direct too',
      () => bob.linkTo(alice) !== null && !isRelayed(bob.linkTo(alice)),
    )
    for (const [from, to] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      await to.until('every number came', ({ received }) => (received[from.id]?.length ?? 0) >= number)
      const numbers = [...to.state.received[from.id]!].sort((a, b) => a - b)
      assert.deepEqual(
        numbers,
        Array.from({ length: number }, (_, i) => i + 1),
      )
      assert.equal(to.state.moves, 1)
    }
    assert.equal(bob.state.reach.reach, 'public')
  })

  test('the router forwards a port (UPnP): the link is direct from the start', async (t) => {
    if (!hasMiniupnpd()) return t.skip('needs miniupnpd (apt-get install miniupnpd)')
    internet.startUpnp('alice-router', HIDDEN.alice.site)
    await startRelays()
    const alice = await start('alice', { upnp: true })
    const address = `/ip4/${HIDDEN.alice.router}/tcp/${PORT}`
    await alice.until('others come through', ({ reach }) => reach.confirmed.includes(address))
    const bob = await start('bob')
    await bob.until('it has a direct link to alice', () => bob.linkTo(alice)?.startsWith(address) === true)
    assert.deepEqual(alice.state.reach.relays, [])
  })

  test('over QUIC, a way is opened through both NATs, and the session moves to it', async (t) => {
    if (!(await hasQuic())) return t.skip('needs @chainsafe/libp2p-quic (npm install)')
    await startRelays(LISTEN_QUIC)
    const [alice, bob] = await Promise.all([start('alice', {}, LISTEN_QUIC), start('bob', {}, LISTEN_QUIC)])
    for (const [from, to] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      const router = `/ip4/${HIDDEN[to.host as 'alice' | 'bob'].router}/udp/`
      await from.until(
        `its link goes straight to the NAT of ${to.host}`,
        () => from.linkTo(to)?.startsWith(router) === true && !isRelayed(from.linkTo(to)),
        30_000,
      )
      assert.equal(from.state.reach.reach, 'private')
      for (let number = 1; number <= 50; number++) assert.ok(await from.count(to, number))
      await to.until('all came', ({ received }) => received[from.id]?.length === 50)
    }
  })
})

async function hasQuic(): Promise<boolean> {
  const name = '@chainsafe/libp2p-quic'
  return import(name).then(
    () => true,
    () => false,
  )
}
