/**
 * The simulated chain's own rules about its authorities (R11), in place of the ledger's, which are tested by
 * themselves: an order changes the set at the end of an epoch, without a vote. They are as hard on the consensus core
 * as the real ones: sets grow, shrink, swap keys and shift weights, a rejoin ends an epoch early (R12), and an epoch
 * also ends when nobody ordered anything.
 * @module
 */
import { bytesToHex, equalBytes, faultyWeightMax } from '@althing/base'
import type { Authority, AuthoritySet, HashHex } from '@althing/base'
import type { RejoinRecord } from '@althing/chain'

/** What a transaction asks of the authority set. */
export type Order =
  | { readonly kind: 'add'; readonly key: Uint8Array; readonly weight: number }
  | { readonly kind: 'remove'; readonly key: Uint8Array }
  | { readonly kind: 'changeKey'; readonly key: Uint8Array; readonly newKey: Uint8Array }
  | { readonly kind: 'changeWeight'; readonly key: Uint8Array; readonly weight: number }
  | { readonly kind: 'rejoin'; readonly key: Uint8Array; readonly nonce: Uint8Array }

export interface LedgerRules {
  /** In blocks: no epoch is shorter, and none longer. */
  readonly epochLengthMin: number
  readonly epochLengthMax: number
  /** A set that the network can live with: those that are faulty in this run have at most f of its weight. */
  isSane(set: AuthoritySet): boolean
}

/** The part of the state that decides about epochs. Immutable. */
export interface AuthorityState {
  readonly set: AuthoritySet
  /** Height of the block that the epoch rests on. */
  readonly anchorHeight: number
  /** Not yet in force, oldest first. */
  readonly orders: readonly Exclude<Order, { kind: 'rejoin' }>[]
  readonly rejoins: ReadonlyMap<HashHex, RejoinRecord>
}

const AUTHORITIES_MIN = 4
const ORDERS_MAX = 8

/** The changes of one block, at its end. @returns the set of the next epoch, when the block ends its own. */
export function endBlock(
  before: AuthorityState,
  orders: readonly Order[],
  height: number,
  rules: LedgerRules,
): { state: AuthorityState; nextSet: AuthoritySet | null } {
  const state = withOrders(before, orders, height)
  const length = height - state.anchorHeight
  const isRejoinWaiting = state.rejoins.values().some((rejoin) => rejoin.height > state.anchorHeight)
  const isWanted = state.orders.length > 0 || isRejoinWaiting
  const isOver = length >= rules.epochLengthMax || (isWanted && length >= rules.epochLengthMin)
  if (!isOver) return { state, nextSet: null }
  const churnMax = Math.max(1, faultyWeightMax(state.set))
  const nextSet = state.orders.slice(0, churnMax).reduce<AuthoritySet>((set, order) => {
    const changed = apply(set, order)
    return changed.length >= AUTHORITIES_MIN && rules.isSane(changed) ? changed : set
  }, state.set)
  return {
    state: { ...state, set: nextSet, anchorHeight: height, orders: state.orders.slice(churnMax) },
    nextSet,
  }
}

function withOrders(state: AuthorityState, orders: readonly Order[], height: number): AuthorityState {
  if (orders.length === 0) return state
  const changes = [...state.orders]
  const rejoins = new Map(state.rejoins)
  for (const order of orders) {
    if (order.kind === 'rejoin') rejoins.set(bytesToHex(order.key), { nonce: order.nonce, height })
    else if (changes.length < ORDERS_MAX) changes.push(order)
  }
  return { ...state, orders: changes, rejoins }
}

/** An order that makes no sense by now changes nothing. */
function apply(set: AuthoritySet, order: AuthorityState['orders'][number]): AuthoritySet {
  const isIt = ({ key }: Authority): boolean => equalBytes(key, order.key)
  const isMember = set.some(isIt)
  switch (order.kind) {
    case 'add':
      return isMember ? set : [...set, { key: order.key, weight: order.weight }]
    case 'remove':
      return set.filter((member) => !isIt(member))
    case 'changeKey': {
      const isTaken = set.some(({ key }) => equalBytes(key, order.newKey))
      return isTaken ? set : set.map((member) => (isIt(member) ? { ...member, key: order.newKey } : member))
    }
    case 'changeWeight':
      return set.map((member) => (isIt(member) ? { ...member, weight: order.weight } : member))
    default:
      return order satisfies never
  }
}
