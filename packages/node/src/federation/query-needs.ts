/**
 * Which statements of which graphs a query can touch. Pure.
 * What SPARQL makes of a dataset depends on it only by the matches of triple patterns and paths, and by the names of its
 * graphs (SPARQL 1.1, section 18.6). So a query has the same answer over all statements as over those that its
 * patterns match, and that is what is asked of other nodes.
 * Whatever is not understood here widens what is needed: at worst all statements of all graphs.
 * @module
 */
import { escapeText, isIri } from '@althing/base'
import { Parser } from 'sparqljs'
import type { Node, Path, Query, Term, Triple } from 'sparqljs'
import { distinctPatterns, EVERYTHING, objectTerm } from './pattern.ts'
import type { Pattern } from './pattern.ts'

/** Of a query and the protocol's parameters. */
export interface Asked {
  readonly query: string
  readonly defaultGraphs: readonly string[] | null
  readonly namedGraphs: readonly string[] | null
  readonly unionDefault: boolean
}

/** `all`: every graph there is. */
type Graphs = 'all' | readonly string[]
type Scope =
  | { readonly kind: 'default' }
  | { readonly kind: 'any' }
  | { readonly kind: 'named'; readonly iri: string }

export interface QueryNeeds {
  /** False: the query is not SPARQL 1.1, and all of everything is needed. */
  readonly isUnderstood: boolean
  /** By IRI, besides those of every graph. Without patterns only the name matters. */
  readonly patternsByGraph: ReadonlyMap<string, readonly Pattern[]>
  /** Of every graph there is; null when all graphs that matter are named. */
  readonly ofEvery: readonly Pattern[] | null
}

/** @param pattern null: only that there is such a graph matters. */
type Found = (scope: Scope, pattern: Pattern | null) => void

/** What VALUES beside a pattern says that a variable can be. */
type Bindings = ReadonlyMap<string, readonly string[]>

const VALUES_MAX = 512
const SAME: Bindings = new Map()

export function needsOf(asked: Asked): QueryNeeds {
  const query = parse(asked.query)
  const found = query === null ? null : patternsIn(query)
  return found === null ? needsOfUnknown(asked) : needsOfPatterns(asked, query, found)
}

/** Of a query that nobody has read. */
export function needsOfUnknown(asked: Asked): QueryNeeds {
  return needsOfPatterns(asked, null, ALL_PATTERNS)
}

const ALL_PATTERNS: readonly FoundPattern[] = [
  { scope: { kind: 'default' }, pattern: EVERYTHING },
  { scope: { kind: 'any' }, pattern: EVERYTHING },
]

interface FoundPattern {
  readonly scope: Scope
  readonly pattern: Pattern | null
}

/** @returns null when the query is nested too deeply to be looked through. */
function patternsIn(query: Query): readonly FoundPattern[] | null {
  const found: FoundPattern[] = []
  try {
    new Walk((scope, pattern) => found.push({ scope, pattern })).query(query)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
  return found
}

/** @param query null when it is not understood. */
function needsOfPatterns(asked: Asked, query: Query | null, found: readonly FoundPattern[]): QueryNeeds {
  const dataset = datasetOf(asked, query)
  let ofEvery: Pattern[] | null = null
  const byGraph = new Map<string, Pattern[]>()
  const add = (graphs: Graphs, pattern: Pattern | null): void => {
    const patterns = pattern === null ? [] : [pattern]
    if (graphs === 'all') ofEvery = [...(ofEvery ?? []), ...patterns]
    else for (const iri of graphs) byGraph.set(iri, [...(byGraph.get(iri) ?? []), ...patterns])
  }
  for (const { scope, pattern } of found) {
    if (scope.kind === 'default') add(dataset.default, pattern)
    else if (scope.kind === 'any') add(dataset.named, pattern)
    else if (dataset.named === 'all' || dataset.named.includes(scope.iri)) add([scope.iri], pattern)
  }
  return {
    isUnderstood: query !== null,
    ofEvery: ofEvery === null ? null : distinctPatterns(ofEvery),
    patternsByGraph: new Map([...byGraph].map(([iri, patterns]) => [iri, distinctPatterns(patterns)])),
  }
}

/** @returns null for what is not read here: Oxigraph may take more than SPARQL 1.1. */
function parse(text: string): Query | null {
  try {
    const query = new Parser({ skipValidation: true }).parse(text)
    return 'queryType' in query ? query : null
  } catch {
    return null
  }
}

function datasetOf(
  { defaultGraphs, namedGraphs, unionDefault }: Asked,
  query: Query | null,
): { readonly default: Graphs; readonly named: Graphs } {
  if (defaultGraphs !== null) return { default: defaultGraphs, named: namedGraphs ?? [] }
  if (query === null) return { default: 'all', named: 'all' }
  const iris = (terms: readonly Term[]): string[] => terms.map(({ value }) => value)
  if (query.from !== undefined) return { default: iris(query.from.default), named: iris(query.from.named) }
  return { default: unionDefault ? 'all' : [], named: 'all' }
}

/** Visits all patterns of a query, wherever they stand, with the graph that is active there. */
class Walk {
  readonly #found: Found

  constructor(found: Found) {
    this.#found = found
  }

  query(query: Query, scope: Scope = { kind: 'default' }): void {
    if (query.queryType === 'DESCRIBE') this.#describe(query, scope)
    for (const [field, value] of Object.entries(query)) {
      if (field !== 'where' && field !== 'template' && field !== 'values') this.#inside(value, scope, SAME)
    }
    // A VALUES after the query restricts its solutions after they were counted or cut off.
    this.#group(query.where ?? [], scope, SAME)
  }

  #describe({ variables = [] }: Query, scope: Scope): void {
    for (const one of variables) {
      const isName = 'termType' in one && one.termType === 'NamedNode'
      this.#found(scope, isName ? { ...EVERYTHING, subject: nameTerm(one.value as string) } : EVERYTHING)
    }
  }

  #group(nodes: readonly Node[], scope: Scope, outer: Bindings): void {
    const bindings = nodes.reduce((known, node) => withValues(known, node), outer)
    for (const node of nodes) this.#node(node, scope, bindings)
  }

  #node(node: Node, scope: Scope, bindings: Bindings): void {
    if (node.type === 'query') return this.query(node as Query, scope)
    const patterns = Array.isArray(node['patterns']) ? (node['patterns'] as readonly Node[]) : []
    switch (node.type) {
      case 'bgp':
        return this.#triples(node['triples'] as readonly Triple[], scope, bindings)
      case 'graph':
        for (const inner of scopesOf(node['name'] as Term, bindings)) {
          this.#found(inner, null)
          this.#group(patterns, inner, bindings)
        }
        return
      case 'union': // what VALUES in one branch says does not bind another one
        for (const branch of patterns) this.#group([branch], scope, bindings)
        return
      case 'filter':
      case 'bind':
        return this.#inside(node['expression'], scope, bindings)
      default:
        this.#group(patterns, scope, bindings)
    }
  }

  /** Patterns in expressions: EXISTS. */
  #inside(value: unknown, scope: Scope, bindings: Bindings): void {
    if (Array.isArray(value)) {
      for (const each of value) this.#inside(each, scope, bindings)
    } else if (typeof value === 'object' && value !== null && !('termType' in value)) {
      const isPattern = 'type' in value && PATTERN_TYPES.has(String(value.type))
      if (isPattern) this.#group([value as Node], scope, bindings)
      else for (const each of Object.values(value)) this.#inside(each, scope, bindings)
    }
  }

  #triples(triples: readonly Triple[], scope: Scope, bindings: Bindings): void {
    const bound = new Set<string>()
    for (const { subject, predicate, object } of triples) {
      if ('termType' in predicate) for (const term of [subject, object]) bound.add(keyOf(term))
    }
    const isAnchor = (term: Term): boolean => isConstant(term) || bound.has(keyOf(term))
    for (const { subject, predicate, object } of triples) {
      if ('termType' in predicate) {
        const [subjects, predicates, objects] = [subject, predicate, object].map((term) =>
          termsOf(term, bindings),
        )
        for (const pattern of product(subjects!, predicates!, objects!)) this.#found(scope, pattern)
      } else {
        // What a path goes through is between its ends, so these bind nothing.
        const predicates = predicatesOf(predicate, isAnchor(subject) || isAnchor(object))
        for (const each of predicates) this.#found(scope, { ...EVERYTHING, predicate: each })
        // Oxigraph leads no path without steps from a term that the graph does not have.
        if (isNullable(predicate)) {
          for (const term of [subject, object].filter(isConstant)) {
            if (term.termType === 'NamedNode') this.#found(scope, { ...EVERYTHING, subject: textOf(term) })
            this.#found(scope, { ...EVERYTHING, object: textOf(term) })
          }
        }
      }
    }
  }
}

const PATTERN_TYPES: ReadonlySet<string> = new Set([
  'bgp',
  'graph',
  'group',
  'optional',
  'union',
  'minus',
  'query',
  'filter',
  'bind',
  'values',
  'service',
])

/** A pattern for each combination; fewer, and wider, when these are many. */
function product(
  subjects: readonly (string | null)[],
  predicates: readonly (string | null)[],
  objects: readonly (string | null)[],
): Pattern[] {
  if (subjects.length * predicates.length * objects.length > VALUES_MAX) {
    return subjects.length <= VALUES_MAX ? product(subjects, [null], [null]) : [EVERYTHING]
  }
  return subjects.flatMap((subject) =>
    predicates.flatMap((predicate) => objects.map((object) => ({ subject, predicate, object }))),
  )
}

/**
 * @param isAnchored one end is a term of the query, or of a statement that is there.
 * @returns predicates that the path follows; null for any.
 */
function predicatesOf(path: Term | Path, isAnchored: boolean): (string | null)[] {
  if ('termType' in path) return [nameTerm(path.value)]
  // A path of no steps leads from every node of the graph to itself, so all statements matter.
  if (path.pathType === '!' || (!isAnchored && isNullable(path))) return [null]
  // Of one that has a step all nodes are ends of steps.
  return path.items.flatMap((item) => predicatesOf(item, true))
}

/** Whether a path may have no steps. */
function isNullable(path: Term | Path): boolean {
  if ('termType' in path || path.pathType === '!') return false
  if (path.pathType === '*' || path.pathType === '?') return true
  return path.pathType === '|' ? path.items.some(isNullable) : path.items.every(isNullable)
}

function scopesOf(name: Term, bindings: Bindings): readonly Scope[] {
  if (name.termType === 'NamedNode') return [{ kind: 'named', iri: name.value }]
  const iris = bindings.get(name.value)?.filter((term) => term.startsWith('<'))
  if (iris === undefined) return [{ kind: 'any' }]
  return iris.map((term) => ({ kind: 'named', iri: term.slice(1, -1) }))
}

/** Null: the chain has no such IRI. */
function nameTerm(iri: string): string | null {
  return isIri(iri) ? `<${iri}>` : null
}

function keyOf({ termType, value }: Term): string {
  return `${termType} ${value}`
}

function isConstant({ termType }: Term): boolean {
  return termType === 'NamedNode' || termType === 'Literal'
}

function termsOf(term: Term, bindings: Bindings): readonly (string | null)[] {
  if (term.termType === 'Variable') return bindings.get(term.value) ?? [null]
  return [textOf(term)]
}

/** As the chain writes it; null when it cannot be told. */
function textOf({ termType, value, language, datatype }: Term): string | null {
  if (termType === 'NamedNode') return nameTerm(value)
  if (termType !== 'Literal') return null
  const text = `"${escapeText(value)}"`
  if (language !== undefined && language !== '') return objectTerm(`${text}@${language}`)
  return objectTerm(datatype === undefined ? text : `${text}^^<${datatype.value}>`)
}

/** With what a VALUES of the same group says; a variable that it leaves open somewhere is not bound by it. */
function withValues(known: Bindings, node: Node): Bindings {
  if (node.type !== 'values') return known
  const rows = node['values'] as readonly Readonly<Record<string, Term | undefined>>[]
  const bindings = new Map(known)
  for (const variable of new Set(rows.flatMap((row) => Object.keys(row)))) {
    const terms = rows.map((row) => (row[variable] === undefined ? null : textOf(row[variable])))
    if (terms.every((term) => term !== null)) bindings.set(variable.slice(1), [...new Set(terms)])
  }
  return bindings
}
