/**
 * Rare states that a campaign must have reached: a simulator that never gets there proves nothing about them.
 * @module
 */

export const MILESTONES = {
  viewNotarizedAndNullified: 'a view was both notarized and nullified',
  equivocationResolved: 'a view with two blocks of its leader was left, and a later block became final',
  evidenceFound: 'an honest node held evidence against a Byzantine authority',
  caughtUpByChain: 'final blocks were taken over from a chain reply',
  cappedChainUsed: 'a chain reply ended with a path of headers to a later finalization',
  ownVotesReplayed: 'a node restarted with own votes above its final tip',
  tornTailDiscarded: 'a node restarted with a torn last record',
  commitLostInCrash: 'a node restarted without a commit that its core had ordered',
  crashedBeforeSync: 'a node crashed with appended records that were not synced',
  crashedInRecovery: 'the power failed while a node read its vote log back',
  crashedBetweenSends: 'a node crashed after the sync, before all sends of the step',
  wholeNetworkLost: 'all nodes lost power at once',
  silentLeaderSkipped: 'a node nullified the view of a silent leader as soon as it entered it',
  idleEntered: 'a node was idle',
  idleLeft: 'a node woke from idle within a view',
  reorg: 'the head moved to another branch',
  lateFinalization: 'a finalization of a view before the one just left was committed',
  observerCameBack: 'a node that lost its vote log came back and watched the chain grow',
  rejoined: 'an authority that lost its vote log voted again, in a later epoch',
  rejoinedInQuorum: 'an exact quorum carried the rejoin of one that lost its votes',
  epochEntered: 'a node entered an epoch after the first',
  boundaryProposedAgain: 'the block that ended an epoch was final in a later view than it was made for',
  setChanged: 'an epoch began with another set of authorities',
  keyChanged: 'an epoch began with a key in the place of another',
  lightClientFollowed: 'a light client followed the ends of epochs to the tip',
  fullNodeCaughtUp: 'a full node that joined late committed the chain',
  diskWasFull: 'a record of the vote log was cut short by a full disk',
  forked: 'more than f Byzantine authorities made two chains final',
  forkFound: 'a node saw that two chains were final, and halted',
  culpritsExposed: 'more than f Byzantine authorities were exposed by their signatures',
  weightedQuorum: 'a chain grew whose authorities have different weights',
  probeFinalInQuorum: 'an exact quorum, restarted after chaos, finalised a new transaction',
} as const

export type Milestone = keyof typeof MILESTONES

/** What was done to the networks. */
export const INJECTIONS = {
  messageDropped: 'messages lost',
  messageDuplicated: 'messages that came twice',
  messageReordered: 'messages that overtook others or were overtaken',
  linkSlowed: 'slow links',
  networkParted: 'partitions',
  networkPartedOneWay: 'partitions of one direction only',
  linkFlapped: 'links that opened and closed several times',
  hostLostPower: 'losses of power of one host',
  programEnded: 'programs that ended without a word',
  powerLost: 'losses of power everywhere',
  clockStepped: 'clocks set wrong',
  diskFilled: 'full disks',
  diskLost: 'lost disks',
  diskRotted: 'disks with a flipped bit',
} as const
export type Injection = keyof typeof INJECTIONS

type Counted = Milestone | Injection

/** How often each was reached or injected; absent for never. */
export type Counts = { readonly [counted in Counted]?: number }

/** Counts of one run. */
export class Tally {
  readonly #counts: { [counted in Counted]?: number } = {}

  get counts(): Counts {
    return this.#counts
  }

  reached(milestone: Milestone, times = 1): void {
    if (times > 0) this.#counts[milestone] = (this.#counts[milestone] ?? 0) + times
  }

  injected(injection: Injection): void {
    this.#counts[injection] = (this.#counts[injection] ?? 0) + 1
  }
}

export function addCounts(a: Counts, b: Counts): Counts {
  const sum: { [counted in Counted]?: number } = { ...a }
  for (const [counted, times] of Object.entries(b) as [Counted, number][])
    sum[counted] = (sum[counted] ?? 0) + times
  return sum
}

export function missingMilestones(counts: Counts): Milestone[] {
  return (Object.keys(MILESTONES) as Milestone[]).filter((milestone) => counts[milestone] === undefined)
}

/** What a campaign did and reached, a line each. */
export function countsText(counts: Counts): string[] {
  const line = ([counted, words]: [string, string]): string =>
    `${`${counts[counted as Counted] ?? 0}`.padStart(10)}  ${words}`
  return [
    'Injected:',
    ...Object.entries(INJECTIONS).map(line),
    'Reached:',
    ...Object.entries(MILESTONES).map(line),
  ]
}
