/**
 * The application's message kinds, one table.
 * @module
 */
import { assert } from '@althing/base'
import type { Lane } from './lane.ts'

/** The largest message of any kind (PO-6). */
export const MESSAGE_BYTES_MAX = 10 * 1024 * 1024
const KIND_ID_MAX = 127
/** Of the network's own services; 128 to 159 are the session's. */
const SERVICE_KIND_IDS = { min: 160, max: 223 }

export interface KindSpec {
  /** 1 to 127; the number on the wire. */
  readonly id: number
  readonly lane: Lane
  /** Of a body, of a request and of its answer alike; at most `MESSAGE_BYTES_MAX`. */
  readonly maxBytes: number
  /** Relayed by everyone to everyone, once judged. */
  readonly gossip?: boolean
}

export interface Kind extends Required<KindSpec> {
  readonly name: string
}

export interface KindTable {
  readonly byName: ReadonlyMap<string, Kind>
  readonly byId: ReadonlyMap<number, Kind>
}

type KindSpecs = Readonly<Record<string, KindSpec>>

/** @param services the kinds of the network's own services. */
export function kindTable(specs: KindSpecs, services: KindSpecs = {}): KindTable {
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
    const kind = { gossip: false, ...spec, name }
    byName.set(name, kind)
    byId.set(id, kind)
  }
  for (const [name, spec] of Object.entries(specs)) add(name, spec, { min: 1, max: KIND_ID_MAX })
  for (const [name, spec] of Object.entries(services)) add(name, spec, SERVICE_KIND_IDS)
  return { byName, byId }
}
