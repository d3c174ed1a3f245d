/**
 * A trace as a picture (SVG): one column for each level, things as boxes, steps as lines. Pure.
 * @module
 */
import type { TraceJson, TraceThingJson } from '@althing/client'
import { inLine } from '../printable.ts'
import { nameOf } from './tree-text.ts'

const [BOX_WIDTH, BOX_HEIGHT, COLUMN_GAP, ROW_GAP, MARGIN] = [260, 54, 90, 18, 24]
const LINE_CHARACTERS_MAX = 35
const FILL = { entity: '#e8f1fb', event: '#fdf1dc' } as const

interface Place {
  readonly x: number
  readonly y: number
}

export function traceSvg(trace: TraceJson): string {
  const columns = [...Map.groupBy(trace.things, ({ depth }) => depth).entries()].sort(([a], [b]) => a - b)
  const places = new Map<string, Place>()
  for (const [depth, things] of columns) {
    for (const [row, { iri }] of things.entries()) {
      places.set(iri, {
        x: MARGIN + depth * (BOX_WIDTH + COLUMN_GAP),
        y: MARGIN + row * (BOX_HEIGHT + ROW_GAP),
      })
    }
  }
  const width = 2 * MARGIN + columns.length * (BOX_WIDTH + COLUMN_GAP) - COLUMN_GAP
  const rows = Math.max(1, ...columns.map(([, things]) => things.length))
  const height = 2 * MARGIN + rows * (BOX_HEIGHT + ROW_GAP) - ROW_GAP
  const lines = trace.steps.flatMap(({ from, to }) => {
    const [start, end] = [places.get(from), places.get(to)]
    return start === undefined || end === undefined ? [] : [line(start, end)]
  })
  const boxes = trace.things.map((thing) => box(thing, places.get(thing.iri)!))
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<title>${escapeXml(`Trace of ${trace.root}, ${trace.direction === 'back' ? 'backwards' : 'forwards'}`)}</title>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#667"/></marker></defs>
<rect width="100%" height="100%" fill="#fff"/>
${[...lines, ...boxes].join('\n')}
</svg>
`
}

function line(start: Place, end: Place): string {
  const isBack = end.x <= start.x
  const [x1, x2] = isBack ? [start.x, end.x + BOX_WIDTH] : [start.x + BOX_WIDTH, end.x]
  const [y1, y2] = [start.y + BOX_HEIGHT / 2, end.y + BOX_HEIGHT / 2]
  const middle = (x1 + x2) / 2
  return `<path d="M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}" fill="none" stroke="#667" marker-end="url(#arrow)"/>`
}

function box({ iri, label, what, agents }: TraceThingJson, { x, y }: Place): string {
  const isEvent = what !== null && /Event|Activity/.test(what)
  const texts = [
    label ?? nameOf(iri),
    what ?? (label === null ? '' : nameOf(iri)),
    agents.map(nameOf).join(', '),
  ]
  const lines = texts
    .filter((text) => text !== '')
    .map((text, i) => {
      const style = i === 0 ? 'font-weight="600"' : 'fill="#556"'
      return `<text x="${x + 10}" y="${y + 17 + i * 15}" ${style}>${escapeXml(shorten(text))}</text>`
    })
  return `<g><title>${escapeXml(iri)}</title><rect x="${x}" y="${y}" width="${BOX_WIDTH}" height="${BOX_HEIGHT}" rx="6" fill="${isEvent ? FILL.event : FILL.entity}" stroke="#99a"/>${lines.join('')}</g>`
}

/** Of an IRI the end says more. */
function shorten(text: string): string {
  if (text.length <= LINE_CHARACTERS_MAX) return text
  return text.includes('://')
    ? `…${text.slice(1 - LINE_CHARACTERS_MAX)}`
    : `${text.slice(0, LINE_CHARACTERS_MAX - 1)}…`
}

function escapeXml(text: string): string {
  return inLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
