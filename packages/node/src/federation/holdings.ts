/**
 * Which peers keep which graphs in their index, as each says of itself on its own session. Pure.
 * A claim costs its peer nothing and gains it little: what it then answers is looked up in the state.
 * @module
 */
import { bytesToHex, concatBytes, decodeHeldGraphs, GRAPH_ID_BYTES, graphId, HeldGraphs } from '@althing/base'

/** Ids of graphs in hexadecimal digits; null: all of them. */
export type Holding = ReadonlySet<string> | null

/** @param hold IRIs, at most HELD_GRAPHS_MAX; none: all graphs. */
export function encodeHolding(hold: readonly string[]): Uint8Array {
  return HeldGraphs.serialize({ all: hold.length === 0 ? 1 : 0, graphs: concatBytes(...hold.map(graphId)) })
}

/** @returns undefined for what is no such message. */
export function decodeHolding(bytes: Uint8Array): Holding | undefined {
  const held = decodeHeldGraphs(bytes)
  if (!held.ok || held.value.all > 1) return undefined
  const { all, graphs } = held.value
  if (graphs.length % GRAPH_ID_BYTES !== 0 || (all === 1 && graphs.length > 0)) return undefined
  if (all === 1) return null
  const ids = new Set<string>()
  for (let at = 0; at < graphs.length; at += GRAPH_ID_BYTES) {
    ids.add(bytesToHex(graphs.subarray(at, at + GRAPH_ID_BYTES)))
  }
  return ids
}

export class Holdings {
  readonly #byPeer = new Map<string, Holding>()

  /** What it said before does not count any more. */
  tell(peer: string, holding: Holding): void {
    this.#byPeer.set(peer, holding)
  }

  forget(peer: string): void {
    this.#byPeer.delete(peer)
  }

  /** Of those that said so. */
  all(): readonly { readonly peer: string; readonly holding: Holding }[] {
    return [...this.#byPeer].map(([peer, holding]) => ({ peer, holding }))
  }

  /** Peers that keep a graph, those that keep few graphs first. */
  holdersOf(graph: string): readonly string[] {
    const id = bytesToHex(graphId(graph))
    const size = (holding: Holding): number => holding?.size ?? Number.POSITIVE_INFINITY
    return [...this.#byPeer]
      .filter(([, holding]) => holding === null || holding.has(id))
      .sort(([, a], [, b]) => (size(a) === size(b) ? 0 : size(a) - size(b)))
      .map(([peer]) => peer)
  }
}
