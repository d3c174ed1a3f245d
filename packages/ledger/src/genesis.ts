/**
 * The state that a genesis makes, and what must hold for a genesis before anyone starts a chain on it. Pure.
 * @module
 */
import {
  Account,
  accountKey,
  AMOUNT_MAX,
  assert,
  AUTHORITIES_MAX,
  BLOCK_BYTES_MAX,
  bytesToHex,
  bytesToUtf8,
  compareBytes,
  GENESIS_VERSION,
  GRAPH_RULES_VERSION,
  GraphRules,
  graphRulesKey,
  isAcceptableAccount,
  isAcceptableKey,
  isZeroHash,
  Member,
  memberKey,
  Parameters,
  parametersKey,
  POLICY_MEMBERS,
  POLICY_OPEN,
  TRANSACTION_BYTES_MAX,
} from '@althing/base'
import type { Genesis } from '@althing/base'
import { authoritiesAtGenesis } from './authorities/genesis.ts'
import { checkAuthorityRules } from './authorities/rules.ts'
import type { LedgerTree } from './pending.ts'
import type { StateChange } from './tree/index.ts'

export const PARAMETERS_VERSION = 1
export const NETWORK_ID_BYTES_MAX = 64
export const INTERVAL_MS_MIN = 10
/** A block must have room for the largest transaction and what goes around it. */
export const BLOCK_BYTES_MIN = 2 * TRANSACTION_BYTES_MAX

/** One thing wrong with a genesis. */
export interface GenesisProblem {
  /** Where, as in `authorities[2].key`. */
  readonly path: string
  readonly found: string
  readonly expected: string
}

/**
 * Everything wrong with `genesis`; empty when a chain can start on it.
 * Looks at each key on the curve: about 0.1 ms an authority, account and member.
 */
export function genesisProblems(genesis: Genesis): GenesisProblem[] {
  const problems: GenesisProblem[] = []
  const expect = (holds: boolean, path: string, found: unknown, expected: string): void => {
    if (!holds) problems.push({ path, found: String(found), expected })
  }
  const expectKeys = (
    keys: readonly Uint8Array[],
    pathOf: (index: number) => string,
    isAcceptable = isAcceptableAccount,
  ): void => {
    const seen = new Set<string>()
    for (const [index, key] of keys.entries()) {
      const hex = bytesToHex(key)
      expect(
        isAcceptable(key),
        pathOf(index),
        hex,
        'a canonical Ed25519 public key that is not of small order',
      )
      expect(!seen.has(hex), pathOf(index), `${hex} again`, 'each key once')
      seen.add(hex)
    }
  }

  const { authorities, allocations, members, feeSink } = genesis
  expect(genesis.version === GENESIS_VERSION, 'version', genesis.version, `${GENESIS_VERSION}`)
  const networkId = bytesToUtf8(genesis.networkId)
  const isNetworkId = networkId !== null && /^[^\s\p{Cc}]+$/u.test(networkId)
  expect(
    isNetworkId && genesis.networkId.length <= NETWORK_ID_BYTES_MAX,
    'networkId',
    networkId === null ? `0x${bytesToHex(genesis.networkId)}` : JSON.stringify(networkId),
    `1 to ${NETWORK_ID_BYTES_MAX} bytes of UTF-8 without spaces and control characters`,
  )

  expect(
    authorities.length >= 1 && authorities.length <= AUTHORITIES_MAX,
    'authorities',
    `${authorities.length} authorities`,
    `1 to ${AUTHORITIES_MAX}`,
  )
  expectKeys(
    authorities.map(({ key }) => key),
    (index) => `authorities[${index}].key`,
    isAcceptableKey,
  )
  let weight = 0
  for (const [index, authority] of authorities.entries()) {
    expect(authority.weight >= 1, `authorities[${index}].weight`, authority.weight, 'at least 1')
    weight += authority.weight
  }
  expect(Number.isSafeInteger(weight), 'authorities', `a total weight of ${weight}`, 'at most 2^53 - 1')

  expectKeys(
    allocations.map(({ account }) => account),
    (index) => `allocations[${index}].account`,
  )
  const supply = allocations.reduce((sum, { balance }) => sum + balance, 0n)
  expect(
    supply <= AMOUNT_MAX,
    'allocations',
    `balances of ${supply} together`,
    `at most ${AMOUNT_MAX} together`,
  )
  expectKeys(members, (index) => `members[${index}]`)

  const isPolicy = genesis.policy === POLICY_MEMBERS || genesis.policy === POLICY_OPEN
  expect(isPolicy, 'policy', genesis.policy, `${POLICY_MEMBERS} (members) or ${POLICY_OPEN} (open)`)
  expect(
    isZeroHash(feeSink) || isAcceptableAccount(feeSink),
    'feeSink',
    bytesToHex(feeSink),
    'zero (fees are burned) or a canonical Ed25519 public key that is not of small order',
  )
  expect(
    genesis.intervalMs >= INTERVAL_MS_MIN,
    'intervalMs',
    genesis.intervalMs,
    `at least ${INTERVAL_MS_MIN}`,
  )
  expect(
    genesis.idleIntervalMs >= genesis.intervalMs,
    'idleIntervalMs',
    genesis.idleIntervalMs,
    `at least intervalMs, which is ${genesis.intervalMs}`,
  )
  expect(
    genesis.blockBytesMax >= BLOCK_BYTES_MIN && genesis.blockBytesMax <= BLOCK_BYTES_MAX,
    'blockBytesMax',
    genesis.blockBytesMax,
    `${BLOCK_BYTES_MIN} to ${BLOCK_BYTES_MAX}`,
  )
  checkAuthorityRules(genesis, (holds, field, found, expected) =>
    expect(holds, `authorityRules.${field}`, found, expected),
  )
  return problems
}

/**
 * The state under block 0: parameters, allocations, members, the first epoch.
 * @param empty the state that holds nothing.
 * @param genesis one without problems.
 */
export function genesisState<State>(tree: LedgerTree<State>, empty: State, genesis: Genesis): State {
  const problem = genesisProblems(genesis)[0]
  assert(
    problem === undefined,
    `genesis: ${problem?.path}: found ${problem?.found}; expected ${problem?.expected}`,
  )
  const { policy, feeSink, feeMin, allocations, members } = genesis
  const changes: StateChange[] = [
    {
      key: parametersKey,
      value: Parameters.serialize({ version: PARAMETERS_VERSION, policy, feeSink, feeMin }),
    },
    { key: graphRulesKey, value: GraphRules.serialize({ version: GRAPH_RULES_VERSION }) },
    ...allocations.map(({ account, balance }) => ({
      key: accountKey(account),
      value: Account.serialize({ nonce: 0, balance }),
    })),
    ...members.map((account) => ({ key: memberKey(account), value: Member.serialize({ since: 0 }) })),
    ...authoritiesAtGenesis(genesis),
  ]
  return tree.update(
    empty,
    changes.sort((a, b) => compareBytes(a.key, b.key)),
  )
}
