/**
 * `genesis.json`, as people write it, and `Genesis`, as the chain hashes it. Pure: from and to plain objects.
 * Keys and account ids are 64 hexadecimal digits, amounts decimal strings (JSON numbers end at 2^53), times
 * milliseconds.
 * @module
 */
import {
  AMOUNT_MAX,
  bytesToHex,
  bytesToUtf8,
  fail,
  hexToBytes,
  isZeroHash,
  ok,
  POLICY_MEMBERS,
  POLICY_OPEN,
  utf8ToBytes,
  ZERO_HASH,
} from '@althing/base'
import type { Fault, Genesis, Result } from '@althing/base'
import { genesisProblems } from './genesis.ts'
import type { GenesisProblem } from './genesis.ts'

export interface GenesisFile {
  readonly version: number
  readonly networkId: string
  /** Milliseconds since 1970. */
  readonly timestampMs: number
  readonly authorities: readonly { readonly key: string; readonly weight: number }[]
  readonly allocations: readonly { readonly account: string; readonly balance: string }[]
  readonly members: readonly string[]
  readonly policy: 'members' | 'open'
  /** Who receives the fees; null burns them. */
  readonly feeSink: string | null
  readonly feeMin: string
  readonly intervalMs: number
  readonly idleIntervalMs: number
  readonly blockBytesMax: number
}

export interface GenesisFault extends Fault {
  readonly code: 'GENESIS_INVALID'
  readonly problems: readonly GenesisProblem[]
}

export function genesisToFile(genesis: Genesis): GenesisFile {
  return {
    version: genesis.version,
    networkId: bytesToUtf8(genesis.networkId) ?? '',
    timestampMs: genesis.timestamp,
    authorities: genesis.authorities.map(({ key, weight }) => ({ key: bytesToHex(key), weight })),
    allocations: genesis.allocations.map(({ account, balance }) => ({
      account: bytesToHex(account),
      balance: balance.toString(),
    })),
    members: genesis.members.map(bytesToHex),
    policy: genesis.policy === POLICY_OPEN ? 'open' : 'members',
    feeSink: isZeroHash(genesis.feeSink) ? null : bytesToHex(genesis.feeSink),
    feeMin: genesis.feeMin.toString(),
    intervalMs: genesis.intervalMs,
    idleIntervalMs: genesis.idleIntervalMs,
    blockBytesMax: genesis.blockBytesMax,
  }
}

/**
 * Reads what `JSON.parse` made of a genesis file.
 * @returns `GENESIS_INVALID` with everything that is wrong, each with its path, what was found and what was expected.
 */
export function genesisFromFile(file: unknown): Result<Genesis, GenesisFault> {
  const problems: GenesisProblem[] = []
  const root = new FileReader('', file, problems)
  const fields = root.fields(FIELDS)
  const genesis: Genesis = {
    version: fields.version.integer(0xffff),
    networkId: utf8ToBytes(fields.networkId.text()),
    timestamp: fields.timestampMs.integer(),
    authorities: fields.authorities.list().map((each) => {
      const { key, weight } = each.fields(['key', 'weight'])
      return { key: key.key(), weight: weight.integer() }
    }),
    allocations: fields.allocations.list().map((each) => {
      const { account, balance } = each.fields(['account', 'balance'])
      return { account: account.key(), balance: balance.amount() }
    }),
    members: fields.members.list().map((each) => each.key()),
    policy: fields.policy.oneOf(['members', 'open']) === 'open' ? POLICY_OPEN : POLICY_MEMBERS,
    feeSink: fields.feeSink.isNull() ? ZERO_HASH : fields.feeSink.key(),
    feeMin: fields.feeMin.amount(),
    intervalMs: fields.intervalMs.integer(0xffff_ffff),
    idleIntervalMs: fields.idleIntervalMs.integer(0xffff_ffff),
    blockBytesMax: fields.blockBytesMax.integer(0xffff_ffff),
  }
  if (problems.length === 0) problems.push(...genesisProblems(genesis))
  if (problems.length === 0) return ok(genesis)
  const lines = problems.map(
    ({ path, found, expected }) => `${path || 'the file'}: found ${found}; expected ${expected}`,
  )
  return { ok: false, fault: { ...fail('GENESIS_INVALID', lines.join('\n')).fault, problems } }
}

const FIELDS = [
  'version',
  'networkId',
  'timestampMs',
  'authorities',
  'allocations',
  'members',
  'policy',
  'feeSink',
  'feeMin',
  'intervalMs',
  'idleIntervalMs',
  'blockBytesMax',
] as const satisfies readonly (keyof GenesisFile)[]

/** One value of the file. What does not fit is noted, and a harmless value stands in for it. */
class FileReader {
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
