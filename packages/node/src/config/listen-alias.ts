/**
 * `network.listen` told by two keys of other programs: a port, and an address with or without a port.
 * @module
 */
import { isIPv4, isIPv6 } from 'node:net'

export const listenPortPaths: ReadonlySet<string> = new Set([
  'network.listen_port',
  'network.p2p_port',
  'listen_port',
  'p2p_port',
])
export const listenHostPaths: ReadonlySet<string> = new Set([
  'network.listen_addr',
  'network.bind_addr',
  'network.p2p_bind_addr',
  'listen_addr',
  'bind_addr',
  'p2p_bind_addr',
])

const HOST_DEFAULT = '0.0.0.0'
const PORT_DEFAULT = 9_000

export const portExpectation = 'a port from 0 to 65535'
export const hostExpectation = 'an address such as "0.0.0.0" or "0.0.0.0:9000"'

/** @returns null unless a port from 0 to 65535. */
export function readPort(given: unknown): number | null {
  const port = typeof given === 'string' && /^\d{1,5}$/.test(given) ? Number(given) : given
  return Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65_535
    ? (port as number)
    : null
}

/** `port` is null when the address has none. */
export function readHost(given: unknown): { host: string; port: number | null } | null {
  if (typeof given !== 'string') return null
  if (isIPv6(given)) return { host: given, port: null }
  const match = /^(?:\[([^\]]+)\]|([^:/\s[\]]+))(?::(\d+))?$/.exec(given)
  if (match === null || (match[1] !== undefined && !isIPv6(match[1]))) return null
  const host = match[1] ?? match[2]!
  if (match[3] === undefined) return { host, port: null }
  const port = readPort(match[3])
  return port === null ? null : { host, port }
}

export function listenMultiaddr(host: string = HOST_DEFAULT, port: number = PORT_DEFAULT): string {
  const kind = isIPv6(host) ? 'ip6' : isIPv4(host) ? 'ip4' : 'dns'
  return `/${kind}/${host}/tcp/${port}`
}
