/**
 * How many rows an answer has. Counted in its text, which is there already.
 * @module
 */

/** @returns rows of solutions; statements of graphs in line form; 1 for a truth value and forms that are not counted. */
export function countRows(text: string, mediaType: string): number {
  switch (mediaType) {
    case 'application/sparql-results+json':
      return countJsonBindings(text)
    case 'application/sparql-results+xml':
      return countOf(text, '<result>')
    case 'text/csv':
      return countCsvLines(text) - 1
    case 'text/tab-separated-values':
      return countOf(text, '\n') - 1
    case 'application/n-triples':
    case 'application/n-quads':
      return countOf(text, '\n')
    default:
      return 1
  }
}

function countOf(text: string, part: string): number {
  let count = 0
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count++
  return count
}

const [QUOTE, BACKSLASH, OPEN, CLOSE, LINE_FEED] = [0x22, 0x5c, 0x7b, 0x7d, 0x0a]
/** Of a row: the answer, its `results`, the row. */
const ROW_DEPTH = 3

function countJsonBindings(text: string): number {
  let rows = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === OPEN && ++depth === ROW_DEPTH) rows++
    else if (code === CLOSE) depth--
  }
  return rows
}

function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH) at++
    else if (code === QUOTE) return at
  }
  return text.length
}

/** Quoted fields may hold line ends. */
function countCsvLines(text: string): number {
  let lines = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) quoted = !quoted
    else if (code === LINE_FEED && !quoted) lines++
  }
  return lines
}
