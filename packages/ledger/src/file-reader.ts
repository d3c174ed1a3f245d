/**
 * Reads what `JSON.parse` made of a file, and notes everything that does not fit. Pure.
 * @module
 */
import { AMOUNT_MAX, hexToBytes, ZERO_HASH } from '@althing/base'
import type { GenesisProblem } from './genesis.ts'

/** One value of the file. What does not fit is noted, and a harmless value stands in for it. */
export class FileReader {
  readonly #path: string
  readonly #value: unknown
  readonly #problems: GenesisProblem[]

  constructor(path: string, value: unknown, problems: GenesisProblem[]) {
    this.#path = path
    this.#value = value
    this.#problems = problems
  }

  fields<Name extends string>(names: readonly Name[]): Record<Name, FileReader> {
    const isObject = typeof this.#value === 'object' && this.#value !== null && !Array.isArray(this.#value)
    if (!isObject) this.#note('an object')
    const object = (isObject ? this.#value : {}) as Record<string, unknown>
    for (const name of Object.keys(object)) {
      const isKnown = (names as readonly string[]).includes(name)
      if (!isKnown) this.#child(name, object[name]).#note(`no such key; known: ${names.join(', ')}`)
    }
    const readers = names.map((name) => [name, this.#child(name, isObject ? object[name] : null)] as const)
    return Object.fromEntries(readers) as Record<Name, FileReader>
  }

  /** An object whose keys may be absent, as it may be itself; what is absent has its value in `defaults`. */
  fieldsOr<Defaults extends object>(defaults: Defaults): Record<keyof Defaults & string, FileReader> {
    const isObject = typeof this.#value === 'object' && this.#value !== null && !Array.isArray(this.#value)
    const given = isObject ? this.#value : {}
    if (!isObject && this.#value !== undefined) this.#note('an object')
    const whole = new FileReader(this.#path, { ...defaults, ...given }, this.#problems)
    return whole.fields(Object.keys(defaults) as (keyof Defaults & string)[])
  }

  list(): FileReader[] {
    if (!Array.isArray(this.#value)) return this.#note('a list', [])
    return this.#value.map((each, index) => new FileReader(`${this.#path}[${index}]`, each, this.#problems))
  }

  text(): string {
    return typeof this.#value === 'string' ? this.#value : this.#note('a text', '')
  }

  isNull(): boolean {
    return this.#value === null
  }

  integer(max = Number.MAX_SAFE_INTEGER): number {
    const value = this.#value
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value
    return this.#note(`an integer from 0 to ${max}`, 0)
  }

  amount(): bigint {
    const value = this.#value
    const amount = typeof value === 'string' && /^[0-9]{1,20}$/.test(value) ? BigInt(value) : null
    return amount !== null && amount <= AMOUNT_MAX
      ? amount
      : this.#note(`digits in quotes, at most "${AMOUNT_MAX}"`, 0n)
  }

  key(): Uint8Array {
    const value = this.#value
    const isHex = typeof value === 'string' && /^[0-9a-fA-F]{64}$/.test(value)
    return (isHex ? hexToBytes(value) : null) ?? this.#note('64 hexadecimal digits', ZERO_HASH)
  }

  oneOf<Name extends string>(names: readonly [Name, ...Name[]]): Name {
    const found = names.find((name) => name === this.#value)
    return found ?? this.#note(names.map((name) => `"${name}"`).join(' or '), names[0])
  }

  #child(name: string, value: unknown): FileReader {
    return new FileReader(this.#path === '' ? name : `${this.#path}.${name}`, value, this.#problems)
  }

  #note(expected: string): undefined
  #note<T>(expected: string, standIn: T): T
  #note<T>(expected: string, standIn?: T): T | undefined {
    const found = this.#value === undefined ? 'nothing' : JSON.stringify(this.#value)
    this.#problems.push({ path: this.#path, found: found.slice(0, 100), expected })
    return standIn
  }
}
