/**
 * The SSZ vocabulary of all wire objects (consensus-specs, simple-serialize): canonical, and every list has a limit,
 * so decoding is bounded before anything is allocated.
 * @module
 */
import { ByteListType, ByteVectorType, UintBigintType, UintNumberType } from '@chainsafe/ssz'
import type { Type } from '@chainsafe/ssz'
import { fail, ok } from '../result.ts'
import type { Result } from '../result.ts'

/**
 * u64 on the wire, a number in types: heights, views, nonces, milliseconds.
 * Values above 2^53 − 1 are refused when decoded (decision 001).
 */
class CounterType extends UintNumberType {
  constructor() {
    super(8)
  }

  override value_serializeToBytes(
    output: { uint8Array: Uint8Array; dataView: DataView },
    offset: number,
    value: number,
  ): number {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a counter: ${value}`)
    return super.value_serializeToBytes(output, offset, value)
  }

  override value_deserializeFromBytes(
    data: { uint8Array: Uint8Array; dataView: DataView },
    start: number,
    end: number,
  ): number {
    const value = super.value_deserializeFromBytes(data, start, end)
    if (!Number.isSafeInteger(value)) throw new RangeError('counter above 2^53 - 1')
    return value
  }
}

export const U8 = new UintNumberType(1)
export const U16 = new UintNumberType(2)
export const U32 = new UintNumberType(4)
export const Counter = new CounterType()
/** Amounts of money: u64 as bigint. */
export const Amount = new UintBigintType(8)
export const Bytes32 = new ByteVectorType(32)
export const Bytes64 = new ByteVectorType(64)
/**
 * Bytes that are not copied when decoded: they share the memory of what they were decoded from, which must not change
 * afterwards, and keep it alive. For the parts of what is kept as a whole anyway.
 */
class SharedByteList extends ByteListType {
  override value_deserializeFromBytes(
    data: { uint8Array: Uint8Array; dataView: DataView },
    start: number,
    end: number,
  ): Uint8Array {
    if (end - start > this.limitBytes)
      throw new RangeError(`${end - start} bytes; at most ${this.limitBytes} allowed`)
    return data.uint8Array.subarray(start, end)
  }
}

export const bytesWithin = (limit: number): ByteListType => new SharedByteList(limit)
export const bytesUpTo = (limit: number): ByteListType => new ByteListType(limit)

export const AMOUNT_MAX = 0xffff_ffff_ffff_ffffn

/** Decodes untrusted bytes once, at the edge; looks at the size first. Never throws. */
export function decode<T>(type: Type<T>, bytes: Uint8Array, bytesMax: number): Result<T> {
  if (bytes.length > bytesMax) return fail('TOO_LARGE', `${bytes.length} bytes; at most ${bytesMax} allowed`)
  try {
    return ok(type.deserialize(bytes))
  } catch (error) {
    return fail(
      'MALFORMED',
      `not a ${type.typeName}: ${error instanceof Error ? error.message : 'unreadable'}`,
    )
  }
}
