import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isPlausible, parseAddress, parsePeerAddress } from '../../src/protocol/address.ts'

describe('address', () => {
  const written = [
    { text: '/ip4/10.0.0.1/tcp/9000', read: '/ip4/10.0.0.1/tcp/9000' },
    { text: '/ip6/::1/tcp/9000/p2p/12D3KooWabc', read: '/ip6/::1/tcp/9000', peer: '12D3KooWabc' },
    { text: '/dns4/node.example/tcp/1', read: '/dns4/node.example/tcp/1' },
    { text: '10.0.0.1:9000', read: '/ip4/10.0.0.1/tcp/9000' },
    { text: 'node.example:9000', read: '/dns/node.example/tcp/9000' },
    { text: '[::1]:9000', read: '/ip6/::1/tcp/9000' },
    { text: '/memory/a', read: '/memory/a' },
    {
      text: '/ip4/10.0.0.1/tcp/9000/ws/p2p/12D3KooWabc',
      read: '/ip4/10.0.0.1/tcp/9000/ws',
      peer: '12D3KooWabc',
    },
    { text: '/dns/a.example/tcp/443/wss', read: '/dns/a.example/tcp/443/wss' },
    { text: '/dns/a.example/tcp/443/tls/ws', read: '/dns/a.example/tcp/443/tls/ws' },
    { text: '/ip4/10.0.0.1/udp/9000/quic-v1', read: '/ip4/10.0.0.1/udp/9000/quic-v1' },
    {
      text: '/ip4/10.0.0.1/tcp/1/ws/p2p/12D3KooWrelay/p2p-circuit/p2p/12D3KooWabc',
      read: '/ip4/10.0.0.1/tcp/1/ws/p2p/12D3KooWrelay/p2p-circuit',
      peer: '12D3KooWabc',
    },
    { text: '/memory/a/p2p/b/p2p-circuit', read: '/memory/a/p2p/b/p2p-circuit' },
  ]
  for (const { text, read, peer = null } of written) {
    test(`${text} is read`, () => {
      const address = parsePeerAddress(text)
      assert.deepEqual([address?.text, address?.peer], [read, peer])
    })
  }

  const refused = [
    '',
    '/',
    'x',
    ':1',
    'a:b',
    '/ip4/300.0.0.1/tcp/1',
    '/ip4/1.2.3.4/tcp/70000',
    '/ip4/1.2.3.4/udp/1',
    '/ip4/1.2.3.4/tcp/1/p2p/',
    '/ip4/1.2.3.4/tcp/1/p2p/a/b',
    '/ip4/1.2.3.4/tcp/1/http',
    '/ip4/1.2.3.4/udp/1/ws',
    '/ip4/1.2.3.4/tcp/1/p2p-circuit/p2p/a',
    '/ip4/1.2.3.4/tcp/1/p2p/a/p2p-circuit/p2p/b/p2p-circuit',
    `/memory/${'x'.repeat(300)}`,
  ]
  for (const text of refused)
    test(`"${text.slice(0, 40)}" is refused`, () => assert.equal(parsePeerAddress(text), null))

  test('any text is read or refused, never a throw', () => {
    fc.assert(fc.property(fc.string(), (text) => void parsePeerAddress(text)))
  })

  const heard = [
    { text: '/ip4/0.0.0.0/tcp/1', far: false, nearby: false },
    { text: '/ip4/10.0.0.1/tcp/0', far: false, nearby: false },
    { text: '/ip4/239.1.1.1/tcp/1', far: false, nearby: false },
    { text: '/ip6/::/tcp/1', far: false, nearby: false },
    { text: '/ip4/127.0.0.1/tcp/1', far: false, nearby: true },
    { text: '/ip6/::1/tcp/1', far: false, nearby: true },
    { text: '/dns/localhost/tcp/1', far: false, nearby: true },
    { text: '/ip4/10.0.0.1/tcp/1', far: true, nearby: true },
    { text: '/dns/node.example/tcp/1', far: true, nearby: true },
  ]
  for (const { text, far, nearby } of heard) {
    test(`${text} is ${far ? '' : 'not '}believed from afar, ${nearby ? '' : 'not '}from nearby`, () => {
      const address = parseAddress(text)!
      assert.deepEqual([isPlausible(address, false), isPlausible(address, true)], [far, nearby])
    })
  }
})
