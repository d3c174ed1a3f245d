/**
 * Reads one value of the configuration: what TOML, the environment or a flag gave, by the rules of its key.
 * @module
 */
import { isIri } from '@althing/base'
import type { AddressesKey, ConfigKey, ConfigValue, NumbersKey } from './schema.ts'

/** @returns undefined when the value is not what the key may hold (`expectationOf` says what that is). */
export function readValue(key: ConfigKey, given: unknown): ConfigValue | undefined {
  switch (key.kind) {
    case 'integer':
      return within(Number.isInteger(given) ? (given as number) : undefined, key.min, key.max)
    case 'duration':
      return within(readDurationMs(given), key.minMs, key.maxMs)
    case 'size':
      return within(readSizeBytes(given), key.minBytes, key.maxBytes)
    case 'text':
      return isText(given) && given.length <= key.charactersMax ? given : undefined
    case 'path':
      return isText(given) ? given : undefined
    case 'choice':
      return key.choices.find((choice) => choice === given)
    case 'addresses':
      return Array.isArray(given) && given.every((each) => isAddress(each, key.of))
        ? (given as string[])
        : undefined
    case 'iris':
      return Array.isArray(given) && given.every((each) => typeof each === 'string' && isIri(each))
        ? (given as string[])
        : undefined
    case 'boolean':
      return typeof given === 'boolean' ? given : undefined
    case 'numbers':
      return Array.isArray(given) && isNumbers(given, key) ? given : undefined
  }
}

/** What the environment or a flag says, as TOML would have said it. */
export function fromText(key: ConfigKey, text: string): unknown {
  if (key.kind === 'addresses' || key.kind === 'iris')
    return text === '' ? [] : text.split(',').map((each) => each.trim())
  if (key.kind === 'boolean') return text === 'true' || (text === 'false' ? false : text)
  if (key.kind === 'numbers') return text.split(',').map(Number)
  const isNumber = key.kind === 'integer' || key.kind === 'duration' || key.kind === 'size'
  return isNumber && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

export function expectationOf(key: ConfigKey): string {
  switch (key.kind) {
    case 'integer':
      return `a whole number ${rangeOf(key)}`
    case 'duration':
      return `a duration ${rangeOf(key)}: seconds as a number, or a string such as "500ms" or "30s"`
    case 'size':
      return `a size ${rangeOf(key)}: bytes as a number, or a string such as "1MiB"`
    case 'text':
      return `text of 1 to ${key.charactersMax} characters`
    case 'path':
      return 'the path of a file or folder'
    case 'choice':
      return `one of ${key.choices.map((choice) => `"${choice}"`).join(', ')}`
    case 'addresses':
      return `a list of ${ADDRESS_EXAMPLES[key.of]}`
    case 'iris':
      return 'a list of absolute IRIs'
    case 'boolean':
      return 'true or false'
    case 'numbers':
      return `a list of ${key.default.length} numbers, each above 0 and at most ${key.max}`
  }
}

/** "from 1 to 10"; empty for kinds without a range. */
export function rangeOf(key: ConfigKey): string {
  if (key.kind === 'integer') return `from ${key.min} to ${key.max}`
  if (key.kind === 'duration') return `from ${formatDuration(key.minMs)} to ${formatDuration(key.maxMs)}`
  if (key.kind === 'size') return `from ${formatSize(key.minBytes)} to ${formatSize(key.maxBytes)}`
  return ''
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
}

/** A bare number is seconds. */
function readDurationMs(given: unknown): number | undefined {
  return withUnit(given, unitMs, 's')
}

/** A bare number is bytes. */
function readSizeBytes(given: unknown): number | undefined {
  return withUnit(given, unitBytes, 'B')
}

function withUnit(given: unknown, units: Readonly<Record<string, number>>, bare: string): number | undefined {
  const match =
    typeof given === 'number' ? [given, given, bare] : /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(String(given))
  const factor = match === null ? undefined : units[match[2] as string]
  if (factor === undefined) return undefined
  const value = Math.round(Number(match![1]) * factor)
  return Number.isSafeInteger(value) ? value : undefined
}

export function formatDuration(ms: number): string {
  return inUnits(ms, unitMs)
}

export function formatSize(bytes: number): string {
  return inUnits(bytes, unitBytes)
}

/** In the largest unit that needs no fraction. */
function inUnits(value: number, units: Readonly<Record<string, number>>): string {
  const fitting = Object.entries(units).filter(([, factor]) => value !== 0 && value % factor === 0)
  const [unit, factor] = fitting.reduce(
    (best, each) => (each[1] > best[1] ? each : best),
    Object.entries(units)[0]!,
  )
  return `${value / factor}${unit}`
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined
}

function isText(given: unknown): given is string {
  return typeof given === 'string' && given.trim() !== ''
}

function isNumbers(given: readonly unknown[], key: NumbersKey): given is number[] {
  const isFitting = (each: unknown) => typeof each === 'number' && each > 0 && each <= key.max
  return given.length === key.default.length && given.every(isFitting)
}

const ADDRESS_EXAMPLES = {
  listen: 'multiaddrs such as "/ip4/0.0.0.0/tcp/9000"',
  peers: 'addresses such as "/ip4/192.0.2.1/tcp/9000" or "example.org:9000"',
  seeds: 'DNS names such as "seed.example.org"',
} as const satisfies Record<AddressesKey['of'], string>

const multiaddr = /^\/(ip4|ip6|dns|dns4|dns6|dnsaddr)\/[^/\s]+(\/[^/\s]+)*$/
const listenAddress =
  /^\/(?:ip4|ip6|dns|dns4|dns6)\/[^/\s]+\/(?:tcp\/(\d{1,5})(?:\/wss?)?|udp\/(\d{1,5})\/quic-v1)$/
const dnsName = /^(\/dnsaddr\/)?[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?$/
const hostPort = /^(\[[0-9a-fA-F:.]+\]|[^/:\s]+):(\d{1,5})$/

function isAddress(given: unknown, of: AddressesKey['of']): boolean {
  if (typeof given !== 'string') return false
  switch (of) {
    case 'listen': {
      const [, tcpPort, udpPort] = listenAddress.exec(given) ?? []
      return isPort(tcpPort ?? udpPort)
    }
    case 'peers':
      return multiaddr.test(given) || isPort(hostPort.exec(given)?.[2])
    case 'seeds':
      return dnsName.test(given)
  }
}

function isPort(text: string | undefined): boolean {
  return text !== undefined && Number(text) <= 65_535
}
