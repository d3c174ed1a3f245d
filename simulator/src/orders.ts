/**
 * What the operators of a simulated network order about its authorities.
 * @module
 */
import { bytesToHex } from '@althing/base'
import type { AuthoritySet } from '@althing/base'
import { simulatedSigner } from './keys.ts'
import type { Order } from './ledger-rules.ts'
import type { KeyOnDisk, Machine } from './machine.ts'
import { WEIGHT_MAX } from './plan.ts'
import type { Plan } from './plan.ts'
import type { Prng } from './prng.ts'

/** @param set in force now. @returns null when there is nothing of the drawn kind to order. */
export function drawOrder(
  prng: Prng,
  set: AuthoritySet,
  machines: readonly Machine[],
  plan: Plan,
): Order | null {
  const members = new Set(set.map(({ key }) => bytesToHex(key)))
  const isIn = ({ hex }: KeyOnDisk): boolean => members.has(hex)
  const inside = machines.filter(({ keys }) => keys.some(isIn))
  const outside = machines.filter(({ keys }) => keys.length > 0 && !keys.some(isIn))
  const weight = (): number => (plan.weights.some((each) => each > 1) ? 1 + prng.below(WEIGHT_MAX) : 1)
  const machine = prng.pick(inside)
  const present = machine.keys.find(isIn)!
  switch (prng.below(4)) {
    case 0:
      return outside.length === 0
        ? null
        : { kind: 'add', key: publicKeyOf(prng.pick(prng.pick(outside).keys)), weight: weight() }
    case 1:
      return { kind: 'remove', key: publicKeyOf(present) }
    case 2: {
      const spare = machine.keys.find((key) => key !== present)
      return spare === undefined
        ? null
        : { kind: 'changeKey', key: publicKeyOf(present), newKey: publicKeyOf(spare) }
    }
    default:
      return { kind: 'changeWeight', key: publicKeyOf(present), weight: weight() }
  }
}

function publicKeyOf({ index }: KeyOnDisk): Uint8Array {
  return simulatedSigner(index).publicKey
}
