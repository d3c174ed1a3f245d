/**
 * Reads requests about peers: each refusal names what was found and what was expected.
 * @module
 */
import type { NodeType, PeerQuery } from '@althing/network'
import { ApiFault } from './answer.ts'
import { readBoolean } from './parameters.ts'

export interface PeersQuerystring {
  readonly connected?: string
  readonly feature?: string
  readonly node_type?: string
  readonly label?: string
  readonly max_latency_ms?: string
  readonly min_reputation?: string
}

const NODE_TYPES: readonly NodeType[] = ['authority', 'full', 'light']

/** The query is null when nothing is asked for. */
export function readPeerQuery(given: PeersQuerystring): {
  readonly connected: boolean | undefined
  readonly query: PeerQuery | null
} {
  const connected =
    given.connected === undefined ? undefined : readBoolean('connected', given.connected, true)
  const { feature, label } = given
  const nodeType = NODE_TYPES.find((type) => type === given.node_type)
  if (given.node_type !== undefined && nodeType === undefined) {
    throw invalid('node_type', given.node_type, `one of ${NODE_TYPES.join(', ')}`)
  }
  const maxLatencyMs = readNumber('max_latency_ms', given.max_latency_ms)
  const minReputation = readNumber('min_reputation', given.min_reputation)
  const query = {
    ...(feature !== undefined && { feature }),
    ...(label !== undefined && { label }),
    ...(nodeType !== undefined && { nodeType }),
    ...(maxLatencyMs !== undefined && { maxLatencyMs }),
    ...(minReputation !== undefined && { minReputation }),
  }
  return { connected, query: Object.keys(query).length === 0 ? null : query }
}

export interface ReadBan {
  readonly target: string
  readonly reason?: string
  readonly by?: string
  readonly forMs?: number
}

/** @param body `BanJson`; `peer_id` is another name for `target`. */
export function readBan(body: unknown): ReadBan {
  const { target, peer_id, reason, by, duration_ms } = fieldsOf(body)
  const banned = target ?? peer_id
  if (typeof banned !== 'string') throw malformed('target', 'a peer id, an IP address or a block of them')
  if (reason !== undefined && typeof reason !== 'string') throw malformed('reason', 'text')
  if (by !== undefined && typeof by !== 'string') throw malformed('by', 'text')
  if (duration_ms !== undefined && !(Number.isSafeInteger(duration_ms) && (duration_ms as number) > 0)) {
    throw malformed('duration_ms', 'a whole number of milliseconds above 0; none bans for good')
  }
  return {
    target: banned,
    ...(reason !== undefined && { reason }),
    ...(by !== undefined && { by }),
    ...(duration_ms !== undefined && { forMs: duration_ms as number }),
  }
}

export function readPeerAddress(body: unknown): string {
  const { address } = fieldsOf(body)
  if (typeof address === 'string') return address
  throw malformed('address', 'a multiaddr or host:port')
}

function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null) return body as Record<string, unknown>
  throw new ApiFault('BODY_MALFORMED', 'expected an object of JSON')
}

function readNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value)) return value
  throw invalid(name, text, 'a number')
}

function malformed(field: string, expected: string): ApiFault {
  return new ApiFault('BODY_MALFORMED', `${field}: expected ${expected}`)
}

function invalid(name: string, found: string, expected: string): ApiFault {
  return new ApiFault('PARAMETER_INVALID', `${name}: found ${found.slice(0, 80)}, expected ${expected}`, {
    parameter: name,
  })
}
