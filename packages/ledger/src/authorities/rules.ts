/**
 * What must hold for the rules about authorities in a genesis, and how people write them. Pure.
 * @module
 */
import {
  AMOUNT_MAX,
  AUTHORITIES_MAX,
  AUTHORITY_RULES_DEFAULT,
  EVIDENCE_NONE,
  EVIDENCE_REMOVAL,
  EVIDENCE_SLASH,
  MISSES_MAX,
  ROTATION_FIXED,
  ROTATION_PERFORMANCE,
  ROTATION_STAKE,
} from '@althing/base'
import type { AuthorityRules, AuthoritySet, Genesis } from '@althing/base'
import type { FileReader } from '../file-reader.ts'

/** `authorityRules` of genesis.json. */
export interface AuthorityRulesFile {
  readonly epochBlocksMin: number
  readonly epochBlocksMax: number
  readonly heartbeatBlocks: number
  readonly accountabilityEpochs: number
  readonly evidence: 'none' | 'removal' | 'slash'
  readonly slashPercent: number
  readonly rotation: 'fixed' | 'performance' | 'stake'
  readonly setMin: number
  readonly windowBlocks: number
  readonly missedMax: number
  readonly setMax: number
  readonly bondMin: string
  readonly weightUnit: string
}

const EVIDENCE_NAMES = ['none', 'removal', 'slash'] as const
const ROTATION_NAMES = ['fixed', 'performance', 'stake'] as const

export function authorityRulesToFile(rules: AuthorityRules): AuthorityRulesFile {
  return {
    ...rules,
    evidence: EVIDENCE_NAMES[rules.evidence] ?? 'none',
    rotation: ROTATION_NAMES[rules.rotation] ?? 'fixed',
    bondMin: rules.bondMin.toString(),
    weightUnit: rules.weightUnit.toString(),
  }
}

/** What the file does not say has its default. */
export function authorityRulesFromFile(file: FileReader): AuthorityRules {
  const defaults = authorityRulesToFile(AUTHORITY_RULES_DEFAULT)
  const fields = file.fieldsOr(defaults)
  return {
    epochBlocksMin: fields.epochBlocksMin.integer(0xffff_ffff),
    epochBlocksMax: fields.epochBlocksMax.integer(0xffff_ffff),
    heartbeatBlocks: fields.heartbeatBlocks.integer(0xffff_ffff),
    accountabilityEpochs: fields.accountabilityEpochs.integer(0xffff),
    evidence: EVIDENCE_NAMES.indexOf(fields.evidence.oneOf(EVIDENCE_NAMES)),
    slashPercent: fields.slashPercent.integer(100),
    rotation: ROTATION_NAMES.indexOf(fields.rotation.oneOf(ROTATION_NAMES)),
    setMin: fields.setMin.integer(0xffff),
    windowBlocks: fields.windowBlocks.integer(0xffff_ffff),
    missedMax: fields.missedMax.integer(0xffff),
    setMax: fields.setMax.integer(0xffff),
    bondMin: fields.bondMin.amount(),
    weightUnit: fields.weightUnit.amount(),
  }
}

type Expect = (holds: boolean, field: keyof AuthorityRules, found: unknown, expected: string) => void

/** Tells `expect` about everything that the rules have to be. */
export function checkAuthorityRules(
  { authorityRules: rules, authorities, allocations }: Genesis,
  expect: Expect,
): void {
  const within = (field: keyof AuthorityRules, min: number, max: number): void => {
    const found = Number(rules[field])
    expect(found >= min && found <= max, field, rules[field], `${min} to ${max}`)
  }
  const zero = (field: keyof AuthorityRules, unless: string): void =>
    expect(Number(rules[field]) === 0, field, rules[field], `0 unless ${unless}`)

  within('epochBlocksMin', 1, 1_000_000)
  expect(
    rules.epochBlocksMax >= rules.epochBlocksMin,
    'epochBlocksMax',
    rules.epochBlocksMax,
    `at least epochBlocksMin, which is ${rules.epochBlocksMin}`,
  )
  within('heartbeatBlocks', 1, 1_000_000)
  within('accountabilityEpochs', 1, 1_024)
  within('evidence', EVIDENCE_NONE, EVIDENCE_SLASH)
  within('rotation', ROTATION_FIXED, ROTATION_STAKE)

  if (rules.evidence === EVIDENCE_SLASH) {
    within('slashPercent', 1, 100)
    expect(rules.rotation === ROTATION_STAKE, 'evidence', '"slash"', 'rotation "stake" with it')
  } else zero('slashPercent', 'evidence is "slash"')

  if (rules.rotation === ROTATION_FIXED) zero('setMin', 'rotation is "performance" or "stake"')
  else within('setMin', 1, AUTHORITIES_MAX)

  if (rules.rotation === ROTATION_PERFORMANCE) {
    within('windowBlocks', 1, 1_000_000)
    within('missedMax', 1, MISSES_MAX)
  } else {
    zero('windowBlocks', 'rotation is "performance"')
    zero('missedMax', 'rotation is "performance"')
  }

  if (rules.rotation === ROTATION_STAKE) {
    within('setMax', Math.max(rules.setMin, authorities.length), AUTHORITIES_MAX)
    expect(rules.weightUnit >= 1n, 'weightUnit', rules.weightUnit, 'at least 1')
    expect(
      rules.bondMin >= rules.weightUnit,
      'bondMin',
      rules.bondMin,
      `at least weightUnit, which is ${rules.weightUnit}`,
    )
    const supply = allocations.reduce(
      (sum, { balance }) => sum + balance,
      bondedAtGenesis(authorities, rules),
    )
    expect(supply <= AMOUNT_MAX, 'weightUnit', `balances and bonds of ${supply}`, `at most ${AMOUNT_MAX}`)
    const unitMin = supply / BigInt(Number.MAX_SAFE_INTEGER) + 1n
    expect(
      rules.weightUnit >= unitMin,
      'weightUnit',
      rules.weightUnit,
      `at least ${unitMin}, so that all weights together stay below 2^53`,
    )
    for (const { weight } of authorities)
      expect(
        BigInt(weight) * rules.weightUnit >= rules.bondMin,
        'bondMin',
        rules.bondMin,
        `at most the bond of an authority of genesis, ${BigInt(weight) * rules.weightUnit}`,
      )
  } else for (const field of ['setMax', 'bondMin', 'weightUnit'] as const) zero(field, 'rotation is "stake"')
}

/** What the authorities of genesis have bonded under ROTATION_STAKE: it makes their weights. */
function bondedAtGenesis(authorities: AuthoritySet, { weightUnit }: AuthorityRules): bigint {
  return authorities.reduce((sum, { weight }) => sum + BigInt(weight) * weightUnit, 0n)
}

export const isRemoving = ({ evidence }: AuthorityRules): boolean =>
  evidence === EVIDENCE_REMOVAL || evidence === EVIDENCE_SLASH
