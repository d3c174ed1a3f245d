/**
 * The peers as gossip sees them, and to whom each origin's messages are pushed. Pure.
 * E1  a few links are base links, drawn at random by each side, and then of both: the first message of an origin takes those
 * E2  the messages of each origin have a tree of their own: where a duplicate came from is taken off it, who asks is put on it.
 *     Trees of several origins in one would cut each other, since every node sees a circle close at another link
 * E3  what floods has trees too, of which all links are part until a duplicate comes
 * E4  the trees of at most `2 * ORIGINS_MAX` origins are remembered; who is forgotten begins with the base links
 * @module
 */
import type { Spreading } from './kinds.ts'

export interface GossipPeer {
  readonly id: string
  /** Knows notices. To others everything is pushed. */
  readonly understands: boolean
  /** Its link is a base link. */
  isBase: boolean
  /** Something new came from it: without it some trees may be cut. */
  isParent: boolean
  /** Messages that it announced and did not send; fades. */
  withheld: number
  /** Of the missing messages, those that it announced first. */
  missing: number
  /** Of large messages that it was asked for. */
  fetchingBytes: number
  historyToldMs: number
  prunedMs: number
}

/** Who gets the messages of one origin. */
export interface Routes {
  readonly push: readonly GossipPeer[]
  readonly announce: ReadonlySet<GossipPeer>
}

interface Tree {
  readonly spreading: Spreading
  /** By peer, what differs from the default. */
  readonly isPushed: Map<GossipPeer, boolean>
  routes: Routes | null
}

export const BASE_PEERS_MIN = 3
const ORIGINS_MAX = 512
const FADING = 0.98

export class GossipPeers {
  readonly #byId = new Map<string, GossipPeer>()
  #all: readonly GossipPeer[] = []
  /** Two generations, as in `RecentSet`. */
  #young = new Map<number, Tree>()
  #old = new Map<number, Tree>()

  open(id: string, understands: boolean): GossipPeer {
    const peer: GossipPeer = {
      id,
      understands,
      isBase: !understands,
      isParent: false,
      withheld: 0,
      missing: 0,
      fetchingBytes: 0,
      historyToldMs: -Infinity,
      prunedMs: -Infinity,
    }
    this.#byId.set(id, peer)
    this.#changed()
    return peer
  }

  close(id: string): GossipPeer | undefined {
    const peer = this.#byId.get(id)
    if (peer === undefined) return undefined
    this.#byId.delete(id)
    this.#forget(peer)
    return peer
  }

  get(id: string): GossipPeer | undefined {
    return this.#byId.get(id)
  }

  get all(): readonly GossipPeer[] {
    return this.#all
  }

  get base(): readonly GossipPeer[] {
    return this.#all.filter(({ isBase }) => isBase)
  }

  get origins(): number {
    return this.#young.size + this.#old.size
  }

  /** Part of every tree from now on, or of none. */
  setBase(peer: GossipPeer, isBase: boolean): void {
    peer.isBase = isBase
    this.#forget(peer)
  }

  routes(origin: number, spreading: Spreading): Routes {
    const tree = this.#tree(origin, spreading)
    if (tree.routes !== null) return tree.routes
    const push: GossipPeer[] = []
    const announce = new Set<GossipPeer>()
    for (const peer of this.#all) {
      const isPushed = tree.isPushed.get(peer) ?? (spreading === 'flood' || peer.isBase)
      if (isPushed || !peer.understands) push.push(peer)
      else announce.add(peer)
    }
    return (tree.routes = { push, announce })
  }

  /** Undefined while nothing was learned about it. */
  isPushed(origin: number, spreading: Spreading, peer: GossipPeer): boolean | undefined {
    return this.#tree(origin, spreading).isPushed.get(peer)
  }

  setPushed(origin: number, spreading: Spreading, peer: GossipPeer, isPushed: boolean): void {
    const tree = this.#tree(origin, spreading)
    if (tree.isPushed.get(peer) === isPushed) return
    tree.isPushed.set(peer, isPushed)
    tree.routes = null
  }

  /** Who withheld something is trusted again after a while. To be called once a second. */
  fade(): void {
    for (const peer of this.#all) peer.withheld *= FADING
  }

  #tree(origin: number, spreading: Spreading): Tree {
    const key = 2 * origin + (spreading === 'flood' ? 1 : 0)
    let tree = this.#young.get(key)
    if (tree !== undefined) return tree
    if (this.#young.size >= ORIGINS_MAX) {
      this.#old = this.#young
      this.#young = new Map()
    }
    tree = this.#old.get(key) ?? { spreading, isPushed: new Map(), routes: null }
    this.#old.delete(key)
    this.#young.set(key, tree)
    return tree
  }

  #forget(peer: GossipPeer): void {
    for (const trees of [this.#young, this.#old]) {
      for (const tree of trees.values()) tree.isPushed.delete(peer)
    }
    this.#changed()
  }

  #changed(): void {
    this.#all = [...this.#byId.values()]
    for (const trees of [this.#young, this.#old]) for (const tree of trees.values()) tree.routes = null
  }
}
