/**
 * Options that several commands share, and how their text is read.
 * @module
 */
import { InvalidArgumentError, Option } from 'commander'
import { isIri } from '@althing/base'
import { parseHash } from '@althing/client'

export const API_DEFAULT = 'http://127.0.0.1:8545'

export interface JsonOption {
  readonly json?: boolean
}

export interface ApiOption {
  readonly api: string
}

export interface KeyOption {
  readonly key: string
}

export const jsonOption = (): Option => new Option('--json', 'print one JSON value instead of text')

export const apiOption = (): Option =>
  new Option('--api <url>', "address of a node's API")
    .env('ALTHING_API')
    .default(API_DEFAULT)
    .argParser(parseUrl)

export const keyOption = (): Option =>
  new Option('--key <file>', 'key file of the account that signs').env('ALTHING_KEY').default('account.key')

export function parseUrl(text: string): string {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`)
  if (url === null)
    throw new InvalidArgumentError(`Found "${text}"; expected an address such as ${API_DEFAULT}.`)
  return url.href
}

/** @param max inclusive. */
export function parseInteger(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`Found "${text}"; expected a whole number from ${min} to ${max}.`)
  }
}

/** A u64 in decimal. */
export function parseAmount(text: string): bigint {
  const amount = /^[0-9]{1,20}$/.test(text) ? BigInt(text) : -1n
  if (amount >= 0n && amount <= 0xffff_ffff_ffff_ffffn) return amount
  throw new InvalidArgumentError(`Found "${text}"; expected a whole amount from 0 to 18446744073709551615.`)
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 }

/** `500ms`, `2s`, `1m`; a bare number is milliseconds. */
export function parseDuration(minMs: number, maxMs: number): (text: string) => number {
  return (text) => {
    const match = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m)?$/.exec(text)
    const valueMs = match === null ? Number.NaN : Math.round(Number(match[1]) * UNIT_MS[match[2] ?? 'ms']!)
    if (valueMs >= minMs && valueMs <= maxMs) return valueMs
    const range = `from ${minMs}ms to ${maxMs}ms`
    throw new InvalidArgumentError(`Found "${text}"; expected a duration ${range}, such as 500ms or 2s.`)
  }
}

const LONG_UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const LONG_DURATION_MS_MAX = 3_650 * 86_400_000

/** `90s`, `30m`, `12h`, `7d`; up to ten years. */
export function parseLongDuration(text: string): number {
  const match = /^([0-9]{1,9})(s|m|h|d)$/.exec(text)
  const valueMs = match === null ? 0 : Number(match[1]) * LONG_UNIT_MS[match[2]!]!
  if (valueMs > 0 && valueMs <= LONG_DURATION_MS_MAX) return valueMs
  throw new InvalidArgumentError(`Found "${text}"; expected a time such as 30m, 12h or 7d, up to 3650d.`)
}

/** Absolute, as RDF wants it. */
export function parseIri(text: string): string {
  if (isIri(text)) return text
  throw new InvalidArgumentError(
    `Found "${text}"; expected an absolute IRI such as http://example.org/products.`,
  )
}

/** 32 bytes in hexadecimal: an account, a transaction id, a genesis hash. */
export function parseHex32(text: string): Uint8Array {
  const bytes = parseHash(text)
  if (bytes !== null) return bytes
  throw new InvalidArgumentError(`Found "${text}"; expected 64 hexadecimal digits.`)
}
