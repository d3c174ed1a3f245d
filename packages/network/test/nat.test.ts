import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { NatOptions } from '../src/index.ts'
import { hasMiniupnpd, Internet, whatIsMissing } from './nat/internet.ts'
import { RemoteNode } from './nat/remote-node.ts'

const PORT = 4001
const TCP = [`/ip4/0.0.0.0/tcp/${PORT}`]
const TCP_AND_QUIC = [...TCP, `/ip4/0.0.0.0/udp/${PORT}/quic-v1`]
const PUBLIC = { relayA: '11.0.0.2', relayB: '11.0.0.3' } as const
const HIDDEN = {
  alice: { site: 1, router: '11.0.0.11' },
  bob: { site: 2, router: '11.0.0.12' },
} as const
const SEED_BY_HOST = { relayA: 1, relayB: 2, alice: 3, bob: 4 } as const
type Host = keyof typeof SEED_BY_HOST

const missing = whatIsMissing()
/** An optional package; as a string, so that types do not ask for it. */
const quicPackage: string = '@chainsafe/libp2p-quic'
const hasQuic = await import(quicPackage).then(
  () => true,
  () => false,
)

/** Real NATs: alice and bob are behind one each, the relays are public (PT-8, VC-9). Each test goes on where the last one ended. */
describe('behind NATs', { skip: missing ?? false }, () => {
  let internet: Internet
  let relays: RemoteNode[]
  let alice: RemoteNode
  let bob: RemoteNode

  before(async () => {
    internet = new Internet()
    for (const [name, address] of Object.entries(PUBLIC)) internet.addPublicHost(name, address)
    for (const [name, { site, router }] of Object.entries(HIDDEN)) internet.addHiddenHost(name, site, router)
    const listen = hasQuic ? TCP_AND_QUIC : TCP
    const nodes = await Promise.all([
      start('alice', TCP),
      start('bob', TCP),
      start('relayA', listen),
      start('relayB', listen),
    ])
    ;[alice, bob] = nodes
    relays = nodes.slice(2)
  })
  after(async () => {
    await Promise.all([alice, bob, ...(relays ?? [])].map((node) => node?.stop()))
    await internet?.stop()
  })

  function start(host: Host, listen: readonly string[], nat: Partial<NatOptions> = {}): Promise<RemoteNode> {
    const others = Object.entries(PUBLIC).filter(([name]) => name !== host)
    const bootstrap = others.map(([, address]) => `${address}:${PORT}`)
    return RemoteNode.start(internet, host, { seed: SEED_BY_HOST[host], listen, bootstrap, nat })
  }

  const isRelayed = (address: string | null | undefined) => address?.includes('/p2p-circuit') === true
  const bothWays = (): [from: RemoteNode, to: RemoteNode][] => [
    [alice, bob],
    [bob, alice],
  ]

  async function areRelayed(): Promise<void> {
    for (const [from, to] of bothWays()) {
      await from.until(`its link to ${to.host} is relayed`, () => isRelayed(from.linkTo(to)))
    }
  }

  test('nobody can dial them, they hold places at relays, and reach each other there', async () => {
    for (const relay of relays) await relay.until('it relays', ({ reach }) => reach.isRelay)
    for (const node of [alice, bob]) {
      await node.until('two relays hold places', ({ reach }) => reach.relays.length === 2)
      await node.until('it announces them', ({ addresses }) => addresses.some(isRelayed))
      assert.equal(node.state.reach.reach, 'private')
    }
    await areRelayed()
    for (const [from, to] of bothWays()) {
      for (let number = 1; number <= 100; number++) assert.ok(await from.count(to, number))
      await to.until('all came', ({ received }) => received[from.id]?.length === 100)
    }
  })

  test('a relay that falls silent is given up within seconds, and asked again when it is back', async () => {
    const lost = relays.find(({ id }) => alice.linkTo(bob)?.includes(id))!
    const other = relays.find(({ id }) => id !== lost.id)!
    internet.unplug(lost.host)
    for (const node of [alice, bob]) {
      await node.until('only the other holds a place', ({ reach }) => reach.relays.join() === other.id)
      await node.until(
        'the lost one is announced no more',
        (state) => !state.addresses.join().includes(lost.id),
      )
    }
    await alice.until(
      'its link to bob goes over the other',
      () => alice.linkTo(bob)?.includes(other.id) === true,
    )
    internet.plugIn(lost.host)
    await alice.until('both hold a place again', ({ reach }) => reach.relays.length === 2)
  })

  test('when one side can be dialled after all, the session moves to a direct link and loses nothing', async () => {
    await areRelayed()
    const first = 1001
    let next = first
    const countOn = async () => {
      for (let i = 0; i < 25; i++, next++) {
        for (const [from, to] of bothWays()) assert.ok(await from.count(to, next))
      }
    }
    await countOn()
    internet.forwardPort('bob-router', PORT, `10.${HIDDEN.bob.site}.0.2`)
    for (let bursts = 0; bursts < 500 && isRelayed(alice.linkTo(bob)); bursts++) {
      await countOn()
      await alice.until('it answers', () => true)
    }
    await countOn()
    assert.ok(!isRelayed(alice.linkTo(bob)), `still relayed after number ${next}`)
    await bob.until(
      'its side is direct too',
      () => bob.linkTo(alice) !== null && !isRelayed(bob.linkTo(alice)),
    )
    for (const [from, to] of bothWays()) {
      const numbers = () => (to.state.received[from.id] ?? []).filter((number) => number >= first)
      await to.until('every number came', () => numbers().length >= next - first)
      assert.deepEqual(
        numbers().sort((a, b) => a - b),
        Array.from({ length: next - first }, (_, i) => first + i),
      )
      assert.equal(to.state.moves[from.id], 1)
    }
    await bob.until('it knows that it can be dialled', ({ reach }) => reach.reach === 'public')
  })

  test('the router forwards a port (UPnP): the link is direct from the start', async (t) => {
    if (!hasMiniupnpd()) return t.skip('needs miniupnpd (apt-get install miniupnpd)')
    internet.unforwardPorts('bob-router')
    internet.startUpnp('alice-router', HIDDEN.alice.site)
    await alice.stop()
    alice = await start('alice', TCP, { upnp: true })
    const address = `/ip4/${HIDDEN.alice.router}/tcp/${PORT}`
    await alice.until('others come through', ({ reach }) => reach.confirmed.includes(address))
    await bob.until('its link to alice is direct', () => bob.linkTo(alice)?.startsWith(address) === true)
    assert.deepEqual(alice.state.reach.relays, [])
    await alice.stop()
    assert.equal(
      internet.run('alice-router', 'nft list chain inet filter prerouting_miniupnpd').includes('dnat'),
      false,
    )
  })

  test('over QUIC, a way is opened through both NATs, and the session moves to it', async (t) => {
    if (!hasQuic) return t.skip('needs @chainsafe/libp2p-quic')
    internet.unforwardPorts('bob-router')
    await Promise.all([alice.stop(), bob.stop()])
    ;[alice, bob] = await Promise.all([start('alice', TCP_AND_QUIC), start('bob', TCP_AND_QUIC)])
    for (const [from, to] of bothWays()) {
      const { router } = HIDDEN[to.host as keyof typeof HIDDEN]
      const isDirect = () => from.linkTo(to)?.startsWith(`/ip4/${router}/udp/`) === true
      await from.until(`its link goes straight to the NAT of ${to.host}`, isDirect, 30_000)
      await from.until('it knows that it is hidden', ({ reach }) => reach.reach === 'private')
      for (let number = 1; number <= 50; number++) assert.ok(await from.count(to, number))
      await to.until('all came', ({ received }) => received[from.id]?.length === 50)
    }
  })
})
