/**
 * What the processes of the gossip benchmark agree on, and what a node of either kind can do.
 * @module
 */

/** What a fleet is made of. */
export const SIDES = ['althing', 'gossipsub'] as const
export type Side = (typeof SIDES)[number]

/** A node of either kind. All nodes of a run are in one network. */
export interface GossipNode {
  readonly address: string
  connect(address: string): Promise<void>
  /** Links that carry gossip. */
  peerCount(): number
  /** What it publishes goes to all others, not to itself. */
  publish(body: Uint8Array): void
  onMessage(listener: (body: Uint8Array) => void): void
  stop(): Promise<void>
}

export interface Load {
  /** Of the whole network. */
  readonly messagesPerSecond: number
  readonly messages: number
  readonly bytes: number
  /** Nodes of the whole network. */
  readonly nodes: number
}

export type Order =
  | { readonly kind: 'connect'; readonly addresses: readonly string[]; readonly peers: number }
  /** Counts from here: the other process may publish before this one does. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'load'; readonly load: Load; readonly received: number }
  | { readonly kind: 'counts' }

/** What happened in a process since the reset. */
export interface Counts {
  readonly published: number
  /** How long publishing took, in milliseconds. */
  readonly publishingMs: number
  readonly delivered: number
  /** From `publish` to the handler, in milliseconds. */
  readonly latenciesMs: readonly number[]
  readonly cpuMs: number
  /** On all sockets, encryption and framing included. */
  readonly sentBytes: number
}

export type Report =
  | { readonly kind: 'ready'; readonly addresses: readonly string[] }
  | { readonly kind: 'connected' }
  | { readonly kind: 'isReset' }
  /** Everything came, or no more comes. */
  | { readonly kind: 'loaded' }
  | { readonly kind: 'counts'; readonly counts: Counts }

const TIME_BYTES = 8

/** Bytes that no compression makes smaller, with the time of day in front. */
export function stampedBody(bytes: number): Uint8Array {
  const body = crypto.getRandomValues(new Uint8Array(Math.min(bytes, 65_536)))
  const whole = new Uint8Array(bytes)
  for (let at = 0; at < bytes; at += body.length) whole.set(body.subarray(0, bytes - at), at)
  new DataView(whole.buffer).setFloat64(0, now())
  return whole
}

/** How old a stamped body is, in milliseconds; also one of another process on this machine. */
export function ageMs(body: Uint8Array): number {
  return now() - new DataView(body.buffer, body.byteOffset, TIME_BYTES).getFloat64(0)
}

function now(): number {
  return performance.timeOrigin + performance.now()
}
