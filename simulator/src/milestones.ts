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
  crashedBetweenSends: 'a node crashed after the sync, before all sends of the step',
  wholeNetworkLost: 'all nodes lost power at once',
  silentLeaderSkipped: 'a node nullified the view of a silent leader as soon as it entered it',
  idleEntered: 'a node was idle',
  idleLeft: 'a node woke from idle within a view',
  reorg: 'the head moved to another branch',
  lateFinalization: 'a finalization of a view before the one just left was committed',
  observerStayedSilent: 'a node that lost its vote log came back and watched the chain grow',
  fullNodeCaughtUp: 'a full node that joined late committed the chain',
  diskWasFull: 'a record of the vote log was cut short by a full disk',
  forked: 'more than f Byzantine authorities made two chains final',
  forkFound: 'a node saw that two chains were final, and halted',
  culpritsExposed: 'more than f Byzantine authorities were exposed by their signatures',
  weightedQuorum: 'a chain grew whose authorities have different weights',
  probeFinalInQuorum: 'an exact quorum, restarted after chaos, finalised a new transaction',
} as const

export type Milestone = keyof typeof MILESTONES

/** How often each milestone was reached; absent for never. */
export type MilestoneCounts = { readonly [milestone in Milestone]?: number }

/** Counts of one run. */
export class Tally {
  #counts: MilestoneCounts = {}

  get counts(): MilestoneCounts {
    return this.#counts
  }

  reached(milestone: Milestone, times = 1): void {
    if (times > 0) this.#counts = addCounts(this.#counts, { [milestone]: times })
  }
}

export function addCounts(a: MilestoneCounts, b: MilestoneCounts): MilestoneCounts {
  const sum: { [milestone in Milestone]?: number } = { ...a }
  for (const [milestone, times] of Object.entries(b) as [Milestone, number][]) {
    sum[milestone] = (sum[milestone] ?? 0) + times
  }
  return sum
}

export function missingMilestones(counts: MilestoneCounts): Milestone[] {
  return (Object.keys(MILESTONES) as Milestone[]).filter((milestone) => counts[milestone] === undefined)
}
