/**
 * Shortest ways through the graph of links, by latency (Dijkstra). Pure.
 * @module
 */

/** Of a link whose latency is not known. */
const LATENCY_ASSUMED_MS = 100
/** Of passing a message on, so that of two ways that are as good the one over fewer nodes is taken. */
const HOP_MS = 0.5

export interface WeightedLink {
  readonly a: string
  readonly b: string
  readonly latencyMs: number | null
}

/** By node: the neighbour of `from` with which the shortest way to it begins. Nodes that cannot be reached are not in it. */
export function firstHops(from: string, links: Iterable<WeightedLink>): ReadonlyMap<string, string> {
  const neighboursOf = new Map<string, { peer: string; ms: number }[]>()
  const add = (at: string, peer: string, ms: number): void => {
    const list = neighboursOf.get(at)
    if (list === undefined) neighboursOf.set(at, [{ peer, ms }])
    else list.push({ peer, ms })
  }
  for (const { a, b, latencyMs } of links) {
    const ms = (latencyMs ?? LATENCY_ASSUMED_MS) + HOP_MS
    add(a, b, ms)
    add(b, a, ms)
  }
  const msByPeer = new Map([[from, 0]])
  const hopByPeer = new Map<string, string>()
  const done = new Set<string>()
  const open = new Heap()
  open.push(from, 0)
  for (let nearest = open.pop(); nearest !== undefined; nearest = open.pop()) {
    if (done.has(nearest.peer)) continue
    done.add(nearest.peer)
    for (const { peer, ms } of neighboursOf.get(nearest.peer) ?? []) {
      const byHereMs = nearest.ms + ms
      if (done.has(peer) || byHereMs >= (msByPeer.get(peer) ?? Infinity)) continue
      msByPeer.set(peer, byHereMs)
      hopByPeer.set(peer, nearest.peer === from ? peer : hopByPeer.get(nearest.peer)!)
      open.push(peer, byHereMs)
    }
  }
  return hopByPeer
}

interface Entry {
  readonly peer: string
  readonly ms: number
}

/** A binary heap, nearest first. */
class Heap {
  readonly #entries: Entry[] = []

  push(peer: string, ms: number): void {
    const entries = this.#entries
    let at = entries.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (entries[parent]!.ms <= ms) break
      entries[at] = entries[parent]!
      at = parent
    }
    entries[at] = { peer, ms }
  }

  pop(): Entry | undefined {
    const entries = this.#entries
    const nearest = entries[0]
    const last = entries.pop()
    if (last === undefined || entries.length === 0) return nearest
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= entries.length) break
      if (child + 1 < entries.length && entries[child + 1]!.ms < entries[child]!.ms) child++
      if (entries[child]!.ms >= last.ms) break
      entries[at] = entries[child]!
      at = child
    }
    entries[at] = last
    return nearest
  }
}
