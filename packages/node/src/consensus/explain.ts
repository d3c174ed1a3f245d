/**
 * Says in words why the next block is not final yet.
 * @module
 */
import type { ConsensusView } from '@althing/chain'

export interface WaitingContext {
  readonly view: ConsensusView
  /** Milliseconds since the last block became final here; null before the first. */
  readonly sinceFinalMs: number | null
  readonly intervalMs: number
  readonly idleIntervalMs: number
  /** Indices of authorities that a link leads to; the node's own among them. */
  readonly linked: ReadonlySet<number>
  /** The greatest finalized height that a peer claims. */
  readonly claimedHeight: number
}

/** An authority is called missing when it has been silent for this many intervals, and at least three seconds. */
const SILENT_INTERVALS = 6
const SILENT_MS_MIN = 3_000

export function explainWaiting(context: WaitingContext): string {
  const { view } = context
  if (view.halted !== null)
    return `Halted: ${view.halted}. It signs nothing and goes on serving what is final.`
  const missing = missingAuthorities(context)
  const present = view.authorities.filter((authority) => !missing.includes(authority))
  const presentWeight = present.reduce((sum, authority) => sum + authority.weight, 0)
  if (presentWeight < view.quorumWeight) {
    return (
      `Stopped: ${presentWeight} of ${totalWeight(view)} authority votes can be had, ${view.quorumWeight} are needed. ` +
      `Missing: ${missing.map((one) => describe(one, context)).join('; ')}. ` +
      'It goes on by itself when enough of them are back.'
    )
  }
  if (context.claimedHeight > view.finalizedHeight + 1) {
    return `Catching up: final at ${view.finalizedHeight}, a peer claims ${context.claimedHeight}.`
  }
  const note =
    missing.length === 0 ? '' : ` Missing: ${missing.map((one) => describe(one, context)).join('; ')}.`
  if (view.idle) {
    return `Idle: no transactions wait; an empty block is due every ${seconds(context.idleIntervalMs)}.${note}`
  }
  if (context.sinceFinalMs !== null && context.sinceFinalMs < stalledMs(context)) {
    return `Working: block ${view.finalizedHeight + 1} is under way in view ${view.view}.${note}`
  }
  const leader = view.authorities[view.leader]
  return (
    `Waiting: view ${view.view}, led by authority ${view.leader}` +
    (leader === undefined || leader.silentMs === null ? '' : ` (heard ${seconds(leader.silentMs)} ago)`) +
    `; votes held: ${votes(view)}.${note}`
  )
}

/** Those not heard for a while; every authority sends its status at least every two seconds, also when idle. */
export function missingAuthorities(context: WaitingContext): ConsensusView['authorities'][number][] {
  const patienceMs = Math.max(SILENT_MS_MIN, SILENT_INTERVALS * context.intervalMs)
  return context.view.authorities.filter(
    (authority) => authority.silentMs === null || authority.silentMs > patienceMs,
  )
}

function stalledMs(context: WaitingContext): number {
  return 4 * context.intervalMs + 2_000
}

function describe(authority: ConsensusView['authorities'][number], context: WaitingContext): string {
  const since = authority.silentMs === null ? 'never heard' : `last heard ${seconds(authority.silentMs)} ago`
  const link = context.linked.has(authority.index) ? 'a link is up' : 'no link'
  return `authority ${authority.index} (${since}, ${link})`
}

function votes(view: ConsensusView): string {
  const count = (kind: 'votedNotarize' | 'votedNullify' | 'votedFinalize'): number =>
    view.authorities.filter((authority) => authority[kind]).length
  return `${count('votedNotarize')} notarize, ${count('votedNullify')} nullify, ${count('votedFinalize')} finalize, ${view.quorumWeight} needed`
}

function totalWeight(view: ConsensusView): number {
  return view.authorities.reduce((sum, authority) => sum + authority.weight, 0)
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}
