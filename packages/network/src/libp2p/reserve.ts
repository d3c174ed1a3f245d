/**
 * Asks a relay for a place (circuit relay v2, section "Reservation"). The client that comes with libp2p is not used: it forgets,
 * without a word, questions that wait when another is answered, and never asks a relay again to which one dial failed (decision 009).
 * @module
 */
import type { Connection } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { RELAY_V2_HOP_CODEC } from '@libp2p/circuit-relay-v2'

const RESERVE = Uint8Array.of(0x08, 0x00)
const TYPE_STATUS = 2
const STATUS_OK = 100
/** A reservation carries the relay's addresses and a signed voucher. */
const ANSWER_BYTES_MAX = 16 * 1024
/** Numbers of fields in `HopMessage`, and in its `Reservation`. */
const FIELD = { type: 1, reservation: 3, status: 5, expire: 1 } as const

/**
 * @returns when the place ends, in wall-clock milliseconds by the relay's clock.
 * @throws when the relay refuses, does not relay, or does not answer in time.
 */
export async function reserve(connection: Connection, signal: AbortSignal): Promise<number> {
  const stream = await connection.newStream(RELAY_V2_HOP_CODEC, { signal })
  try {
    const messages = lpStream(stream, { maxDataLength: ANSWER_BYTES_MAX })
    await messages.write(RESERVE, { signal })
    const answer = readFields((await messages.read({ signal })).subarray())
    if (answer.numbers.get(FIELD.type) !== TYPE_STATUS) throw new Error('the relay answered something else')
    const status = answer.numbers.get(FIELD.status)
    if (status !== STATUS_OK) throw new Error(`the relay refused with status ${status}`)
    const reservation = readFields(answer.messages.get(FIELD.reservation) ?? new Uint8Array(0))
    return (reservation.numbers.get(FIELD.expire) ?? 0) * 1000
  } finally {
    stream.abort(new Error('done'))
  }
}

interface Fields {
  readonly numbers: ReadonlyMap<number, number>
  readonly messages: ReadonlyMap<number, Uint8Array>
}

/** The varints and the length-delimited fields of a protobuf message; of a repeated one, the last. @throws when it is none. */
export function readFields(bytes: Uint8Array): Fields {
  const numbers = new Map<number, number>()
  const messages = new Map<number, Uint8Array>()
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; scale < 2 ** 53; scale *= 128) {
      const byte = bytes[at++]
      if (byte === undefined) break
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw new Error('not a varint')
  }
  while (at < bytes.length) {
    const tag = varint()
    const field = Math.floor(tag / 8)
    if (tag % 8 === 0) {
      numbers.set(field, varint())
    } else if (tag % 8 === 2) {
      const length = varint()
      if (length > bytes.length - at) throw new Error('a field is longer than its message')
      messages.set(field, bytes.subarray(at, at + length))
      at += length
    } else {
      throw new Error(`wire type ${tag % 8}`)
    }
  }
  return { numbers, messages }
}
