/**
 * Who makes room when all slots are taken (PO-3). Pure.
 * Whoever fills the slots first must not keep everyone else out, and whoever comes with many addresses must not push the others out.
 * After Bitcoin Core's `SelectNodeToEvict`:
 * E1  an eighth of the sessions with the lowest latency, an eighth with the best reputation, and then half of the rest, the
 *     longest connected, are protected: an attacker would have to be better than honest peers in each way at once
 * E2  of the others, the worst goes (lowest quality, then latest come) of the address block with the most sessions, as far as
 *     that block has at least two more than the newcomer's: a newcomer from a crowded block never gets a slot this way
 * E3  where no block is crowded, the same holds for regions: who has many networks must not fill all slots with one address of each
 * E4  whose address tells nothing (relays, names) counts as one block and one region
 * E5  who has not ended the handshake counts, is protected by nothing, and goes first: a slot is not held by promising to come
 * E6  an outbound link makes way for another try when it works badly; or when it is one of several into a region and someone is known in
 *     a region without a link: whoever was there first does not keep all links to itself
 * @module
 */

export interface Seat {
  /** The address block; null where there is none. */
  readonly block: string | null
  /** The larger block around it. */
  readonly region: string | null
  /** Null before the end of the handshake. */
  readonly openedMs: number | null
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

/** @param seats the inbound links that use a slot. @returns who has to go; null when the newcomer has to. */
export function chooseVictim<S extends Seat>(
  seats: readonly S[],
  newcomer: Pick<Seat, 'block' | 'region'>,
): S | null {
  const candidates = [...seats.filter(({ openedMs }) => openedMs === null), ...unprotected(seats)]
  return (
    ofTheCrowd(candidates, seats, newcomer, ({ block }) => block) ??
    ofTheCrowd(candidates, seats, newcomer, ({ region }) => region)
  )
}

/** E2, E3 */
function ofTheCrowd<S extends Seat>(
  candidates: readonly S[],
  seats: readonly S[],
  newcomer: Pick<Seat, 'block' | 'region'>,
  partOf: (seat: Pick<Seat, 'block' | 'region'>) => string | null,
): S | null {
  const countByPart = new Map<string | null, number>()
  for (const seat of seats) countByPart.set(partOf(seat), (countByPart.get(partOf(seat)) ?? 0) + 1)
  const crowdOf = (seat: S) => countByPart.get(partOf(seat))!
  const least = (countByPart.get(partOf(newcomer)) ?? 0) + 2
  const [victim] = candidates
    .filter((seat) => crowdOf(seat) >= least)
    .toSorted(
      (a, b) => crowdOf(b) - crowdOf(a) || isOpen(a) - isOpen(b) || a.quality - b.quality || lastFirst(a, b),
    )
  return victim ?? null
}

/**
 * Which outbound link is worth giving up for one into another region (E6).
 * @param seats as for `chooseReplaceable`. @returns null when no region has several, or all are too young.
 */
export function chooseCrowded<S extends Seat>(seats: readonly S[], nowMs: number): S | null {
  const sizeOf = (seat: S) => seats.filter(({ region }) => region === seat.region).length
  const [worst] = seats
    .filter(
      (seat) => seat.region !== null && nowMs - (seat.openedMs ?? nowMs) >= TRIAL_MS && sizeOf(seat) >= 2,
    )
    .toSorted((a, b) => sizeOf(b) - sizeOf(a) || a.quality - b.quality || lastFirst(a, b))
  return worst ?? null
}

function isOpen({ openedMs }: Seat): number {
  return openedMs === null ? 0 : 1
}

function lastFirst(a: Seat, b: Seat): number {
  return (b.openedMs ?? 0) - (a.openedMs ?? 0)
}

/**
 * Which outbound link is worth giving up for another try (PT-5).
 * @param seats outbound sessions that use a slot, all slots being taken. @returns null when all work well enough.
 */
export function chooseReplaceable<S extends Seat>(seats: readonly S[], nowMs: number): S | null {
  const [worst] = seats
    .filter(
      ({ openedMs, quality }) => nowMs - (openedMs ?? nowMs) >= TRIAL_MS && quality <= REPLACED_QUALITY_MAX,
    )
    .toSorted((a, b) => a.quality - b.quality || lastFirst(a, b))
  return worst ?? null
}

/** E1: of those whose session is open. */
function unprotected<S extends Seat>(all: readonly S[]): S[] {
  const seats = all.filter(({ openedMs }) => openedMs !== null)
  const few = Math.floor(seats.length * PROTECTED_SHARE)
  const slowestFirst = seats.toSorted((a, b) => (b.latencyMs ?? Infinity) - (a.latencyMs ?? Infinity))
  const notFast = without(slowestFirst, few)
  const notUseful = without(
    notFast.toSorted((a, b) => a.reputation - b.reputation),
    few,
  )
  return without(notUseful.toSorted(lastFirst), Math.floor(notUseful.length / 2))
}

function without<S>(sorted: readonly S[], lastOnes: number): S[] {
  return sorted.slice(0, sorted.length - lastOnes)
}
