/**
 * Canonical lexical forms of literals (XML Schema 1.1 part 2), in the form that Oxigraph keeps: doubles without an
 * exponent, `1` for the decimal `1.00`, durations carried up to their largest units. A literal enters the state in this
 * form only, so that what a SPARQL store gives back is what was signed.
 * @module
 */
import { canonicalTemporal, trimZeros } from './temporal.ts'

const XSD = 'http://www.w3.org/2001/XMLSchema#'
export const XSD_STRING = `${XSD}string`
const XSD_INTEGER = `${XSD}integer`
const XSD_DATE_TIME = `${XSD}dateTime`

/** The least and the greatest value; null: no bound. */
type Bounds = readonly [bigint | null, bigint | null]

/** Integer and the types derived from it. */
const INTEGERS: ReadonlyMap<string, Bounds> = new Map<string, Bounds>([
  ['integer', [null, null]],
  ['long', [-(2n ** 63n), 2n ** 63n - 1n]],
  ['int', [-(2n ** 31n), 2n ** 31n - 1n]],
  ['short', [-(2n ** 15n), 2n ** 15n - 1n]],
  ['byte', [-128n, 127n]],
  ['nonNegativeInteger', [0n, null]],
  ['positiveInteger', [1n, null]],
  ['nonPositiveInteger', [null, 0n]],
  ['negativeInteger', [null, -1n]],
  ['unsignedLong', [0n, 2n ** 64n - 1n]],
  ['unsignedInt', [0n, 2n ** 32n - 1n]],
  ['unsignedShort', [0n, 2n ** 16n - 1n]],
  ['unsignedByte', [0n, 255n]],
])

const INTEGER = /^([+-]?)0*([1-9][0-9]*|0)$/
const DECIMAL = /^([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))$/
const DOUBLE = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/

/** The datatype and the text of a literal without a language tag. */
export interface TypedText {
  /** Datatype IRI. */
  readonly datatype: string
  readonly text: string
}

/**
 * The one form in which this literal may be written. Types derived from integer become integer, `dateTimeStamp` becomes
 * `dateTime`: a store keeps their values only. A datatype that is not one of XML Schema's numbers, booleans, dates, times
 * and durations takes any text as it is.
 * @returns null when `text` is no literal of that datatype.
 */
export function canonicalLiteral({ datatype, text }: TypedText): TypedText | null {
  if (!datatype.startsWith(XSD)) return { datatype, text }
  const name = datatype.slice(XSD.length)
  const bounds = INTEGERS.get(name)
  const canonical = bounds === undefined ? canonicalText(name, text) : canonicalInteger(text, bounds)
  if (canonical === null) return null
  if (bounds !== undefined) return { datatype: XSD_INTEGER, text: canonical }
  return { datatype: name === 'dateTimeStamp' ? XSD_DATE_TIME : datatype, text: canonical }
}

/** @param type the name of an XML Schema datatype. */
function canonicalText(type: string, text: string): string | null {
  switch (type) {
    case 'boolean':
      if (text === '1') return 'true'
      if (text === '0') return 'false'
      return text === 'true' || text === 'false' ? text : null
    case 'decimal':
      return canonicalDecimal(text)
    case 'double':
      return canonicalDouble(text)
    case 'float':
      return canonicalFloat(text)
    default:
      return canonicalTemporal(type, text)
  }
}

function canonicalInteger(lexical: string, [least, greatest]: Bounds): string | null {
  const match = INTEGER.exec(lexical)
  if (match === null) return null
  const digits = match[2]!
  const canonical = match[1] === '-' && digits !== '0' ? `-${digits}` : digits
  if (least === null && greatest === null) return canonical
  const value = BigInt(canonical)
  return (least !== null && value < least) || (greatest !== null && value > greatest) ? null : canonical
}

function canonicalDecimal(lexical: string): string | null {
  const match = DECIMAL.exec(lexical)
  if (match === null) return null
  const whole = (match[2] ?? '').replace(/^0+/, '') || '0'
  const fraction = trimZeros(match[3] ?? match[4] ?? '')
  if (whole === '0' && fraction === '') return '0'
  return `${match[1] === '-' ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

function canonicalDouble(lexical: string): string | null {
  const special = canonicalSpecial(lexical)
  if (special !== null) return special
  if (!DOUBLE.test(lexical)) return null
  const value = Number(lexical)
  return showNumber(value, shortestDouble)
}

function canonicalFloat(lexical: string): string | null {
  const special = canonicalSpecial(lexical)
  if (special !== null) return special
  if (!DOUBLE.test(lexical)) return null
  return showNumber(nearestFloat(lexical), shortestFloat)
}

function canonicalSpecial(lexical: string): string | null {
  if (lexical === '+INF') return 'INF'
  return lexical === 'INF' || lexical === '-INF' || lexical === 'NaN' ? lexical : null
}

/**
 * The fewest digits that are read as this value again; of two that are as near, the greater one. That is the rule of
 * `toExponential`, while `String` takes the even one.
 */
function shortestDouble(value: number): string {
  const text = String(value)
  const digits = trimZeros(text.replace(/e.*|\./g, '').replace(/^0+/, '')).length
  const greater = value.toExponential(Math.max(digits - 1, 0))
  return Number(greater) === value ? greater : text
}

/** As `shortestDouble`, in single precision. At a power of two the nearest digits can be too low, and the next ones fit. */
function shortestFloat(value: number): string {
  for (let after = 0; after < 8; after++) {
    const nearest = value.toExponential(after)
    if (Math.fround(Number(nearest)) === value) return nearest
    const [mantissa = '', exponent = ''] = nearest.split('e')
    const next = `${Number(mantissa.replace('.', '')) + 1}e${Number(exponent) - after}`
    if (Math.fround(Number(next)) === value) return next
  }
  return value.toExponential(8)
}

/** The single-precision value nearest to a decimal: reading it in double precision first can round it to half way. */
function nearestFloat(decimal: string): number {
  const double = Number(decimal)
  const float = Math.fround(double)
  const other = 2 * double - float
  const isHalfWay = float !== double && Number.isFinite(float) && Math.fround(other) === other
  if (!isHalfWay) return float
  const order = compareMagnitude(decimal, Math.abs(double))
  if (order === 0) return float
  return order > 0 === Math.abs(other) > Math.abs(float) ? other : float
}

/** Of the decimal without its sign, and a number that is half way between two of single precision. */
function compareMagnitude(decimal: string, number: number): number {
  const [mantissa = '', exponent = '0'] = decimal.replace(/^[+-]/, '').toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const scale = Number(exponent) - fraction.length
  // Half of the least step of single precision is 2^-150.
  const digits = BigInt(`0${whole}${fraction}`) * 10n ** BigInt(Math.max(scale, 0)) * 2n ** 150n
  const scaled = BigInt(number * 2 ** 150) * 10n ** BigInt(Math.max(-scale, 0))
  return digits === scaled ? 0 : digits > scaled ? 1 : -1
}

/** @param shortest gives digits, perhaps with an exponent. */
function showNumber(value: number, shortest: (magnitude: number) => string): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (!Number.isFinite(value)) return `${sign}INF`
  const [mantissa = '', exponent = '0'] = shortest(Math.abs(value)).split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0')
  const at = Math.max(point, 1)
  const after = trimZeros(padded.slice(at))
  const before = padded.slice(0, at).replace(/^0+(?=[0-9])/, '')
  return `${sign}${before}${after === '' ? '' : `.${after}`}`
}
