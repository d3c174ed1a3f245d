/**
 * The application's message kinds, one table.
 * @module
 */
import { assert } from '@althing/base'
import type { Lane } from './lane.ts'

/** The largest message of any kind (PO-6). */
export const MESSAGE_BYTES_MAX = 10 * 1024 * 1024
const KIND_ID_MAX = 127
/** 160 to 223 the network's own services', 224 to 239 its notices of gossip; 128 to 159 are the session's. */
const OWN_KIND_IDS = { min: 160, max: 239 }

/**
 * How gossip spreads. `tree`: each message is pushed along a spanning tree and announced beside it, the least traffic.
 * `flood`: to all direct peers at once, relayed to those who turn out to need it; the least latency.
 */
export type Spreading = 'tree' | 'flood'

export interface KindSpec {
  /** 1 to 127; the number on the wire. */
  readonly id: number
  readonly lane: Lane
  /** Of a body, of a request and of its answer alike; at most `MESSAGE_BYTES_MAX`. */
  readonly maxBytes: number
  /** Relayed by everyone to everyone, once judged. `true`: `flood` in the critical lane, `tree` in the others. */
  readonly gossip?: boolean | Spreading
  /** False for what is compressed or encrypted already. True by default; critical messages never are. */
  readonly compress?: boolean
}

export interface Kind extends Required<Omit<KindSpec, 'gossip'>> {
  readonly name: string
  readonly gossip: boolean
  /** Of gossip. */
  readonly spreading: Spreading
}

export interface KindTable {
  readonly byName: ReadonlyMap<string, Kind>
  readonly byId: ReadonlyMap<number, Kind>
}

type KindSpecs = Readonly<Record<string, KindSpec>>

/** @param own the kinds of the network's own parts. */
export function kindTable(specs: KindSpecs, own: KindSpecs = {}): KindTable {
  const byName = new Map<string, Kind>()
  const byId = new Map<number, Kind>()
  const add = (name: string, spec: KindSpec, ids: { readonly min: number; readonly max: number }): void => {
    const { id, maxBytes } = spec
    assert(
      Number.isInteger(id) && id >= ids.min && id <= ids.max,
      `kind ${name}: id ${id} is not ${ids.min} to ${ids.max}`,
    )
    assert(!byName.has(name), `kind ${name}: the name is taken`)
    assert(!byId.has(id), `kind ${name}: id ${id} is taken by ${byId.get(id)?.name}`)
    assert(
      Number.isInteger(maxBytes) && maxBytes >= 0 && maxBytes <= MESSAGE_BYTES_MAX,
      `kind ${name}: maxBytes ${maxBytes} is not 0 to ${MESSAGE_BYTES_MAX}`,
    )
    const { gossip = false } = spec
    const byDefault = spec.lane === 'critical' ? 'flood' : 'tree'
    const spreading = typeof gossip === 'string' ? gossip : byDefault
    const kind = { compress: true, ...spec, name, gossip: gossip !== false, spreading } as const
    byName.set(name, kind)
    byId.set(id, kind)
  }
  for (const [name, spec] of Object.entries(specs)) add(name, spec, { min: 1, max: KIND_ID_MAX })
  for (const [name, spec] of Object.entries(own)) add(name, spec, OWN_KIND_IDS)
  return { byName, byId }
}
