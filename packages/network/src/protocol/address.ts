/**
 * The addresses that nodes tell each other: the few forms of multiaddr that a transport here can dial. Pure.
 * @module
 */
export type HostKind = 'ip4' | 'ip6' | 'dns' | 'memory'

/** How bytes travel to the host. `ws` and `wss` are WebSocket without and with TLS of the web. */
export type Carrier = 'tcp' | 'ws' | 'wss' | 'quic' | 'memory'

export interface Address {
  readonly hostKind: HostKind
  readonly host: string
  /** 0 for `memory`. */
  readonly port: number
  readonly carrier: Carrier
  /** The peer at that host that relays to `peer` (circuit relay v2); null when the address is direct. */
  readonly relay: string | null
  /** The peer that must answer there; null when anyone may. */
  readonly peer: string | null
  /** Without the peer. */
  readonly text: string
}

export const ADDRESS_CHARS_MAX = 256
const HOST_KIND_BY_PROTOCOL: Readonly<Record<string, HostKind>> = {
  ip4: 'ip4',
  ip6: 'ip6',
  dns: 'dns',
  dns4: 'dns',
  dns6: 'dns',
}
/** What follows the port. */
const CARRIER_BY_SUFFIX: Readonly<Record<string, Carrier>> = {
  'tcp/': 'tcp',
  'tcp/ws': 'ws',
  'tcp/wss': 'wss',
  'tcp/tls/ws': 'wss',
  'udp/quic-v1': 'quic',
}

/**
 * Reads `/ip4/…`, `/ip6/…` or `/dns…/…`, then `/tcp/…`, `/tcp/…/ws`, `/tcp/…/wss`, `/tcp/…/tls/ws` or `/udp/…/quic-v1`; or
 * `/memory/…`; each with or without `/p2p/…`, and with `/p2p/…/p2p-circuit` before that for a peer behind a relay.
 * Null for anything else.
 */
export function parseAddress(text: string): Address | null {
  if (text.length > ADDRESS_CHARS_MAX) return null
  const [root, protocol, host, ...rest] = text.split('/')
  if (root !== '' || protocol === undefined || host === undefined || host === '') return null
  if (protocol === 'memory') {
    return withPeers({ hostKind: 'memory', host, port: 0, carrier: 'memory', text: `/memory/${host}` }, rest)
  }
  const hostKind = HOST_KIND_BY_PROTOCOL[protocol]
  const [network, portText, ...more] = rest
  const peersAt = more.indexOf('p2p')
  const suffix = peersAt < 0 ? more : more.slice(0, peersAt)
  const carrier = CARRIER_BY_SUFFIX[`${network}/${suffix.join('/')}`]
  const port = parsePort(portText)
  if (hostKind === undefined || carrier === undefined || port === null || !isHost(hostKind, host)) return null
  const direct = ['', protocol, host, network, port, ...suffix].join('/')
  return withPeers({ hostKind, host, port, carrier, text: direct }, more.slice(suffix.length))
}

/** Reads a multiaddr, or `host:port` (`[::1]:9000` for IPv6), as people write it. Null when it is neither. */
export function parsePeerAddress(text: string): Address | null {
  if (text.startsWith('/')) return parseAddress(text)
  const split = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text)
  if (split === null) return null
  const [, ip6, name, port] = split
  if (ip6 !== undefined) return parseAddress(`/ip6/${ip6}/tcp/${port}`)
  return parseAddress(`/${isHost('ip4', name!) ? 'ip4' : 'dns'}/${name}/tcp/${port}`)
}

/** Undefined for what is no address. */
export function carrierOf(text: string): Carrier | undefined {
  return parseAddress(text)?.carrier
}

/** With the peer that must answer, so that nobody else can. */
export function addressWithPeer({ text }: Address, peer: string): string {
  return `${text}/p2p/${peer}`
}

/**
 * Whether an address heard from a peer is worth dialling. Loopback and link-local addresses mean something only to those on the
 * same machine or link: they are believed only of a peer that is reached by such an address itself.
 */
export function isPlausible(address: Address, heardFromNearby: boolean): boolean {
  if (address.hostKind === 'memory') return true
  if (address.port === 0 || isUnspecifiedOrMulticast(address)) return false
  return heardFromNearby || !isNearby(address)
}

/** Those of the texts that are addresses worth dialling. */
export function plausibleAddresses(texts: readonly string[], heardFromNearby: boolean): Address[] {
  return texts
    .map(parseAddress)
    .filter((address) => address !== null)
    .filter((address) => isPlausible(address, heardFromNearby))
}

/** Loopback or link-local. */
export function isNearby({ hostKind, host }: Address): boolean {
  switch (hostKind) {
    case 'ip4':
      return host.startsWith('127.') || host.startsWith('169.254.')
    case 'ip6':
      return host === '::1' || host.toLowerCase().startsWith('fe80:') || host.startsWith('::ffff:127.')
    case 'dns':
      return host === 'localhost'
    case 'memory':
      return true
  }
}

function isUnspecifiedOrMulticast({ hostKind, host }: Address): boolean {
  if (hostKind === 'ip4') return host.startsWith('0.') || Number(host.split('.')[0]) >= 224
  return hostKind === 'ip6' && (host === '::' || host.toLowerCase().startsWith('ff'))
}

/** @param rest what follows: nothing, `p2p/<peer>`, `p2p/<relay>/p2p-circuit` or that and `p2p/<peer>`. */
function withPeers(direct: Omit<Address, 'peer' | 'relay'>, rest: readonly string[]): Address | null {
  const isRelayed = rest[2] === 'p2p-circuit'
  const relay = isRelayed ? readPeer(rest.slice(0, 2)) : null
  if (isRelayed && relay === null) return null
  const last = isRelayed ? rest.slice(3) : rest
  const peer = readPeer(last)
  if (last.length > 0 && peer === null) return null
  const text = relay === null ? direct.text : `${direct.text}/p2p/${relay}/p2p-circuit`
  return { ...direct, text, relay, peer }
}

function readPeer(parts: readonly string[]): string | null {
  const [p2p, peer, ...more] = parts
  return p2p === 'p2p' && peer !== undefined && more.length === 0 && isPeerId(peer) ? peer : null
}

/** The form only; whether it is a key, the transport finds. */
export function isPeerId(text: string): boolean {
  return /^[0-9A-Za-z-]{1,64}$/.test(text)
}

function parsePort(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return null
  const port = Number(text)
  return port <= 0xffff ? port : null
}

function isHost(kind: HostKind, host: string): boolean {
  switch (kind) {
    case 'ip4':
      return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) && host.split('.').every((part) => Number(part) <= 255)
    case 'ip6':
      return host.includes(':') && /^[0-9a-fA-F:.]{2,45}$/.test(host)
    case 'dns':
      return /^[0-9A-Za-z]([0-9A-Za-z.-]{0,251}[0-9A-Za-z])?$/.test(host)
    case 'memory':
      return true
  }
}
