/**
 * The voting rules of one epoch as a transition system, for the exhaustive checker: what an honest authority may do
 * next, given its own votes and the certificates that exist. Small on purpose: no messages, clocks or disks, only what
 * the safety argument rests on (R1, R4 to R7, R11, R12). The adversary
 *  - proposes in every view, as many blocks as it likes (so any leader may be Byzantine, and no leader need be honest),
 *  - has signed every vote of its own for everything: a certificate exists as soon as honest votes supply the rest,
 *  - delivers what exists to whom and when it likes.
 * Each of these allows more than a real network does, so what holds here holds there.
 * @module
 */

/** An epoch ends with a boundary block (R11). */
export type BlockKind = 'ordinary' | 'boundary'

/** Own votes of one view. Correct rules allow one notarize vote, and nullify or finalize. */
export interface ViewVotes {
  /** The ballots notarized (see `Ballot`), as a set of bits; 0 when there is none. */
  readonly notarized: number
  readonly nullified: boolean
  /** Of what is notarized in the view. */
  readonly finalized: boolean
}

export const NO_VOTES: ViewVotes = { notarized: 0, nullified: false, finalized: false }

/** The rules that can be broken one at a time. */
export interface Rules {
  /** Authorities that follow the rules, and those that do anything. All weigh 1. */
  readonly honest: number
  readonly byzantine: number
  readonly quorum: number
  /** Views that exist. */
  readonly views: number
  /** The blocks that an adversary may propose on one parent. Two of a kind differ in their transactions. */
  readonly blocks: readonly BlockKind[]

  // R1, for the view that the authority is in unless `votesInPast`
  mayNotarize(own: ViewVotes): boolean
  mayNullify(own: ViewVotes): boolean
  mayFinalize(own: ViewVotes): boolean
  /** Whether a nullify vote may be given for a view that was left. */
  readonly votesInPast: boolean
  /** R5: whether a notarization moves an authority that voted so. */
  followsNotarization(own: ViewVotes): boolean
  /** R4: whether a parent notarized in view u needs all views after u to be nullified. */
  readonly needsNullifications: boolean
  /** R11: whether a boundary block may have children within its epoch. */
  readonly extendsBoundary: boolean
  /** R11: whether a re-proposal may be of a boundary block other than the parent that its certificates show. */
  readonly reproposesOther: boolean
  /** R2, R12: whether own votes are known whenever one is signed; else each signing may come after a loss of them. */
  readonly remembersVotes: boolean
}

/** The rules of four authorities, one of them Byzantine. */
export const RULES: Rules = {
  honest: 3,
  byzantine: 1,
  quorum: 3,
  views: 2,
  blocks: ['ordinary', 'ordinary'],
  mayNotarize: (own) => own.notarized === 0 && !own.nullified,
  mayNullify: (own) => !own.nullified && !own.finalized,
  mayFinalize: (own) => !own.nullified && !own.finalized,
  votesInPast: false,
  followsNotarization: () => true,
  needsNullifications: true,
  extendsBoundary: false,
  reproposesOther: false,
  remembersVotes: true,
}

/** Five authorities need four: 2f + 1 is a quorum only when n = 3f + 1. */
export const FIVE: Partial<Rules> = { honest: 4, byzantine: 1, quorum: 4 }

/** One rule broken, and what must be found. */
export interface BrokenRule {
  readonly name: string
  readonly rules: Rules
  readonly finds: RegExp
}

const broken = (name: string, change: Partial<Rules>, finds: RegExp): BrokenRule => ({
  name,
  rules: { ...RULES, ...change },
  finds,
})

const BOUNDARIES: Partial<Rules> = { blocks: ['boundary', 'boundary'] }

export const BROKEN_RULES: readonly BrokenRule[] = [
  broken('P1: finalize after nullify', { mayFinalize: (own) => !own.finalized }, /nullified and/),
  broken(
    'R1: nullify a view that was left, whatever was voted there',
    { mayNullify: (own) => !own.nullified, votesInPast: true },
    /nullified and finalized/,
  ),
  broken('R12, P14: votes forgotten in a restart', { remembersVotes: false }, /two blocks|nullified and/),
  broken(
    'P2: a notarization refused after nullifying',
    {
      followsNotarization: (own) => !own.nullified,
    },
    /stuck/,
  ),
  broken('P10: a parent without the nullifications after it', { needsNullifications: false }, /conflicts/),
  broken('a quorum that is one short', { quorum: 2 }, /two blocks/),
  broken('a quorum of 2f + 1 among five', { ...FIVE, quorum: 3 }, /two blocks|nullified and/),
  broken('more Byzantine authorities than f', { honest: 2, byzantine: 2 }, /two blocks/),
  broken('P6: a child of a boundary block', { ...BOUNDARIES, extendsBoundary: true }, /above the boundary/),
  broken(
    'P7: a re-proposal of another block than the parent shown',
    {
      ...BOUNDARIES,
      views: 3,
      reproposesOther: true,
    },
    /conflicts/,
  ),
]
