/**
 * The order of literals, for `sh:minInclusive` and its like: numbers, and dates and times of one kind (with a time zone, or
 * without). Exact, but where a double or a float takes part. Pure.
 * @module
 */
import { parseTerm } from '@althing/base'

const XSD = 'http://www.w3.org/2001/XMLSchema#'
const MOMENT = /^(-?\d{4,})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?$/

type Comparable =
  | {
      readonly kind: 'exact'
      readonly whole: bigint
      readonly fraction: string
      readonly isNegative: boolean
    }
  | { readonly kind: 'double'; readonly value: number }
  | {
      readonly kind: 'zoned' | 'local' | 'zonedDate' | 'localDate'
      readonly seconds: bigint
      readonly fraction: string
    }

/** Whether literals like this one have an order here. @param term canonical. */
export function isComparable(term: string): boolean {
  return comparable(term) !== null
}

/** @returns below 0, 0 or above 0; null when the two have no order. Terms are canonical. */
export function compareTerms(a: string, b: string): number | null {
  const [left, right] = [comparable(a), comparable(b)]
  if (left === null || right === null) return null
  if (isNumber(left) && isNumber(right)) {
    if (left.kind === 'exact' && right.kind === 'exact') return compareExact(left, right)
    const difference = toDouble(left) - toDouble(right)
    if (!Number.isNaN(difference)) return difference
    return toDouble(left) === toDouble(right) ? 0 : null
  }
  if (isNumber(left) || isNumber(right) || left.kind !== right.kind) return null
  if (left.seconds !== right.seconds) return left.seconds < right.seconds ? -1 : 1
  return compareFractions(left.fraction, right.fraction)
}

type Numeric = Extract<Comparable, { kind: 'exact' | 'double' }>

function isNumber(value: Comparable): value is Numeric {
  return value.kind === 'exact' || value.kind === 'double'
}

function comparable(canonical: string): Comparable | null {
  const term = parseTerm(canonical)
  if (term.kind !== 'literal' || !term.datatype.startsWith(XSD)) return null
  const { text } = term
  switch (term.datatype.slice(XSD.length)) {
    case 'integer':
    case 'decimal': {
      const [whole = '0', fraction = ''] = text.replace('-', '').split('.')
      return { kind: 'exact', whole: BigInt(whole), fraction, isNegative: text.startsWith('-') }
    }
    case 'double':
    case 'float':
      return {
        kind: 'double',
        value: text.endsWith('INF') ? Number(text.replace('INF', 'Infinity')) : Number(text),
      }
    case 'dateTime':
      return moment(text, 'zoned', 'local')
    case 'date':
      return moment(text, 'zonedDate', 'localDate')
    default:
      return null
  }
}

function compareExact(
  a: Extract<Numeric, { kind: 'exact' }>,
  b: Extract<Numeric, { kind: 'exact' }>,
): number {
  if (a.isNegative !== b.isNegative) return a.isNegative ? -1 : 1
  const magnitude =
    a.whole === b.whole ? compareFractions(a.fraction, b.fraction) : a.whole < b.whole ? -1 : 1
  return a.isNegative ? -magnitude : magnitude
}

/** Digits after the point, without zeros at the end. */
function compareFractions(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function toDouble(value: Numeric): number {
  if (value.kind === 'double') return value.value
  return Number(`${value.isNegative ? '-' : ''}${value.whole}.${value.fraction || '0'}`)
}

function moment<Zoned extends 'zoned' | 'zonedDate', Local extends 'local' | 'localDate'>(
  text: string,
  zoned: Zoned,
  local: Local,
): { kind: Zoned | Local; seconds: bigint; fraction: string } | null {
  const match = MOMENT.exec(text)
  if (match === null) return null
  const [, year = '', month, day, hours = 0, minutes = 0, seconds = 0, fraction = '', zone] = match
  const days = dayNumber(BigInt(year), Number(month), Number(day))
  const ofDay = 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds)
  return {
    kind: zone === undefined ? local : zoned,
    seconds: 86_400n * days + BigInt(ofDay - offsetSeconds(zone)),
    fraction,
  }
}

function offsetSeconds(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0
  const seconds = 3600 * Number(zone.slice(1, 3)) + 60 * Number(zone.slice(4, 6))
  return zone.startsWith('-') ? -seconds : seconds
}

/** Days since a fixed one, in the Gregorian calendar taken backwards and forwards; years begin in March here. */
function dayNumber(year: bigint, month: number, day: number): bigint {
  const y = month <= 2 ? year - 1n : year
  const era = (y >= 0n ? y : y - 399n) / 400n
  const ofEra = y - 400n * era
  const ofYear = BigInt(Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1)
  return 146_097n * era + 365n * ofEra + ofEra / 4n - ofEra / 100n + ofYear
}
