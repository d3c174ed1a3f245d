/** What holds whatever the authorities do, in whatever order. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  authorityBond,
  authorityHeartbeat,
  authorityProposalId,
  authorityPropose,
  authorityRejoin,
  authorityRotateKey,
  authorityUnbond,
  authorityVote,
  bytesToHex,
  EpochRecord,
  faultyWeightMax,
  keyRotationSignBytes,
  ROTATION_FIXED,
  ROTATION_PERFORMANCE,
  ROTATION_STAKE,
  sha256,
  totalWeight,
  utf8ToBytes,
} from '@althing/base'
import type { AuthorityChange, AuthorityRules, AuthoritySet, Operation } from '@althing/base'
import fc from 'fast-check'
import { memberOf } from '../src/authorities/records.ts'
import { SetDraft } from '../src/authorities/set-draft.ts'
import type { SeatChange } from '../src/authorities/set-draft.ts'
import { AuthorityWorld, keyOf, signerOf } from './authority-world.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

const name = fc.constantFrom(...NAMES)
const weight = fc.integer({ min: 1, max: 5 })

const change: fc.Arbitrary<AuthorityChange> = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), key: name.map(keyOf), weight }),
  fc.record({ kind: fc.constant('remove' as const), key: name.map(keyOf) }),
  fc.record({ kind: fc.constant('changeKey' as const), key: name.map(keyOf), newKey: name.map(keyOf) }),
  fc.record({ kind: fc.constant('changeWeight' as const), key: name.map(keyOf), weight }),
)

/** What somebody does in a block; proposals are voted by all. */
type Act =
  | { readonly kind: 'decide'; readonly by: string; readonly change: AuthorityChange }
  | { readonly kind: 'heartbeat' | 'rejoin'; readonly by: string }
  | { readonly kind: 'rotate'; readonly by: string; readonly to: string }
  | { readonly kind: 'bond' | 'unbond'; readonly by: string; readonly amount: bigint }
  | { readonly kind: 'pass'; readonly missed: number }

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constant('decide' as const), by: name, change }),
  fc.record({ kind: fc.constantFrom('heartbeat' as const, 'rejoin' as const), by: name }),
  fc.record({ kind: fc.constant('rotate' as const), by: name, to: name }),
  fc.record({
    kind: fc.constantFrom('bond' as const, 'unbond' as const),
    by: name,
    amount: fc.bigInt({ min: 1n, max: 60n }),
  }),
  fc.record({ kind: fc.constant('pass' as const), missed: fc.integer({ min: 0, max: 12 }) }),
)

const rules: fc.Arbitrary<Partial<AuthorityRules>> = fc.oneof(
  fc.constant({ rotation: ROTATION_FIXED }),
  fc.constant({ rotation: ROTATION_PERFORMANCE, windowBlocks: 20, missedMax: 2, setMin: 2 }),
  fc.constant({ rotation: ROTATION_STAKE, setMin: 2, setMax: 6, bondMin: 5n, weightUnit: 5n }),
)

function operationsOf(world: AuthorityWorld, one: Exclude<Act, { kind: 'pass' }>): [string, Operation][] {
  switch (one.kind) {
    case 'decide': {
      const expires = world.height + 30
      const proposal = authorityProposalId(keyOf(one.by), one.change, expires)
      const votes = NAMES.map((voter): [string, Operation] => [voter, authorityVote({ proposal })])
      return [[one.by, authorityPropose({ change: one.change, expires })], ...votes]
    }
    case 'heartbeat':
      return [[one.by, authorityHeartbeat()]]
    case 'rejoin':
      return [[one.by, authorityRejoin({ nonce: sha256(utf8ToBytes(`${one.by} ${world.height}`)) })]]
    case 'rotate': {
      const message = keyRotationSignBytes(
        world.genesisHash,
        keyOf(one.by),
        keyOf(one.to),
        world.nonce(one.by),
      )
      const possession = signerOf(one.to).sign(message)
      return [[one.by, authorityRotateKey({ newKey: keyOf(one.to), possession })]]
    }
    case 'bond':
      return [[one.by, authorityBond({ amount: one.amount })]]
    case 'unbond':
      return [[one.by, authorityUnbond({ amount: one.amount })]]
  }
}

function doAct(world: AuthorityWorld, one: Act): void {
  if (one.kind === 'pass') {
    world.block(() => {}, one.missed)
    return
  }
  const operations = operationsOf(world, one)
  world.block((batch) => {
    for (const [sender, operation] of operations) {
      const nonce = batch.account(keyOf(sender)).nonce
      batch.apply(world.transaction(sender, [operation], { nonce, fee: 0n }))
    }
  })
}

function newWorld(one: Partial<AuthorityRules>): AuthorityWorld {
  return new AuthorityWorld({
    feeMin: 0n,
    balances: Object.fromEntries(NAMES.map((each) => [each, 1_000n])),
    rules: { ...one, epochBlocksMin: 3, epochBlocksMax: 9, heartbeatBlocks: 8 },
  })
}

function seatsChanged(before: AuthoritySet, after: AuthoritySet): { seats: number; weight: number } {
  const gone = before.filter(({ key }) => memberOf(after, key) === undefined)
  const come = after.filter(({ key }) => memberOf(before, key) === undefined)
  const seats = Math.max(gone.length, come.length)
  return { seats, weight: Math.max(totalWeight(gone), 0) }
}

suite('epochs', () => {
  test('every node computes the same; lengths and churn keep their bounds', () => {
    let boundaries = 0
    let changed = 0
    fc.assert(
      fc.property(rules, fc.array(act, { minLength: 20, maxLength: 60 }), (chosen, acts) => {
        const [world, other] = [newWorld(chosen), newWorld(chosen)]
        for (const one of acts) {
          const { set, firstHeight, rules: rulesNow, epoch } = world.authorities
          doAct(world, one)
          doAct(other, one)
          assert.equal(bytesToHex(world.ledger.root(world.state)), bytesToHex(other.ledger.root(other.state)))
          assert.deepEqual(world.nextSet, other.nextSet)

          const length = world.height - firstHeight + 1
          if (world.nextSet === null) {
            assert.ok(length < rulesNow.epochBlocksMax)
            assert.deepEqual(world.authorities.set, set)
            continue
          }
          boundaries += 1
          assert.ok(length >= rulesNow.epochBlocksMin && length <= rulesNow.epochBlocksMax)
          assert.equal(world.authorities.epoch, epoch + 1)
          assert.deepEqual(world.authorities.set, world.nextSet)
          assert.ok(world.nextSet.length >= 1)
          assert.equal(new Set(world.nextSet.map(({ key }) => bytesToHex(key))).size, world.nextSet.length)
          assert.ok(world.nextSet.every((member) => member.weight >= 1))
          const { seats, weight: moved } = seatsChanged(set, world.nextSet)
          if (seats > 0) changed += 1
          assert.ok(seats <= Math.max(1, Math.floor((set.length - 1) / 3)), `${seats} of ${set.length} seats`)
          assert.ok(seats <= 1 || moved <= faultyWeightMax(set), `weight ${moved} of ${totalWeight(set)}`)
        }
      }),
      { numRuns: 60 },
    )
    assert.ok(boundaries > 100 && changed > 20, `${boundaries} boundaries, ${changed} with another set`)
  })

  test('a draft keeps its bounds whatever is asked of it', () => {
    const key = fc.integer({ min: 0, max: 30 }).map((i) => sha256(Uint8Array.of(i)))
    const seatChange: fc.Arbitrary<SeatChange> = fc.oneof(
      fc.record({ kind: fc.constant('enter' as const), key, weight }),
      fc.record({ kind: fc.constant('leave' as const), key }),
      fc.record({ kind: fc.constant('replace' as const), key, by: key }),
      fc.record({ kind: fc.constant('weigh' as const), key, weight }),
    )
    const members = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(members, fc.array(seatChange, { maxLength: 40 }), (present, changes) => {
        const set = present.map((i) => ({ key: sha256(Uint8Array.of(i)), weight: 1 + (i % 3) }))
        const draft = new SetDraft(set)
        let isWaiting = false
        for (const one of changes) {
          const outcome = draft.apply(one)
          if (one.kind === 'weigh') continue
          assert.ok(!(isWaiting && outcome === 'done'), 'nobody overtakes one that waits')
          isWaiting ||= outcome === 'waiting'
        }
        assert.ok(seatsChanged(set, draft.set).seats <= Math.max(1, Math.floor((set.length - 1) / 3)))
        assert.ok(draft.set.length >= 1)
        assert.equal(new Set(draft.set.map((each) => bytesToHex(each.key))).size, draft.set.length)
        EpochRecord.fields.set.serialize([...draft.set])
      }),
    )
  })
})
