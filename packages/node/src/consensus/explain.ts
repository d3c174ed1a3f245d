/**
 * Says in words why the next block is not final yet, and what a person can do. Pure.
 * W1  it is called stopped exactly when too few votes can be had; idle is called idle (R14)
 * W2  what is said is what this node sees: another one may see more
 * @module
 */
import type { ConsensusView } from '@althing/chain'

export interface WaitingContext {
  readonly view: ConsensusView
  /** Index of this node's own authority; null on a full node. */
  readonly self: number | null
  /** Milliseconds since the last block became final here; null before the first. */
  readonly sinceFinalMs: number | null
  readonly intervalMs: number
  readonly idleIntervalMs: number
  /** T0 of R8. */
  readonly timeoutMs: number
  /** How far a block's time may be ahead of a clock (R4). */
  readonly driftMs: number
  /** By index of the authority. */
  readonly links: ReadonlyMap<number, AuthorityLink>
  /** By index: how the last link to an authority without one ended. */
  readonly ends: ReadonlyMap<number, string>
  /** Peers that prove to hold this node's own authority key. */
  readonly twins: readonly string[]
  /** Of late: peers with whom no link is made, since they are of another network. */
  readonly strangers: readonly string[]
  /** The greatest finalized height that a peer claims. */
  readonly claimedHeight: number
}

/** The session that leads to an authority. */
export interface AuthorityLink {
  readonly peer: string
  readonly address: string
  readonly isRelayed: boolean
  /** Round trip; null before the first. */
  readonly latencyMs: number | null
  /** What its clock shows more than ours, and how wrong that may be. */
  readonly clock: { readonly offsetMs: number; readonly uncertaintyMs: number } | null
}

export type WaitingState = 'halted' | 'stopped' | 'catching-up' | 'idle' | 'working' | 'waiting'

export interface Explanation {
  readonly state: WaitingState
  /** Why the next block is not final yet. */
  readonly text: string
  /** What to do, each a sentence; empty when nothing needs to be done. */
  readonly advice: readonly string[]
  /** Indices of authorities that were not heard for a while. */
  readonly missing: readonly number[]
  /** Indices of authorities whose clock differs by more than blocks may (R4). */
  readonly wrongClocks: readonly number[]
  /** Of the authorities that are heard: what they could vote together. */
  readonly weightHeard: number
}

type AuthorityView = ConsensusView['authorities'][number]

/** An authority is called missing when it has been silent for this many intervals, and at least three seconds. */
const SILENT_INTERVALS = 6
const SILENT_MS_MIN = 3_000
/** Authorities that fell silent within this time were cut off together. */
const TOGETHER_MS = 4_000

export function explainWaiting(context: WaitingContext): Explanation {
  const { view } = context
  const missing = missingAuthorities(context)
  const wrongClocks = authoritiesWithWrongClocks(context)
  const heard = view.authorities.filter((authority) => !missing.includes(authority))
  const weightHeard = weightOf(heard)
  const facts = { missing: missing.map(({ index }) => index), wrongClocks, weightHeard }
  const names = missing.map((one) => describe(one, context)).join('; ')
  const note = missing.length === 0 ? '' : ` Missing: ${names}.`
  const clocks = [...twinAdvice(context), ...clockAdvice(context, wrongClocks)]
  if (view.halted !== null) {
    return {
      ...facts,
      state: 'halted',
      text: `Halted: ${view.halted}. It signs nothing and goes on serving what is final.`,
      advice: [
        'More than a third of the authorities broke the rules, or this node is on another chain than they. Compare with other nodes; the proof is in GET /api/v1/consensus. docs/recover.md says how a network goes on.',
      ],
    }
  }
  if (weightHeard < view.quorumWeight) {
    return {
      ...facts,
      state: 'stopped',
      text:
        `Stopped: ${weightHeard} of ${weightOf(view.authorities)} authority votes can be had, ${view.quorumWeight} are needed. ` +
        `Missing: ${names}. It goes on by itself when enough of them are back.`,
      advice: [...missingAdvice(missing, context), ...clocks],
    }
  }
  if (context.claimedHeight > view.finalizedHeight + 1) {
    const text = `Catching up: final at ${view.finalizedHeight}, a peer claims ${context.claimedHeight}.`
    return { ...facts, state: 'catching-up', text, advice: clocks }
  }
  if (view.idle) {
    const text = `Idle: no transactions wait; an empty block is due every ${seconds(context.idleIntervalMs)}.${note}`
    return { ...facts, state: 'idle', text, advice: clocks }
  }
  if (context.sinceFinalMs !== null && context.sinceFinalMs < stalledMs(context)) {
    const text = `Working: block ${view.finalizedHeight + 1} is under way in view ${view.view}.${note}`
    return { ...facts, state: 'working', text, advice: clocks }
  }
  return {
    ...facts,
    state: 'waiting',
    text: `Waiting: view ${view.view}, led by ${leaderText(context)}; votes held: ${votes(view)}; ${silentVoters(view)}.${note}`,
    advice: [...slowAdvice(context), ...clocks],
  }
}

/** Those not heard for a while; every authority sends its status at least every two seconds, also when idle. */
function missingAuthorities(context: WaitingContext): AuthorityView[] {
  const patienceMs = Math.max(SILENT_MS_MIN, SILENT_INTERVALS * context.intervalMs)
  return context.view.authorities.filter(
    (authority) => authority.silentMs === null || authority.silentMs > patienceMs,
  )
}

function authoritiesWithWrongClocks({ links, driftMs }: WaitingContext): number[] {
  return [...links].flatMap(([index, { clock }]) =>
    clock !== null && Math.abs(clock.offsetMs) - clock.uncertaintyMs > driftMs ? [index] : [],
  )
}

function stalledMs({ intervalMs }: WaitingContext): number {
  return 4 * intervalMs + 2_000
}

function describe({ index, silentMs }: AuthorityView, context: WaitingContext): string {
  const since = silentMs === null ? 'never heard' : `last heard ${seconds(silentMs)} ago`
  const end = context.ends.get(index)
  const none = end === undefined ? 'no link' : `no link: ${end}`
  return `authority ${index} (${since}, ${context.links.has(index) ? 'a link is up' : none})`
}

function leaderText({ view, links, self }: WaitingContext): string {
  const leader = view.authorities[view.leader]
  const name = `authority ${view.leader}`
  if (leader === undefined || leader.silentMs === null) return name
  if (leader.index === self) return `${name} (this node)`
  const latencyMs = links.get(leader.index)?.latencyMs ?? null
  const way = latencyMs === null ? '' : `, ${seconds(latencyMs)} away`
  return `${name} (heard ${seconds(leader.silentMs)} ago${way})`
}

function votes(view: ConsensusView): string {
  const count = (kind: 'votedNotarize' | 'votedNullify' | 'votedFinalize'): number =>
    weightOf(view.authorities.filter((authority) => authority[kind]))
  return `${count('votedNotarize')} notarize, ${count('votedNullify')} nullify, ${count('votedFinalize')} finalize, ${view.quorumWeight} needed`
}

/** Whose vote in the present view is not here. */
function silentVoters(view: ConsensusView): string {
  const silent = view.authorities.filter(
    ({ votedNotarize, votedNullify, votedFinalize }) => !votedNotarize && !votedNullify && !votedFinalize,
  )
  if (silent.length === 0) return 'all have voted in this view'
  return `no vote in this view from ${listed(silent.map(({ index }) => index))}`
}

function missingAdvice(missing: readonly AuthorityView[], context: WaitingContext): string[] {
  const { view, links, strangers } = context
  const advice: string[] = []
  const unlinked = missing.filter(({ index }) => !links.has(index))
  const mute = missing.filter(({ index }) => links.has(index))
  const silences = unlinked.flatMap(({ silentMs }) => silentMs ?? [])
  const areTogether =
    silences.length > 1 &&
    silences.length === unlinked.length &&
    Math.max(...silences) - Math.min(...silences) < TOGETHER_MS
  if (areTogether) {
    advice.push(
      `${listed(unlinked.map(({ index }) => index))} fell silent together: look for a cut in the network between, or for one machine that carried them, first.`,
    )
  }
  if (unlinked.length > 0) {
    const names = listed(unlinked.map(({ index }) => index))
    const [run, reach] =
      unlinked.length === 1
        ? [`the node of ${names} runs`, 'its address']
        : [`the nodes of ${names} run`, 'their addresses']
    advice.push(`See whether ${run} ("althing status" there), and whether this node can reach ${reach}.`)
  }
  if (mute.length > 0) {
    advice.push(
      `${listed(mute.map(({ index }) => index))} ${mute.length === 1 ? 'is' : 'are'} connected but say${mute.length === 1 ? 's' : ''} nothing as an authority: "althing status" there tells why (observing, halted, another release).`,
    )
  }
  for (const stranger of strangers) {
    advice.push(
      `A node is refused as of another network (${stranger}): if it is one of those missing, give it this network's genesis file.`,
    )
  }
  const lacking = view.quorumWeight - weightOf(view.authorities) + weightOf(missing)
  advice.push(
    `Votes of weight ${lacking} must come back. If they are lost for ever, docs/recover.md has the only way out.`,
  )
  return advice
}

function slowAdvice({ links, timeoutMs }: WaitingContext): string[] {
  const slow = [...links].filter(([, { latencyMs }]) => latencyMs !== null && 3 * latencyMs > timeoutMs)
  const relayed = [...links].filter(([, { isRelayed }]) => isRelayed)
  const advice: string[] = []
  if (slow.length > 0) {
    const most = Math.max(...slow.map(([, { latencyMs }]) => latencyMs ?? 0))
    advice.push(
      `The way to ${listed(slow.map(([index]) => index))} and back takes up to ${seconds(most)}: consensus.timeout (${seconds(timeoutMs)}) should be three times that, on every authority.`,
    )
  }
  if (relayed.length > 0)
    advice.push(
      `${listed(relayed.map(([index]) => index))} can be reached over relays only, which is slower.`,
    )
  if (advice.length === 0) {
    advice.push(
      'All are heard, yet views end without a block: machines may be overloaded, or blocks too large for their links. Raise consensus.timeout on every authority if it lasts.',
    )
  }
  return advice
}

function twinAdvice({ twins }: WaitingContext): string[] {
  if (twins.length === 0) return []
  return [
    `Another node holds this authority's key (${twins.join(', ')}). Stop one of them at once: two nodes with one key sign twice, which is proved and punished.`,
  ]
}

function clockAdvice({ links, driftMs, self }: WaitingContext, wrong: readonly number[]): string[] {
  if (wrong.length === 0) return []
  const limit = `blocks may be ${seconds(driftMs)} ahead of a clock (consensus.clock_drift)`
  const offsets = wrong.map((index) => links.get(index)!.clock!.offsetMs)
  const known = [...links.values()].filter(({ clock }) => clock !== null).length
  const isOwn = wrong.length > 1 && 2 * wrong.length > known && new Set(offsets.map(Math.sign)).size === 1
  if (isOwn) {
    const median = [...offsets].sort((a, b) => a - b)[Math.floor(offsets.length / 2)]!
    const whose = self === null ? "This node's clock" : `The clock of this node (authority ${self})`
    return [
      `${whose} is ${seconds(Math.abs(median))} ${median > 0 ? 'behind' : 'ahead of'} the others; ${limit}. Set it (NTP).`,
    ]
  }
  return wrong.map((index, at) => {
    const offsetMs = offsets[at]!
    return `The clock of authority ${index} is ${seconds(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead of' : 'behind'} this node's; ${limit}. Have it set (NTP).`
  })
}

function listed(indices: readonly number[]): string {
  const names = indices.map((index) => `authority ${index}`)
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

function weightOf(authorities: readonly AuthorityView[]): number {
  return authorities.reduce((sum, { weight }) => sum + weight, 0)
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}
