/**
 * A ledger whose authorities have names, for the tests of what they decide.
 * @module
 */
import assert from 'node:assert/strict'
import {
  AUTHORITY_RULES_DEFAULT,
  authorityHeartbeat,
  authorityPropose,
  authorityProposalId,
  authorityVote,
  bytesToHex,
  portableSigner,
  sha256,
  utf8ToBytes,
} from '@althing/base'
import type { AuthorityChange, AuthorityRules, Hash, Operation, Signer } from '@althing/base'
import type { AuthorityState } from '../src/index.ts'
import { idOf, World } from './chain-world.ts'
import type { GenesisOptions } from './chain-world.ts'

export const EXPIRES = 1_000

const nameByHex = new Map<string, string>()

export function signerOf(name: string): Signer {
  return portableSigner(sha256(utf8ToBytes(name)))
}

export function nameOf(key: Uint8Array): string {
  return nameByHex.get(bytesToHex(key)) ?? bytesToHex(key).slice(0, 8)
}

/** The key of a name, which is then shown by that name. */
export function keyOf(name: string): Uint8Array {
  const key = idOf(name)
  nameByHex.set(bytesToHex(key), name)
  return key
}

export interface AuthorityWorldOptions extends GenesisOptions {
  /** Names, or names with weights. Default: a to d, each with weight 1. */
  readonly authorityNames?: readonly (string | readonly [string, number])[]
  readonly rules?: Partial<AuthorityRules>
}

export class AuthorityWorld extends World {
  constructor({ authorityNames = ['a', 'b', 'c', 'd'], rules = {}, ...options }: AuthorityWorldOptions = {}) {
    super({
      authorities: authorityNames.map((each) => {
        const [name, weight] = typeof each === 'string' ? [each, 1] : each
        return { key: keyOf(name), weight }
      }),
      authorityRules: { ...AUTHORITY_RULES_DEFAULT, epochBlocksMin: 4, epochBlocksMax: 20, ...rules },
      ...options,
    })
    for (const name of Object.keys(options.balances ?? {})) keyOf(name)
  }

  get authorities(): AuthorityState {
    return this.ledger.authorities(this.state)
  }

  /** The present set as `name` or `name:weight`. */
  get set(): string {
    return this.authorities.set
      .map(({ key, weight }) => (weight === 1 ? nameOf(key) : `${nameOf(key)}:${weight}`))
      .join(' ')
  }

  /** One block with one transaction without a fee. @returns 'ok' or the code of the fault. */
  free(sender: string, operation: Operation): string {
    const checked = this.ledger.check(
      this.state,
      this.transaction(sender, [operation], { fee: 0n }),
      this.height + 1,
    )
    const outcome = this.outcome(sender, [operation], { fee: 0n })
    assert.equal(checked.ok ? 'ok' : checked.fault.code, outcome, 'the pool is told the same as the block')
    return outcome
  }

  /** Proposed by the first and voted by all others of `names`, each in a block. @returns the id. */
  decide(names: string, change: AuthorityChange, expires = EXPIRES): Hash {
    const [proposer, ...voters] = names.split(' ')
    assert.equal(this.free(proposer!, authorityPropose({ change, expires })), 'ok')
    const id = authorityProposalId(idOf(proposer!), change, expires)
    for (const voter of voters) assert.equal(this.free(voter, authorityVote({ proposal: id })), 'ok')
    return id
  }

  heartbeat(name: string): string {
    return this.free(name, authorityHeartbeat())
  }

  /** Empty blocks. */
  pass(blocks: number): void {
    for (let i = 0; i < blocks; i++) this.block(() => {})
  }

  /** Empty blocks until one ends the epoch. @returns the next set as `set` shows it. */
  endEpoch(): string {
    const { epoch, boundary } = this.authorities
    while (this.authorities.epoch === epoch) {
      assert.ok(this.height < boundary.latest, 'an epoch ends at its greatest length')
      this.pass(1)
    }
    return this.set
  }
}
