/**
 * The shell of gossip: brings copies and notices to the core, and performs what it says.
 * @module
 */
import type { Clock, Random } from '@althing/base'
import { Alarm } from './alarm.ts'
import type { NetworkStats, Verdict } from './network-types.ts'
import type { PeerLink } from './peer-link.ts'
import type { Kind, KindTable } from './protocol/kinds.ts'
import type { GossipMessage } from './protocol/kept-messages.ts'
import {
  decodeNotice,
  encodeNotice,
  gossipId,
  GOSSIP_FEATURE,
  kindIdOf,
  NOTICE_KINDS,
  noticeKindName,
} from './protocol/notice.ts'
import type { GossipId, Notice } from './protocol/notice.ts'
import { Plumtree } from './protocol/plumtree.ts'
import type { GossipEffect, GossipKind, GossipLimits } from './protocol/plumtree.ts'
import type { Scheduler } from './system.ts'

export interface RelaySetup {
  readonly limits: GossipLimits
  readonly kinds: KindTable
  readonly clock: Clock
  readonly random: Random
  readonly scheduler: Scheduler
  /** @param origin the number under which the message's origin sends; 0 for a notice. */
  readonly send: (peer: string, kind: Kind, body: Uint8Array, origin: number) => void
  readonly judge: (link: PeerLink, of: Kind, body: Uint8Array, judged: (verdict: Verdict) => void) => void
  readonly penalise: (peer: string, reason: string) => void
  /** The peer's gossip was accepted. */
  readonly accepted: (peer: string) => void
  /** The peer announced a message and did not send it. */
  readonly withheld: (peer: string) => void
}

export class GossipRelay {
  readonly #setup: RelaySetup
  readonly #core: Plumtree
  readonly #alarm: Alarm
  readonly #counts = { published: 0, accepted: 0, ignored: 0, rejected: 0, duplicate: 0, withheld: 0 }

  constructor(setup: RelaySetup) {
    const { limits, random, clock, scheduler, kinds } = setup
    this.#setup = setup
    const kindOf = (id: GossipId) => gossipKind(kinds, id)
    this.#core = new Plumtree({ limits, random, kindOf }, clock.monotonicMs())
    this.#alarm = new Alarm(clock, scheduler, () => this.#perform(this.#core.tick(this.#now())))
  }

  get stats(): NetworkStats['gossip'] {
    return { ...this.#counts, ...this.#core.memory }
  }

  peerOpened(peer: string, features: readonly string[]): void {
    this.#perform(this.#core.peerOpened(peer, features.includes(GOSSIP_FEATURE), this.#now()))
  }

  peerClosed(peer: string): void {
    this.#perform(this.#core.peerClosed(peer, this.#now()))
  }

  stop(): void {
    this.#alarm.cancel()
  }

  publish(kind: Kind, body: Uint8Array): void {
    const id = gossipId(kind.id, body)
    if (this.#core.isKnown(id)) return
    this.#counts.published++
    this.#perform(this.#core.published(id, kind.spreading, body, this.#now()))
  }

  /** A copy of a message. @param origin as the peer says. */
  received(link: PeerLink, of: Kind, body: Uint8Array, origin: number): void {
    const copy = { id: gossipId(of.id, body), spreading: of.spreading, origin, body }
    const effects = this.#core.received(link.peer, copy, this.#now())
    const [first] = effects
    if (first?.kind !== 'judge') {
      this.#counts.duplicate++
      return this.#perform(effects)
    }
    this.#setup.judge(link, of, body, (verdict) => this.#judged(link.peer, of, first.message, verdict))
    this.#perform(effects)
  }

  #judged(peer: string, of: Kind, message: GossipMessage, verdict: Verdict): void {
    this.#perform(this.#core.judged(message, verdict === 'accept', this.#now()))
    switch (verdict) {
      case 'accept':
        this.#counts.accepted++
        return this.#setup.accepted(peer)
      case 'ignore':
        this.#counts.ignored++
        return
      case 'reject':
        this.#counts.rejected++
        return this.#setup.penalise(peer, `invalid gossip of kind ${of.name}`)
    }
  }

  noticed(peer: string, kindName: string, body: Uint8Array): void {
    const notice = decodeNotice(kindName, body)
    if (notice.ok) this.#perform(this.#core.noticed(peer, notice.value, this.#now()))
    else this.#setup.penalise(peer, notice.fault.message)
  }

  #perform(effects: readonly GossipEffect[]): void {
    for (const effect of effects) this.#performOne(effect)
    this.#alarm.by(this.#core.nextDeadlineMs)
  }

  #performOne(effect: GossipEffect): void {
    switch (effect.kind) {
      case 'judge':
        // `received` has asked already: only there the link is known.
        return
      case 'push': {
        const { id, body, origin } = effect.message
        const kind = this.#setup.kinds.byId.get(kindIdOf(id))!
        for (const peer of effect.to) this.#setup.send(peer.id, kind, body, origin)
        return
      }
      case 'tell':
        return this.#tell(effect.to.id, effect.notice)
      case 'withheld':
        this.#counts.withheld++
        return this.#setup.withheld(effect.peer.id)
    }
  }

  #tell(peer: string, notice: Notice): void {
    const { id } = NOTICE_KINDS[noticeKindName(notice)]
    this.#setup.send(peer, this.#setup.kinds.byId.get(id)!, encodeNotice(notice), 0)
  }

  #now(): number {
    return this.#setup.clock.monotonicMs()
  }
}

function gossipKind(kinds: KindTable, id: GossipId): GossipKind | null {
  const kind = kinds.byId.get(kindIdOf(id))
  return kind?.gossip === true ? kind : null
}
