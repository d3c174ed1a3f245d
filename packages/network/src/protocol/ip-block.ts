/**
 * IP addresses, and blocks of them in CIDR notation (RFC 4632, RFC 4291). Pure.
 * An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address: sockets that take both report it so.
 * @module
 */

export interface Ip {
  readonly family: 4 | 6
  readonly value: bigint
}

export interface IpBlock extends Ip {
  /** How many leading bits are fixed; all of them for one address. The others are 0 in `value`. */
  readonly prefixBits: number
}

const BITS = { 4: 32, 6: 128 } as const
const MAPPED_PREFIX = 0xffffn << 32n

/** Null when it is no address. A zone (`fe80::1%eth0`) is left out: it means something only on its own machine. */
export function parseIp(text: string): Ip | null {
  const [bare = ''] = text.split('%')
  if (!bare.includes(':')) return ip4(bare)
  const value = ip6Value(bare)
  if (value === null) return null
  if (value >> 32n === 0xffffn) return { family: 4, value: value - MAPPED_PREFIX }
  return { family: 6, value }
}

/** Reads `10.1.0.0/16`, or one address. Bits below the prefix are cleared. */
export function parseIpBlock(text: string): IpBlock | null {
  const [address = '', prefix, ...rest] = text.split('/')
  const ip = parseIp(address)
  if (ip === null || rest.length > 0) return null
  if (prefix === undefined) return blockContaining(ip, BITS[ip.family])
  const mappedBits = address.includes(':') && ip.family === 4 ? 96 : 0
  const prefixBits = /^\d{1,3}$/.test(prefix) ? Number(prefix) - mappedBits : -1
  return prefixBits >= 0 && prefixBits <= BITS[ip.family] ? blockContaining(ip, prefixBits) : null
}

export function blockContaining({ family, value }: Ip, prefixBits: number): IpBlock {
  const hostBits = BigInt(BITS[family] - prefixBits)
  return { family, prefixBits, value: (value >> hostBits) << hostBits }
}

/** One text for each block: `10.0.0.1`, `10.1.0.0/16`, `2001:db8:0:0:0:0:0:0/32`. */
export function ipBlockText({ family, value, prefixBits }: IpBlock): string {
  const [parts, bits, base, separator] = family === 4 ? [4, 8n, 10, '.'] : [8, 16n, 16, ':']
  const mask = (1n << bits) - 1n
  const shown = Array.from({ length: parts }, (_, i) =>
    ((value >> (BigInt(parts - 1 - i) * bits)) & mask).toString(base),
  )
  const address = shown.join(separator)
  return prefixBits === BITS[family] ? address : `${address}/${prefixBits}`
}

function ip4(text: string): Ip | null {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return null
  return { family: 4, value: parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n) }
}

function ip6Value(text: string): bigint | null {
  const lastColon = text.lastIndexOf(':')
  const tail = text.slice(lastColon + 1)
  if (tail.includes('.')) {
    const embedded = ip4(tail)
    if (embedded === null) return null
    const [high, low] = [embedded.value >> 16n, embedded.value & 0xffffn]
    return ip6Value(`${text.slice(0, lastColon + 1)}${high.toString(16)}:${low.toString(16)}`)
  }
  const halves = text.split('::')
  const [head, rest] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const groups = rest === undefined ? head! : fill(head!, rest)
  if (halves.length > 2 || groups?.length !== 8) return null
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

/** With the zeros that `::` stands for; null when there is no room for any. */
function fill(head: readonly string[], rest: readonly string[]): string[] | null {
  const missing = 8 - head.length - rest.length
  return missing < 1 ? null : [...head, ...Array.from({ length: missing }, () => '0'), ...rest]
}

/** Where the other end of a connection is, as far as limits and diversity go. */
export interface Place {
  /** Who has one address: an IPv4 address, or the /64 that one IPv6 customer has. */
  readonly host: string
  /** Who is near: the /24, or the /56. */
  readonly block: string
  /** What one provider or owner may have all of: the /16, or the /32. */
  readonly region: string
  readonly kind: 'loopback' | 'private' | 'public'
}

/**
 * Null for what is reached over no IP address of its own: names, memory, and relays, whose address says nothing of the peer.
 * @param multiaddr of the other end.
 */
export function placeOf(multiaddr: string): Place | null {
  const ip = ipOf(multiaddr)
  if (ip === null) return null
  const [hostBits, blockBits, regionBits] = ip.family === 4 ? [32, 24, 16] : [64, 56, 32]
  return {
    host: ipBlockText(blockContaining(ip, hostBits)),
    block: ipBlockText(blockContaining(ip, blockBits)),
    region: ipBlockText(blockContaining(ip, regionBits)),
    kind: LOOPBACK.some((block) => isWithin(ip, block))
      ? 'loopback'
      : PRIVATE.some((block) => isWithin(ip, block))
        ? 'private'
        : 'public',
  }
}

/** The IP address of the other end; null when there is none, or it is a relay's. */
export function ipOf(multiaddr: string): Ip | null {
  if (multiaddr.includes('/p2p-circuit')) return null
  const host = /^\/ip[46]\/([^/]+)/.exec(multiaddr)?.[1]
  return host === undefined ? null : parseIp(host)
}

/** @param multiaddr of the other end; what has no IP address is in no block. */
export function isAddressWithin(multiaddr: string, block: IpBlock): boolean {
  const ip = ipOf(multiaddr)
  return ip !== null && isWithin(ip, block)
}

function isWithin(ip: Ip, { family, value, prefixBits }: IpBlock): boolean {
  return ip.family === family && blockContaining(ip, prefixBits).value === value
}

const LOOPBACK = ['127.0.0.0/8', '::1'].map((text) => parseIpBlock(text)!)
/** RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 (link-local). */
const PRIVATE = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
].map((text) => parseIpBlock(text)!)
