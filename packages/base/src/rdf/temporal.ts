/**
 * Canonical forms of XML Schema's dates, times and durations: no zeros at the end of seconds, `Z` for an offset of nothing,
 * the next day for 24:00:00, no parts of seconds before the year 2, and durations carried up (sixty seconds are a minute) to days and to years.
 * @module
 */

const YEAR = '(-?(?:[1-9][0-9]{3,}|0[0-9]{3}))'
const MONTH = '(0[1-9]|1[0-2])'
const DAY = '(0[1-9]|[12][0-9]|3[01])'
const TIME = String.raw`((?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?|24:00:00(?:\.0+)?)`
const ZONE = '(Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?'

const DATE_TIME = new RegExp(`^${YEAR}-${MONTH}-${DAY}T${TIME}${ZONE}$`)
const DATE = new RegExp(`^${YEAR}-${MONTH}-${DAY}${ZONE}$`)
const TIME_OF_DAY = new RegExp(`^${TIME}${ZONE}$`)
const YEAR_MONTH = new RegExp(`^${YEAR}-${MONTH}${ZONE}$`)
const YEAR_ALONE = new RegExp(`^${YEAR}${ZONE}$`)
const MONTH_DAY = new RegExp(`^--${MONTH}-${DAY}${ZONE}$`)
const MONTH_ALONE = new RegExp(`^--${MONTH}${ZONE}$`)
const DAY_ALONE = new RegExp(`^---${DAY}${ZONE}$`)
const DURATION =
  /^(-?)P(?=[0-9T])(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:\.([0-9]+))?S)?)?$/

/**
 * @param type the name of an XML Schema datatype.
 * @returns the text as it is when the type is none of these; null when the text is none of the type's.
 */
export function canonicalTemporal(type: string, lexical: string): string | null {
  switch (type) {
    case 'dateTime':
      return canonicalDateTime(lexical)
    case 'dateTimeStamp':
      return /(?:Z|[+-][0-9]{2}:[0-9]{2})$/.test(lexical) ? canonicalDateTime(lexical) : null
    case 'date': {
      const match = DATE.exec(lexical)
      if (match === null || !isDate(match[1]!, match[2]!, match[3]!)) return null
      return `${showYear(match[1]!)}-${match[2]}-${match[3]}${showZone(match[4])}`
    }
    case 'time': {
      const match = TIME_OF_DAY.exec(lexical)
      return match && showTime(match[1]!) + showZone(match[2])
    }
    case 'gYearMonth': {
      const match = YEAR_MONTH.exec(lexical)
      return match && `${showYear(match[1]!)}-${match[2]}${showZone(match[3])}`
    }
    case 'gYear': {
      const match = YEAR_ALONE.exec(lexical)
      return match && showYear(match[1]!) + showZone(match[2])
    }
    case 'gMonthDay': {
      const match = MONTH_DAY.exec(lexical)
      if (match === null || !isDate('2000', match[1]!, match[2]!)) return null
      return `--${match[1]}-${match[2]}${showZone(match[3])}`
    }
    case 'gMonth': {
      const match = MONTH_ALONE.exec(lexical)
      return match && `--${match[1]}${showZone(match[2])}`
    }
    case 'gDay': {
      const match = DAY_ALONE.exec(lexical)
      return match && `---${match[1]}${showZone(match[2])}`
    }
    case 'duration':
    case 'yearMonthDuration':
    case 'dayTimeDuration':
      return canonicalDuration(type, lexical)
    default:
      return lexical
  }
}

function canonicalDateTime(lexical: string): string | null {
  const match = DATE_TIME.exec(lexical)
  if (match === null) return null
  const [, year, month, day, time, zone] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ]
  if (!isDate(year, month, day)) return null
  // Oxigraph reads another minute from parts of seconds before its first moment, the start of year 1.
  if (Number(year) <= 1 && showTime(time).includes('.')) return null
  const date = time.startsWith('24') ? dayAfter(year, month, day) : `${showYear(year)}-${month}-${day}`
  return `${date}T${showTime(time)}${showZone(zone)}`
}

function showYear(year: string): string {
  return year === '-0000' ? '0000' : year
}

function showTime(time: string): string {
  if (time.startsWith('24')) return '00:00:00'
  const [seconds = '', fraction = ''] = time.split('.')
  const digits = trimZeros(fraction)
  return digits === '' ? seconds : `${seconds}.${digits}`
}

function showZone(zone: string | undefined): string {
  return zone === '+00:00' || zone === '-00:00' ? 'Z' : (zone ?? '')
}

function isDate(year: string, month: string, day: string): boolean {
  return Number(day) <= daysIn(year, month)
}

function daysIn(year: string, month: string): number {
  if (month !== '02') return ['04', '06', '09', '11'].includes(month) ? 30 : 31
  // 10,000 is a multiple of 400: the last four digits tell.
  const digits = Number(year.slice(-4))
  return (digits % 4 === 0 && digits % 100 !== 0) || digits % 400 === 0 ? 29 : 28
}

function dayAfter(year: string, month: string, day: string): string {
  if (Number(day) < daysIn(year, month)) return `${showYear(year)}-${month}-${twoDigits(Number(day) + 1)}`
  if (month !== '12') return `${showYear(year)}-${twoDigits(Number(month) + 1)}-01`
  const next = BigInt(year) + 1n
  const digits = (next < 0n ? -next : next).toString().padStart(4, '0')
  return `${next < 0n ? '-' : ''}${digits}-01-01`
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}

function canonicalDuration(type: string, lexical: string): string | null {
  const match = DURATION.exec(lexical)
  if (match === null) return null
  const [, sign, years, months, days, hours, minutes, seconds, fraction] = match
  const hasMonths = years !== undefined || months !== undefined
  const hasDays = [days, hours, minutes, seconds].some((part) => part !== undefined)
  if ((type === 'yearMonthDuration' && hasDays) || (type === 'dayTimeDuration' && hasMonths)) return null
  const allMonths = 12n * BigInt(years ?? 0) + BigInt(months ?? 0)
  const allSeconds =
    86_400n * BigInt(days ?? 0) +
    3600n * BigInt(hours ?? 0) +
    60n * BigInt(minutes ?? 0) +
    BigInt(seconds ?? 0)
  const text = showMonths(allMonths) + showSeconds(allSeconds, trimZeros(fraction ?? ''))
  if (text === '') return type === 'yearMonthDuration' ? 'P0M' : 'PT0S'
  return `${sign}P${text}`
}

function showMonths(months: bigint): string {
  return part(months / 12n, 'Y') + part(months % 12n, 'M')
}

function showSeconds(all: bigint, fraction: string): string {
  const seconds = all % 60n
  const shown = fraction === '' ? part(seconds, 'S') : `${seconds}.${fraction}S`
  const time = part((all / 3600n) % 24n, 'H') + part((all / 60n) % 60n, 'M') + shown
  return part(all / 86_400n, 'D') + (time === '' ? '' : `T${time}`)
}

function part(count: bigint, unit: string): string {
  return count === 0n ? '' : `${count}${unit}`
}

/** `digits` without the zeros at its end. */
export function trimZeros(digits: string): string {
  let end = digits.length
  while (end > 0 && digits[end - 1] === '0') end--
  return digits.slice(0, end)
}
