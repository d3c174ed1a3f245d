import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  bytesToHex,
  decodeKvEntry,
  kvDelete,
  kvEntryKey,
  kvGrant,
  kvPut,
  kvRevoke,
  transfer,
} from '@althing/base'
import type { Operation, Transaction } from '@althing/base'
import fc from 'fast-check'
import { idOf, World } from './chain-world.ts'

const NAMES = ['a', 'b', 'c', 'd', 'sink'] as const
const MEMBERS: readonly string[] = ['a', 'b', 'c']
const START = 200n

type Action =
  | { readonly kind: 'transfer'; readonly to: string; readonly amount: bigint }
  | { readonly kind: 'put'; readonly key: number; readonly value: number }
  | { readonly kind: 'delete'; readonly key: number }
  | { readonly kind: 'grant' | 'revoke'; readonly key: number; readonly to: string }

interface Step {
  readonly sender: string
  readonly nonceOffset: number
  readonly fee: bigint
  readonly actions: readonly Action[]
}

const name = fc.constantFrom(...NAMES)
const key = fc.nat(3)
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant('transfer' as const), to: name, amount: fc.bigInt(1n, 120n) }),
  fc.record({ kind: fc.constant('put' as const), key, value: fc.nat(255) }),
  fc.record({ kind: fc.constant('delete' as const), key }),
  fc.record({ kind: fc.constantFrom('grant' as const, 'revoke' as const), key, to: name }),
)
const step: fc.Arbitrary<Step> = fc.record({
  sender: name,
  nonceOffset: fc.constantFrom(0, 0, 0, 0, -1, 1),
  fee: fc.bigInt(0n, 30n),
  actions: fc.array(action, { minLength: 1, maxLength: 3 }),
})

function operationOf(action: Action): Operation {
  switch (action.kind) {
    case 'transfer':
      return transfer({ to: idOf(action.to), amount: action.amount })
    case 'put':
      return kvPut({ key: Uint8Array.of(action.key), value: Uint8Array.of(action.value) })
    case 'delete':
      return kvDelete({ key: Uint8Array.of(action.key) })
    case 'grant':
      return kvGrant({ key: Uint8Array.of(action.key), account: idOf(action.to) })
    case 'revoke':
      return kvRevoke({ key: Uint8Array.of(action.key), account: idOf(action.to) })
  }
}

interface ModelEntry {
  readonly owner: string
  readonly value: number
  readonly granted: ReadonlySet<string>
}

/** The rules again, as plainly as they can be said. */
class Model {
  readonly nonces = new Map<string, number>(NAMES.map((name) => [name, 0]))
  balances = new Map<string, bigint>(NAMES.map((name) => [name, START]))
  entries = new Map<number, ModelEntry>()

  /** @returns 'refused' when no block may carry it, else whether its operations took effect. */
  apply({ sender, nonceOffset, fee, actions }: Step): 'refused' | boolean {
    const balance = this.balances.get(sender)!
    if (nonceOffset !== 0 || fee < 1n || balance < fee) return 'refused'
    this.nonces.set(sender, this.nonces.get(sender)! + 1)
    this.balances.set(sender, balance - fee)
    this.balances.set('sink', this.balances.get('sink')! + fee)
    const before = { balances: new Map(this.balances), entries: new Map(this.entries) }
    if (actions.every((action) => this.#act(sender, action))) return true
    Object.assign(this, before)
    return false
  }

  #act(sender: string, action: Action): boolean {
    if (action.kind === 'transfer') {
      const balance = this.balances.get(sender)!
      if (balance < action.amount) return false
      this.balances.set(sender, balance - action.amount)
      this.balances.set(action.to, this.balances.get(action.to)! + action.amount)
      return true
    }
    if (!MEMBERS.includes(sender)) return false
    const entry = this.entries.get(action.key)
    if (action.kind === 'put') {
      const { owner, granted } = entry ?? { owner: sender, granted: new Set<string>() }
      if (owner !== sender && !granted.has(sender)) return false
      this.entries.set(action.key, { owner, value: action.value, granted })
      return true
    }
    if (entry?.owner !== sender) return false
    if (action.kind === 'delete') return this.entries.delete(action.key)
    const granted = new Set(entry.granted)
    const isChange =
      action.kind === 'grant' ? !granted.has(action.to) && action.to !== sender : granted.delete(action.to)
    if (action.kind === 'grant') granted.add(action.to)
    if (isChange) this.entries.set(action.key, { ...entry, granted })
    return isChange
  }
}

function newWorld(): World {
  return new World({
    balances: Object.fromEntries(NAMES.map((name) => [name, START])),
    memberNames: MEMBERS,
    feeSink: idOf('sink'),
  })
}

suite('the ledger against a plain model', () => {
  test('same verdicts, balances, nonces and entries after every block; money is conserved', () => {
    fc.assert(
      fc.property(fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 6 }), (blocks) => {
        const [world, model] = [newWorld(), new Model()]
        for (const block of blocks) {
          world.block((batch) => {
            for (const step of block) {
              const nonce = batch.account(idOf(step.sender)).nonce + step.nonceOffset
              if (nonce < 0) continue
              const { fee } = step
              const result = batch.apply(
                world.transaction(step.sender, step.actions.map(operationOf), { nonce, fee }),
              )
              assert.equal(result.ok ? result.value.ok : 'refused', model.apply(step))
            }
          })
          for (const name of NAMES) {
            assert.equal(world.nonce(name), model.nonces.get(name))
            assert.equal(world.balance(name), model.balances.get(name))
          }
          const sum = NAMES.reduce((all, name) => all + world.balance(name), 0n)
          assert.equal(sum, START * BigInt(NAMES.length))
          for (let key = 0; key <= 3; key++) {
            const bytes = world.get(kvEntryKey(Uint8Array.of(key)))
            const entry = bytes === null ? null : decodeKvEntry(bytes)
            const expected = model.entries.get(key)
            assert.equal(
              entry?.ok ? bytesToHex(entry.value.owner) : undefined,
              expected && bytesToHex(idOf(expected.owner)),
            )
            assert.equal(entry?.ok ? entry.value.value[0] : undefined, expected?.value)
          }
        }
      }),
      { numRuns: 150 },
    )
  })

  test('refused transactions leave no trace: without them the root is the same', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
        const [one, other] = [newWorld(), newWorld()]
        const carried: Transaction[] = []
        one.block((batch) => {
          for (const { sender, fee, nonceOffset, actions } of steps) {
            const nonce = Math.max(0, batch.account(idOf(sender)).nonce + nonceOffset)
            const transaction = one.transaction(sender, actions.map(operationOf), { nonce, fee })
            if (batch.apply(transaction).ok) carried.push(transaction)
          }
        })
        other.block((batch) => carried.forEach((transaction) => assert.ok(batch.apply(transaction).ok)))
        assert.deepEqual(one.ledger.root(one.state), other.ledger.root(other.state))
      }),
      { numRuns: 50 },
    )
  })
})
