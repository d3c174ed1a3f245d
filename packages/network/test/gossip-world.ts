/**
 * Many gossip cores in one simulated network: latency, links that come and go, nodes that misbehave, and what it all costs.
 * @module
 */
import { sha256 } from '@althing/base'
import type { Random } from '@althing/base'
import type { Spreading } from '../src/protocol/kinds.ts'
import { encodeNotice, gossipId, kindIdOf } from '../src/protocol/notice.ts'
import type { GossipId, Notice } from '../src/protocol/notice.ts'
import { Plumtree } from '../src/protocol/plumtree.ts'
import type { Copy, GossipEffect, GossipLimits } from '../src/protocol/plumtree.ts'

/** A linear congruential generator (Numerical Recipes): the same numbers in every run. */
export function seeded(seed: number): Random {
  let state = seed
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
  return { next, bytes: (length) => Uint8Array.from({ length }, () => next() * 256) }
}

export const TREE_KIND = 1
export const FLOOD_KIND = 2
const FRAME_BYTES = 10
const LIMITS: GossipLimits = {
  seenMax: 10_000,
  seenMs: 120_000,
  keptMax: 4096,
  keptBytesMax: 16 * 1024 * 1024,
  keptMs: 30_000,
  largeBytes: 8192,
}
/** The first byte of a message that nobody accepts. */
const INVALID = 0xff

export type Character = 'honest' | 'withholder'

export interface SimulatedNode {
  readonly name: string
  readonly core: Plumtree
  readonly character: Character
  readonly links: Set<SimulatedNode>
  /** Messages that were delivered, with when. */
  readonly delivered: Map<GossipId, number>
  isUp: boolean
  tickAtMs: number
}

interface Costs {
  /** Copies of messages that were sent. */
  pushes: number
  pushedBytes: number
  notices: number
  noticeBytes: number
  /** In announcements and offers. */
  announcedIds: number
}

const NO_COSTS: Costs = { pushes: 0, pushedBytes: 0, notices: 0, noticeBytes: 0, announcedIds: 0 }

export class GossipWorld {
  readonly random: Random
  readonly nodes = new Map<string, SimulatedNode>()
  readonly faultsByPeer = new Map<string, number>()
  readonly withheldByPeer = new Map<string, number>()
  readonly costs: Costs = { ...NO_COSTS }
  nowMs = 0
  /** Of each copy and notice, that it is lost. */
  lossRate = 0
  readonly #latencyMs: (from: string, to: string) => number
  readonly #agenda = new Agenda()
  #messages = 0

  constructor(seed: number, latencyMs: (from: string, to: string) => number = () => 20) {
    this.random = seeded(seed)
    this.#latencyMs = latencyMs
  }

  add(name: string, character: Character = 'honest'): SimulatedNode {
    const core = new Plumtree(
      { limits: LIMITS, random: this.random, kindOf: (id) => kindOf(kindIdOf(id)) },
      this.nowMs,
    )
    const node: SimulatedNode = {
      name,
      core,
      character,
      links: new Set(),
      delivered: new Map(),
      isUp: true,
      tickAtMs: Infinity,
    }
    this.nodes.set(name, node)
    return node
  }

  node(name: string): SimulatedNode {
    return this.nodes.get(name)!
  }

  link(a: SimulatedNode, b: SimulatedNode, understands = true): void {
    if (a === b || a.links.has(b)) return
    a.links.add(b)
    b.links.add(a)
    this.#perform(a, a.core.peerOpened(b.name, understands, this.nowMs))
    this.#perform(b, b.core.peerOpened(a.name, understands, this.nowMs))
  }

  unlink(a: SimulatedNode, b: SimulatedNode): void {
    if (!a.links.delete(b)) return
    b.links.delete(a)
    this.#perform(a, a.core.peerClosed(b.name, this.nowMs))
    this.#perform(b, b.core.peerClosed(a.name, this.nowMs))
  }

  /** Each node dials so many others. */
  linkAtRandom(nodes: readonly SimulatedNode[], dials: number): void {
    for (const node of nodes) for (let i = 0; i < dials; i++) this.link(node, this.pick(nodes))
  }

  remove(node: SimulatedNode): void {
    for (const other of node.links) this.unlink(node, other)
    node.isUp = false
    this.nodes.delete(node.name)
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random.next() * items.length)]!
  }

  /** A message that nobody has seen. */
  message(bytes = 512, isValid = true): Uint8Array {
    const body = new Uint8Array(bytes)
    new DataView(body.buffer).setUint32(1, ++this.#messages)
    if (!isValid) body[0] = INVALID
    return body
  }

  publish(node: SimulatedNode, body = this.message(), kind = TREE_KIND): GossipId {
    const id = gossipId(kind, body)
    node.delivered.set(id, this.nowMs)
    this.#perform(node, node.core.published(id, kindOf(kind).spreading, body, this.nowMs))
    return id
  }

  /** A node that does not follow the protocol sends what it likes. */
  sendRaw(from: SimulatedNode, to: SimulatedNode, what: Uint8Array | Notice, kind = TREE_KIND): void {
    if (what instanceof Uint8Array)
      this.#sendCopy(from, to, {
        id: gossipId(kind, what),
        spreading: kindOf(kind).spreading,
        origin: 1,
        body: what,
      })
    else this.#sendNotice(from, to, what)
  }

  run(ms: number): void {
    const endMs = this.nowMs + ms
    for (;;) {
      const next = this.#agenda.nextBefore(endMs)
      if (next === undefined) break
      this.nowMs = next.atMs
      next.run()
    }
    this.nowMs = endMs
  }

  resetCosts(): void {
    Object.assign(this.costs, NO_COSTS)
  }

  /** Everything on the wire over payload × receivers. */
  bytesFactor(payloadBytes: number, deliveries: number): number {
    return (this.costs.pushedBytes + this.costs.noticeBytes) / (payloadBytes * deliveries)
  }

  #sendCopy(from: SimulatedNode, to: SimulatedNode, copy: Copy): void {
    this.costs.pushes++
    this.costs.pushedBytes += FRAME_BYTES + copy.body.length
    this.#travel(from, to, () => this.#perform(to, to.core.received(from.name, copy, this.nowMs)))
  }

  #sendNotice(from: SimulatedNode, to: SimulatedNode, notice: Notice): void {
    this.costs.notices++
    this.costs.noticeBytes += FRAME_BYTES + encodeNotice(notice).length
    if (notice.kind === 'announce') this.costs.announcedIds += notice.ids.length
    if (notice.kind === 'offer') this.costs.announcedIds += notice.offers.length
    this.#travel(from, to, () => this.#perform(to, to.core.noticed(from.name, notice, this.nowMs)))
  }

  #travel(from: SimulatedNode, to: SimulatedNode, arrive: () => void): void {
    if (this.random.next() < this.lossRate) return
    this.#agenda.add(this.nowMs + this.#latencyMs(from.name, to.name), () => {
      if (to.isUp && to.links.has(from)) arrive()
    })
  }

  #perform(node: SimulatedNode, effects: readonly GossipEffect[]): void {
    for (const effect of effects) this.#performOne(node, effect)
    this.#schedule(node)
  }

  #performOne(node: SimulatedNode, effect: GossipEffect): void {
    switch (effect.kind) {
      case 'judge': {
        const { message } = effect
        const isValid = message.body[0] !== INVALID
        if (isValid) node.delivered.set(message.id, this.nowMs)
        else count(this.faultsByPeer, message.from!.id)
        return this.#perform(node, node.core.judged(message, isValid, this.nowMs))
      }
      case 'push': {
        // A withholder announces what it has, and never sends it.
        if (node.character === 'withholder' && effect.message.from !== null) return
        for (const { id } of effect.to) {
          const to = this.nodes.get(id)
          if (to !== undefined) this.#sendCopy(node, to, effect.message)
        }
        return
      }
      case 'tell': {
        const to = this.nodes.get(effect.to.id)
        if (to !== undefined) this.#sendNotice(node, to, effect.notice)
        return
      }
      case 'withheld':
        return count(this.withheldByPeer, effect.peer.id)
    }
  }

  #schedule(node: SimulatedNode): void {
    const atMs = Math.max(node.core.nextDeadlineMs, this.nowMs + 1)
    if (atMs >= node.tickAtMs) return
    node.tickAtMs = atMs
    this.#agenda.add(atMs, () => {
      if (!node.isUp || node.tickAtMs !== atMs) return
      node.tickAtMs = Infinity
      this.#perform(node, node.core.tick(this.nowMs))
    })
  }
}

function kindOf(kind: number): { spreading: Spreading; maxBytes: number } {
  return { spreading: kind === TREE_KIND ? 'tree' : 'flood', maxBytes: 10 * 1024 * 1024 }
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1)
}

interface Task {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** A binary heap; what is due at the same time runs in the order in which it came. */
class Agenda {
  readonly #heap: Task[] = []
  #order = 0

  add(atMs: number, run: () => void): void {
    const task = { atMs, order: this.#order++, run }
    let index = this.#heap.push(task) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(task, this.#heap[parent]!)) break
      this.#heap[index] = this.#heap[parent]!
      index = parent
    }
    this.#heap[index] = task
  }

  nextBefore(endMs: number): Task | undefined {
    const [first] = this.#heap
    if (first === undefined || first.atMs > endMs) return undefined
    const last = this.#heap.pop()!
    if (this.#heap.length > 0) this.#sink(last)
    return first
  }

  #sink(task: Task): void {
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= this.#heap.length) break
      const right = this.#heap[child + 1]
      if (right !== undefined && isBefore(right, this.#heap[child]!)) child++
      if (!isBefore(this.#heap[child]!, task)) break
      this.#heap[index] = this.#heap[child]!
      index = child
    }
    this.#heap[index] = task
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

/** A name of its own for each of these nodes. */
export function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`)
}

/** One way, 5 to 60 ms, the same for a pair in every run. */
export function spreadLatency(from: string, to: string): number {
  const [low, high] = from < to ? [from, to] : [to, from]
  return 5 + (sha256(new TextEncoder().encode(`${low}|${high}`))[0]! / 255) * 55
}
