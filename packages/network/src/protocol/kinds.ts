/**
 * The application's message kinds, one table.
 * @module
 */
import { assert } from '@althing/base'
import type { Lane } from './lane.ts'

/** The largest message of any kind (PO-6). */
export const MESSAGE_BYTES_MAX = 10 * 1024 * 1024
const KIND_ID_MAX = 127

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

export function kindTable(specs: Readonly<Record<string, KindSpec>>): KindTable {
  const byName = new Map<string, Kind>()
  const byId = new Map<number, Kind>()
  for (const [name, spec] of Object.entries(specs)) {
    const { id, maxBytes } = spec
    assert(
      Number.isInteger(id) && id >= 1 && id <= KIND_ID_MAX,
      `kind ${name}: id ${id} is not 1 to ${KIND_ID_MAX}`,
    )
    assert(!byId.has(id), `kind ${name}: id ${id} is taken by ${byId.get(id)?.name}`)
    assert(
      Number.isInteger(maxBytes) && maxBytes >= 0 && maxBytes <= MESSAGE_BYTES_MAX,
      `kind ${name}: maxBytes ${maxBytes} is not 0 to ${MESSAGE_BYTES_MAX}`,
    )
    const kind = { gossip: false, ...spec, name }
    byName.set(name, kind)
    byId.set(id, kind)
  }
  return { byName, byId }
}
