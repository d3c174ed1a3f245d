/**
 * `genesis.json`, as people write it, and `Genesis`, as the chain hashes it. Pure: from and to plain objects.
 * Keys and account ids are 64 hexadecimal digits, amounts decimal strings (JSON numbers end at 2^53), times
 * milliseconds.
 * @module
 */
import {
  bytesToHex,
  bytesToUtf8,
  fail,
  isZeroHash,
  ok,
  POLICY_MEMBERS,
  POLICY_OPEN,
  utf8ToBytes,
  ZERO_HASH,
} from '@althing/base'
import type { Fault, Genesis, Result } from '@althing/base'
import { authorityRulesFromFile, authorityRulesToFile } from './authorities/rules.ts'
import type { AuthorityRulesFile } from './authorities/rules.ts'
import { FileReader } from './file-reader.ts'
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
  /** Absent: the defaults, as for each of its keys. */
  readonly authorityRules?: Partial<AuthorityRulesFile>
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
    authorityRules: authorityRulesToFile(genesis.authorityRules),
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
    authorityRules: authorityRulesFromFile(fields.authorityRules),
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
  'authorityRules',
] as const satisfies readonly (keyof GenesisFile)[]
