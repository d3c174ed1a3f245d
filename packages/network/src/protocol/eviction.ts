/**
 * Who makes room when all slots are taken (PO-3). Pure.
 * Whoever fills the slots first must not keep everyone else out, and whoever comes with many addresses must not push the others out.
 * After Bitcoin Core's `SelectNodeToEvict`:
 * E1  an eighth of the sessions with the lowest latency, an eighth with the best reputation, and then half of the rest, the
 *     longest connected, are protected: an attacker would have to be better than honest peers in each way at once
 * E2  of the others, the worst goes (lowest quality, then latest come) of the address block with the most sessions, as far as
 *     that block has at least two more than the newcomer's: a newcomer from a crowded block never gets a slot this way
 * E3  whose address tells nothing (relays, names) counts as one block
 * @module
 */

export interface Seat {
  /** The address block; null where there is none. */
  readonly block: string | null
  readonly openedMs: number
  /** Null before the first round trip: not protected for it. */
  readonly latencyMs: number | null
  readonly reputation: number
  /** 0 to 100. */
  readonly quality: number
}

const PROTECTED_SHARE = 1 / 8
/** A link is given so long to become better than that. */
const TRIAL_MS = 60_000
const REPLACED_QUALITY_MAX = 20

/** @param seats the inbound sessions that use a slot. @returns who has to go; null when the newcomer has to. */
export function chooseVictim<S extends Seat>(seats: readonly S[], newcomerBlock: string | null): S | null {
  const countByBlock = new Map<string | null, number>()
  for (const { block } of seats) countByBlock.set(block, (countByBlock.get(block) ?? 0) + 1)
  const least = (countByBlock.get(newcomerBlock) ?? 0) + 2
  const [victim] = unprotected(seats)
    .filter(({ block }) => countByBlock.get(block)! >= least)
    .toSorted(
      (a, b) =>
        countByBlock.get(b.block)! - countByBlock.get(a.block)! ||
        a.quality - b.quality ||
        b.openedMs - a.openedMs,
    )
  return victim ?? null
}

/**
 * Which outbound link is worth giving up for another try (PT-5).
 * @param seats outbound sessions that use a slot, all slots being taken. @returns null when all work well enough.
 */
export function chooseReplaceable<S extends Seat>(seats: readonly S[], nowMs: number): S | null {
  const [worst] = seats
    .filter(({ openedMs, quality }) => nowMs - openedMs >= TRIAL_MS && quality <= REPLACED_QUALITY_MAX)
    .toSorted((a, b) => a.quality - b.quality || b.openedMs - a.openedMs)
  return worst ?? null
}

function unprotected<S extends Seat>(seats: readonly S[]): S[] {
  const few = Math.floor(seats.length * PROTECTED_SHARE)
  const slowestFirst = seats.toSorted((a, b) => (b.latencyMs ?? Infinity) - (a.latencyMs ?? Infinity))
  const notFast = without(slowestFirst, few)
  const notUseful = without(
    notFast.toSorted((a, b) => a.reputation - b.reputation),
    few,
  )
  return without(
    notUseful.toSorted((a, b) => b.openedMs - a.openedMs),
    Math.floor(notUseful.length / 2),
  )
}

function without<S>(sorted: readonly S[], lastOnes: number): S[] {
  return sorted.slice(0, sorted.length - lastOnes)
}
