/**
 * The addresses that nodes tell each other: the few forms of multiaddr that a transport here can dial. Pure.
 * @module
 */
export type HostKind = 'ip4' | 'ip6' | 'dns' | 'memory'

export interface Address {
  readonly hostKind: HostKind
  readonly host: string
  /** 0 for `memory`. */
  readonly port: number
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

/** Reads `/ip4/…/tcp/…`, `/ip6/…/tcp/…`, `/dns…/…/tcp/…` or `/memory/…`, each with or without `/p2p/…`. Null for anything else. */
export function parseAddress(text: string): Address | null {
  if (text.length > ADDRESS_CHARS_MAX) return null
  const [root, protocol, host, ...rest] = text.split('/')
  if (root !== '' || protocol === undefined || host === undefined || host === '') return null
  if (protocol === 'memory')
    return withPeer({ hostKind: 'memory', host, port: 0, text: `/memory/${host}` }, rest)
  const hostKind = HOST_KIND_BY_PROTOCOL[protocol]
  const [tcp, portText, ...peerParts] = rest
  const port = parsePort(portText)
  if (hostKind === undefined || tcp !== 'tcp' || port === null || !isHost(hostKind, host)) return null
  return withPeer({ hostKind, host, port, text: `/${protocol}/${host}/tcp/${port}` }, peerParts)
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

function withPeer(address: Omit<Address, 'peer'>, rest: readonly string[]): Address | null {
  if (rest.length === 0) return { ...address, peer: null }
  const [p2p, peer, ...more] = rest
  if (p2p !== 'p2p' || more.length > 0 || peer === undefined || !isPeerId(peer)) return null
  return { ...address, peer }
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
