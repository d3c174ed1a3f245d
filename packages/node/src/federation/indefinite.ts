/**
 * Queries whose answer does not follow from the graphs alone. Pure.
 * @module
 */
import { Parser } from 'sparqljs'

const OPERATIONS: ReadonlySet<string> = new Set(['rand', 'now', 'uuid', 'struuid', 'bnode'])
const AGGREGATES: ReadonlySet<string> = new Set(['sample', 'group_concat'])

/**
 * Why two honest nodes may answer a query differently; null when they do not, but for rows that ORDER BY holds equal
 * at the edge of a LIMIT, and for sums of doubles.
 */
export function whyIndefinite(query: string): string | null {
  try {
    return whyOf(new Parser({ skipValidation: true }).parse(query))
  } catch {
    return 'it is not read here as SPARQL 1.1'
  }
}

function whyOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null
  const node = value as Readonly<Record<string, unknown>>
  const { type, operator, aggregation } = node
  if (type === 'operation' && OPERATIONS.has(String(operator).toLowerCase()))
    return `${String(operator).toUpperCase()}()`
  if (type === 'aggregate' && AGGREGATES.has(String(aggregation).toLowerCase())) {
    return `${String(aggregation).toUpperCase()}, which takes values in no order`
  }
  const isCut = node['limit'] !== undefined || node['offset'] !== undefined
  if (isCut && node['order'] === undefined) return 'LIMIT or OFFSET without ORDER BY'
  for (const inner of Object.values(node)) {
    const why = whyOf(inner)
    if (why !== null) return why
  }
  return null
}
