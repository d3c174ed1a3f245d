/**
 * Gossip of small messages among eight nodes in two processes, ours beside gossipsub: what each sustains, what a delivery costs
 * there, and how long it takes when there is little to do.
 * @module
 */
import { say } from '../say.ts'
import { Fleet } from './fleet.ts'
import type { Outcome } from './fleet.ts'
import { SIDES } from './wire.ts'
import type { Side } from './wire.ts'

export interface GossipReport {
  readonly bytes: number
  readonly sides: Readonly<Record<Side, SideReport>>
}

export interface SideReport {
  /** At the highest rate at which everything came, with a p99 below 100 ms. */
  readonly sustained: Outcome
  /** At 100 messages a second. */
  readonly calm: Outcome
  /** A message of 256 KiB that nobody has a part of. */
  readonly block: Outcome
}

const MESSAGE_BYTES = 512
const P99_MAX_MS = 100
const CALM_PER_SECOND = 100
const BLOCK = { bytes: 256 * 1024, perSecond: 2, messages: 16 }
/** Where the search begins: what each is known to manage. */
const FIRST_PER_SECOND: Readonly<Record<Side, number>> = { althing: 2000, gossipsub: 200 }
const LEAST_PER_SECOND = 16
const STEP_UP = 1.5
const HALVINGS = 3
/** The rate that was asked for counts as kept from this part of it on. */
const RATE_KEPT = 0.95

/** @param seconds of each trial. */
export async function runGossipBench(seconds: number): Promise<GossipReport> {
  const sides: Partial<Record<Side, SideReport>> = {}
  for (const side of SIDES) sides[side] = await runSide(side, seconds)
  return { bytes: MESSAGE_BYTES, sides: sides as Record<Side, SideReport> }
}

async function runSide(side: Side, seconds: number): Promise<SideReport> {
  say(`${side}: ${CALM_PER_SECOND} messages a second, then 256 KiB …`)
  const { calm, block } = await runCalm(side, seconds)
  let good = FIRST_PER_SECOND[side]
  let sustained = await attempt(side, good, seconds)
  while (sustained === null) {
    good /= 2
    if (good < LEAST_PER_SECOND) throw new Error(`${side} sustains nothing here: is the machine busy?`)
    sustained = await attempt(side, good, seconds)
  }
  let bad = good
  for (let outcome: Outcome | null = sustained; outcome !== null;) {
    sustained = outcome
    good = bad
    bad = good * STEP_UP
    outcome = await attempt(side, bad, seconds)
  }
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (good + bad) / 2
    const outcome = await attempt(side, middle, seconds)
    if (outcome === null) bad = middle
    else [good, sustained] = [middle, outcome]
  }
  return { sustained, calm, block }
}

async function runCalm(side: Side, seconds: number): Promise<Pick<SideReport, 'calm' | 'block'>> {
  using fleet = await Fleet.start(side)
  await warmUp(fleet)
  const calm = await fleet.run(CALM_PER_SECOND, count(CALM_PER_SECOND * seconds), MESSAGE_BYTES)
  const block = await fleet.run(BLOCK.perSecond, BLOCK.messages, BLOCK.bytes)
  return { calm, block }
}

/** A fleet of its own, so that what was too much before leaves no trace. @returns null when the rate is not sustained. */
async function attempt(side: Side, perSecond: number, seconds: number): Promise<Outcome | null> {
  using fleet = await Fleet.start(side)
  await warmUp(fleet)
  await fleet.run(perSecond / 2, count(perSecond / 2), MESSAGE_BYTES)
  const outcome = await fleet.run(perSecond, count(perSecond * seconds), MESSAGE_BYTES)
  const isKept = outcome.messagesPerSecond >= RATE_KEPT * perSecond
  const isSustained = isKept && outcome.deliveredShare === 1 && outcome.p99Ms < P99_MAX_MS
  say(
    `${side}: ${Math.round(perSecond)} messages a second ${isSustained ? 'are' : 'are not'} sustained ` +
      `(${(outcome.deliveredShare * 100).toFixed(2)} % came, p99 ${outcome.p99Ms.toFixed(1)} ms)`,
  )
  return isSustained ? outcome : null
}

/** Meshes and trees are made, and code is compiled. */
async function warmUp(fleet: Fleet): Promise<void> {
  await fleet.run(50, 96, MESSAGE_BYTES)
}

/** So that each node publishes as much as any other. */
function count(messages: number): number {
  return 16 * Math.max(1, Math.round(messages / 16))
}
