/**
 * What peers did, as a score each (VC-5). Pure; the README of the package has the same table.
 * P1  deeds raise a score a little, up to `max`; offences lower it, down to `min`; it halves towards 0 every half-life
 * P2  an offence that leaves it below `sendAwayBelow` sends the peer away for a cool-down; below `banBelow` it is a ban, each
 *     twice as long as the last, up to a bound. What is lowered already stays welcome until its next offence
 * P3  being slow, silent or gone is no offence: there is nothing here to lower a score by that
 * P4  memory is bounded: whose score moved longest ago is forgotten first
 * @module
 */

/** By how much each raises a score. */
export const DEEDS = {
  /** A block that turned out valid. */
  validBlock: 1,
  /** Gossip that was accepted: a transaction, or a batch of them. */
  validGossip: 0.05,
  /** An answer to a request that turned out right. */
  goodAnswer: 0.2,
} as const

/** By how much each moves a score. */
export const OFFENCES = {
  /** A block, or a vote for one, that breaks the rules or has a wrong signature. */
  invalidBlock: -20,
  /** A transaction that no honest node passes on. */
  invalidTransaction: -12,
  /** Any other message that no honest node sends. */
  invalidMessage: -12,
  /** An answer that is not what was asked for. */
  wrongAnswer: -8,
  /** More than the limits allow, after it was read slower already. */
  flood: -8,
  /** Bytes, or an order of messages, that the protocol does not allow. */
  protocolViolation: -40,
} as const

export type Deed = keyof typeof DEEDS
export type Offence = keyof typeof OFFENCES

export const SCORE = { min: -200, sendAwayBelow: -50, banBelow: -100, max: 25 } as const

export interface ReputationLimits {
  readonly reputationHalfLifeMs: number
  readonly cooldownMs: number
  /** Of the first ban; each further one lasts twice as long. */
  readonly banMinMs: number
  readonly banMaxMs: number
}

export type Sentence =
  | { readonly kind: 'none' }
  | { readonly kind: 'sendAway'; readonly forMs: number }
  | { readonly kind: 'ban'; readonly forMs: number }

interface Standing {
  score: number
  /** When `score` was that. */
  atMs: number
  coolingUntilMs: number
  bans: number
  bannedUntilMs: number
}

const STANDINGS_MAX = 10_000
/** A score so near to 0 is forgotten. */
const SCORE_KEPT_MIN = 0.5

export class Reputation {
  readonly #limits: ReputationLimits
  /** Whose score moved last stands last. */
  readonly #standingByPeer = new Map<string, Standing>()

  constructor(limits: ReputationLimits) {
    this.#limits = limits
  }

  /** `SCORE.min` to `SCORE.max`; 0 for who is not known. */
  score(peer: string, nowMs: number): number {
    const standing = this.#standingByPeer.get(peer)
    return standing === undefined ? 0 : this.#decayed(standing, nowMs)
  }

  reward(peer: string, deed: Deed, nowMs: number): void {
    this.#move(peer, DEEDS[deed], nowMs)
  }

  /** @param mayBan false: what would be a ban is a cool-down. */
  penalise(peer: string, offence: Offence, nowMs: number, mayBan: boolean): Sentence {
    const standing = this.#move(peer, OFFENCES[offence], nowMs)
    const { cooldownMs, banMinMs, banMaxMs } = this.#limits
    if (standing.score >= SCORE.sendAwayBelow) return { kind: 'none' }
    if (standing.score >= SCORE.banBelow || !mayBan) {
      standing.coolingUntilMs = nowMs + cooldownMs
      return { kind: 'sendAway', forMs: cooldownMs }
    }
    if (nowMs - standing.bannedUntilMs > banMaxMs) standing.bans = 0
    const forMs = Math.min(banMaxMs, banMinMs * 2 ** standing.bans)
    standing.bans++
    standing.bannedUntilMs = nowMs + forMs
    return { kind: 'ban', forMs }
  }

  /** 0 when the peer is in no cool-down. */
  coolingMs(peer: string, nowMs: number): number {
    return Math.max(0, (this.#standingByPeer.get(peer)?.coolingUntilMs ?? -Infinity) - nowMs)
  }

  /** A clean slate: its ban was lifted. */
  forgive(peer: string): void {
    this.#standingByPeer.delete(peer)
  }

  /** Forgets what no longer matters. Call it now and then. */
  expire(nowMs: number): void {
    for (const [peer, standing] of this.#standingByPeer) {
      const isOver =
        nowMs - standing.bannedUntilMs > this.#limits.banMaxMs && standing.coolingUntilMs <= nowMs
      if (isOver && Math.abs(this.#decayed(standing, nowMs)) < SCORE_KEPT_MIN)
        this.#standingByPeer.delete(peer)
    }
  }

  #move(peer: string, delta: number, nowMs: number): Standing {
    const standing = this.#standingByPeer.get(peer) ?? newStanding(nowMs)
    this.#standingByPeer.delete(peer)
    this.#standingByPeer.set(peer, standing)
    standing.score = Math.min(SCORE.max, Math.max(SCORE.min, this.#decayed(standing, nowMs) + delta))
    standing.atMs = nowMs
    if (this.#standingByPeer.size > STANDINGS_MAX) {
      this.#standingByPeer.delete(this.#standingByPeer.keys().next().value!)
    }
    return standing
  }

  #decayed({ score, atMs }: Standing, nowMs: number): number {
    return score * 2 ** ((atMs - nowMs) / this.#limits.reputationHalfLifeMs)
  }
}

function newStanding(nowMs: number): Standing {
  return { score: 0, atMs: nowMs, coolingUntilMs: -Infinity, bans: 0, bannedUntilMs: -Infinity }
}
