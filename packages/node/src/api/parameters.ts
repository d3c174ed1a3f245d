/**
 * Reads what stands in an address: each refusal names the parameter, what was found and what was expected.
 * @module
 */
import { hexToBytes, KV_KEY_BYTES_MAX, utf8ToBytes } from '@althing/base'
import type { Hash } from '@althing/base'
import { parseHash } from '@althing/client'
import { ApiFault } from './answer.ts'

const FOUND_CHARACTERS_MAX = 80

export function readHash(name: string, text: string): Hash {
  const bytes = parseHash(text)
  if (bytes === null) throw invalid(name, text, '64 hexadecimal digits')
  return bytes
}

export function readBlockReference(text: string): number | Hash | 'latest' {
  if (text === 'latest') return text
  const height = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  const reference = Number.isSafeInteger(height) ? height : parseHash(text)
  if (reference === null)
    throw invalid('block', text, 'a height, a hash of 64 hexadecimal digits, or "latest"')
  return reference
}

export function readHeight(text: string): number {
  return readWhole('height', text)
}

export function readWhole(name: string, text: string): number {
  const whole = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(whole)) return whole
  throw invalid(name, text, 'a whole number')
}

/** @param encoding how the key is written: as text, or as the hexadecimal of its bytes. */
export function readKey(text: string, encoding: string | undefined): Uint8Array {
  if (encoding !== undefined && encoding !== 'hex' && encoding !== 'utf8') {
    throw invalid('encoding', encoding, '"utf8" or "hex"')
  }
  const key = encoding === 'hex' ? hexToBytes(text) : utf8ToBytes(text)
  if (key === null) throw invalid('key', text, 'hexadecimal digits, two for each byte')
  if (key.length < 1 || key.length > KV_KEY_BYTES_MAX) {
    throw invalid('key', `${key.length} bytes`, `1 to ${KV_KEY_BYTES_MAX} bytes`)
  }
  return key
}

/** @returns the default when the parameter is absent. */
export function readBoolean(name: string, text: string | undefined, byDefault: boolean): boolean {
  if (text === undefined) return byDefault
  if (text !== 'true' && text !== 'false') throw invalid(name, text, '"true" or "false"')
  return text === 'true'
}

export function readChoice<Choice extends string>(
  name: string,
  text: string,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((choice) => choice === text)
  if (found === undefined) throw invalid(name, text, `one of ${choices.join(', ')}`)
  return found
}

function invalid(name: string, found: string, expected: string): ApiFault {
  const shown = found.length > FOUND_CHARACTERS_MAX ? `${found.slice(0, FOUND_CHARACTERS_MAX)}…` : found
  return new ApiFault('PARAMETER_INVALID', `${name}: found ${shown}, expected ${expected}`, {
    parameter: name,
  })
}
