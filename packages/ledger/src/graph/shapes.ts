/**
 * Shapes that gate a graph: a subset of SHACL Core (W3C, 2017), read from statements. Whatever of SHACL is not in the subset
 * is refused by its name when the graph is made, and so are shapes that no node can conform to. Pure.
 *
 * Targets: `targetNode`, `targetClass`, `targetSubjectsOf`, `targetObjectsOf`, and shapes that are classes. Subclasses
 * count as far as the shapes themselves say `rdfs:subClassOf`; statements in the graph do not.
 * Paths: one predicate, or one `inversePath`.
 * @module
 */
import { canonicalLiteral, fail, ok, parseTerm } from '@althing/base'
import type { Result, Statement } from '@althing/base'
import { compareTerms, isComparable } from './compare.ts'
import { Pattern } from './pattern.ts'
import { RDF_FIRST, RDF_NIL, RDF_REST, RDF_TYPE, RDFS_CLASS, RDFS_SUB_CLASS_OF, sh } from './vocabulary.ts'

/** Shapes of one graph. */
export const SHAPES_MAX = 512
/** Shapes within shapes. */
export const SHAPE_DEPTH_MAX = 16
const LIST_LENGTH_MAX = 1_024
/** Contradictions are looked for where that is cheap. */
const HAS_VALUES_COMPARED_MAX = 16
const TEST_STEPS_MAX = 10_000

export interface Path {
  /** Canonical term. */
  readonly predicate: string
  readonly isInverse: boolean
}

export type Target =
  | { readonly kind: 'node'; readonly node: string }
  | { readonly kind: 'class'; readonly classes: ReadonlySet<string> }
  | { readonly kind: 'subjectsOf' | 'objectsOf'; readonly predicate: string }

/** A condition on one value that needs nothing but the value. */
export interface ValueTest {
  /** As SHACL names it: `sh:datatype` and so on. */
  readonly component: string
  readonly expected: string
  /** Steps that it takes at most. */
  cost(value: string): number
  holds(value: string): boolean
}

export interface ShapePart {
  readonly kind: 'property' | 'node' | 'not' | 'and' | 'or' | 'xone'
  readonly shapes: readonly Shape[]
}

/** Terms are canonical N-Quads. */
export interface Shape {
  readonly name: string
  /** Null: the shape is about the focus node itself. */
  readonly path: Path | null
  readonly targets: readonly Target[]
  readonly minCount: number
  readonly maxCount: number
  readonly hasValues: readonly string[]
  readonly isUniqueLang: boolean
  readonly tests: readonly ValueTest[]
  /** Each value is of one class of each set. */
  readonly classes: readonly ReadonlySet<string>[]
  readonly parts: readonly ShapePart[]
  /** Predicates that the focus node may have; null: any. */
  readonly closed: ReadonlySet<string> | null
  /** How many statements in a row lead from a focus node to the farthest one that its conformance depends on. */
  readonly reach: number
}

export interface ShapeSet {
  /** Those that have targets. */
  readonly shapes: readonly Shape[]
  /** All paths of all shapes. */
  readonly paths: readonly Path[]
  /** The greatest of all shapes. */
  readonly reach: number
}

/** Says nothing about conformance. */
const ANNOTATIONS = new Set(
  ['name', 'description', 'message', 'order', 'group', 'defaultValue', 'severity'].map((name) => sh(name)),
)
const SHAPE_TYPES = new Set(['NodeShape', 'PropertyShape', 'Shape'].map((name) => sh(name)))
const XSD_INTEGER = 'http://www.w3.org/2001/XMLSchema#integer'
const XSD_BOOLEAN = 'http://www.w3.org/2001/XMLSchema#boolean'

/** Faults: `SHAPE_UNSUPPORTED`, `SHAPE_INVALID`, `SHAPE_RECURSIVE`, `SHAPE_CONTRADICTORY`, `SHAPES_TOO_MANY`. */
export function readShapes(statements: readonly Statement[]): Result<ShapeSet> {
  return new ShapesReader(statements).read()
}

type Fail = Extract<Result<never>, { ok: false }>

class ShapesReader {
  readonly #objects = new Map<string, Map<string, string[]>>()
  readonly #subClasses = new Map<string, string[]>()
  readonly #shapes = new Map<string, Shape>()
  readonly #open = new Set<string>()
  readonly #paths = new Map<string, Path>()
  #fault: Fail | null = null

  constructor(statements: readonly Statement[]) {
    for (const { subject, predicate, object } of statements) {
      const byPredicate = this.#objects.get(subject) ?? new Map<string, string[]>()
      this.#objects.set(subject, byPredicate)
      byPredicate.set(predicate, [...(byPredicate.get(predicate) ?? []), object])
      if (predicate !== RDFS_SUB_CLASS_OF) continue
      this.#subClasses.set(object, [...(this.#subClasses.get(object) ?? []), subject])
    }
  }

  read(): Result<ShapeSet> {
    const shapes: Shape[] = []
    for (const [subject, byPredicate] of this.#objects) {
      const predicates = [...byPredicate.keys()].filter((predicate) => predicate.startsWith(SH_START))
      const types = byPredicate.get(RDF_TYPE) ?? []
      const unknown = types.find((type) => type.startsWith(SH_START) && !SHAPE_TYPES.has(type))
      if (unknown !== undefined) this.#refuse('SHAPE_UNSUPPORTED', subject, `the type ${show(unknown)}`)
      const isPathOnly = predicates.length === 1 && predicates[0] === sh('inversePath')
      if ((predicates.length === 0 && !types.some((type) => SHAPE_TYPES.has(type))) || isPathOnly) continue
      const shape = this.#shape(subject)
      if (shape !== null && shape.targets.length > 0) shapes.push(shape)
    }
    if (this.#fault === null && shapes.length === 0) {
      this.#refuse('SHAPE_INVALID', 'the shapes', 'no shape has a target; nothing would ever be checked')
    }
    const reach = Math.max(0, ...shapes.map((shape) => shape.reach))
    return this.#fault ?? ok({ shapes, paths: [...this.#paths.values()], reach })
  }

  #shape(name: string): Shape | null {
    const known = this.#shapes.get(name)
    if (known !== undefined || this.#fault !== null) return known ?? null
    if (this.#open.has(name)) return this.#refuse('SHAPE_RECURSIVE', name, 'refers to itself')
    if (this.#shapes.size === SHAPES_MAX)
      return this.#refuse('SHAPES_TOO_MANY', name, `at most ${SHAPES_MAX} shapes`)
    if (this.#open.size === SHAPE_DEPTH_MAX) {
      return this.#refuse('SHAPES_TOO_MANY', name, `at most ${SHAPE_DEPTH_MAX} shapes within each other`)
    }
    if (!this.#objects.has(name))
      return this.#refuse('SHAPE_INVALID', name, 'is referred to as a shape, and is not there')
    this.#open.add(name)
    const shape = this.#readShape(name)
    this.#open.delete(name)
    if (this.#fault !== null) return null
    if (this.#one(name, 'deactivated', XSD_BOOLEAN) === 'true') {
      const nothing = { minCount: 0, maxCount: Infinity, hasValues: [], isUniqueLang: false, reach: 0 }
      const none = { targets: [], tests: [], classes: [], parts: [], closed: null }
      this.#shapes.set(name, { ...shape, ...nothing, ...none })
    } else this.#shapes.set(name, shape)
    return this.#shapes.get(name)!
  }

  #readShape(name: string): Shape {
    for (const predicate of this.#objects.get(name)!.keys()) {
      const isKnown =
        !predicate.startsWith(SH_START) || ANNOTATIONS.has(predicate) || SUPPORTED.has(predicate)
      if (!isKnown) this.#refuse('SHAPE_UNSUPPORTED', name, show(predicate))
    }
    const path = this.#path(name)
    const minCount = this.#count(name, 'minCount') ?? 0
    const maxCount = this.#count(name, 'maxCount') ?? Infinity
    const hasValues = this.#all(name, 'hasValue')
    const isUniqueLang = this.#one(name, 'uniqueLang', XSD_BOOLEAN) === 'true'
    if (path === null && (minCount > 0 || maxCount !== Infinity || isUniqueLang)) {
      this.#refuse('SHAPE_INVALID', name, 'counts and uniqueLang need a path')
    }
    if (minCount > maxCount) {
      this.#refuse('SHAPE_CONTRADICTORY', name, `at least ${minCount} values, and at most ${maxCount}`)
    }
    if (hasValues.length > maxCount) {
      this.#refuse('SHAPE_CONTRADICTORY', name, `has ${hasValues.length} values, and at most ${maxCount}`)
    }
    const tests = this.#tests(name)
    for (const test of hasValues.length <= HAS_VALUES_COMPARED_MAX ? tests : []) {
      const wrong = hasValues.find((value) => test.cost(value) <= TEST_STEPS_MAX && !test.holds(value))
      if (wrong === undefined) continue
      this.#refuse(
        'SHAPE_CONTRADICTORY',
        name,
        `sh:hasValue ${wrong}, and ${test.component} ${test.expected}`,
      )
    }
    const classes = this.#all(name, 'class').map((each) => this.#classesBelow(each))
    const parts = this.#parts(name)
    const closed = this.#closed(name, parts)
    const within = parts.flatMap(({ shapes }) => shapes.map((shape) => shape.reach))
    return {
      name,
      path,
      targets: this.#targets(name),
      minCount,
      maxCount,
      hasValues,
      isUniqueLang,
      tests,
      classes,
      parts,
      closed,
      // One more for each path, since the values are one statement further on.
      reach: (path === null ? 0 : 1) + Math.max(classes.length > 0 || closed !== null ? 1 : 0, ...within),
    }
  }

  #path(name: string): Path | null {
    const [object, ...more] = this.#all(name, 'path')
    if (object === undefined) return null
    const inverse = this.#all(object, 'inversePath')
    const predicate = inverse[0] ?? object
    const isOne = more.length === 0 && inverse.length <= 1 && isIri(predicate)
    const isPlain = inverse.length === 1 || !this.#objects.get(object)?.has(RDF_FIRST)
    const other = [...(this.#objects.get(object)?.keys() ?? [])].find((key) => key.startsWith(SH_START))
    if (!isOne || !isPlain || (other !== undefined && other !== sh('inversePath') && !isIri(object))) {
      this.#refuse(
        'SHAPE_UNSUPPORTED',
        name,
        `a path other than one predicate or its inverse: ${show(other ?? object)}`,
      )
      return null
    }
    const path = { predicate, isInverse: inverse.length === 1 }
    this.#paths.set(`${path.isInverse ? '^' : ''}${predicate}`, path)
    return path
  }

  #targets(name: string): readonly Target[] {
    const types = this.#objects.get(name)!.get(RDF_TYPE) ?? []
    const classes = [...this.#all(name, 'targetClass'), ...(types.includes(RDFS_CLASS) ? [name] : [])]
    return [
      ...this.#all(name, 'targetNode').map((node): Target => ({ kind: 'node', node })),
      ...classes.map((each): Target => ({ kind: 'class', classes: this.#classesBelow(each) })),
      ...this.#all(name, 'targetSubjectsOf').map((predicate): Target => ({ kind: 'subjectsOf', predicate })),
      ...this.#all(name, 'targetObjectsOf').map((predicate): Target => ({ kind: 'objectsOf', predicate })),
    ]
  }

  #tests(name: string): readonly ValueTest[] {
    const tests: ValueTest[] = []
    const add: AddTest = (component, expected, holds, cost = () => 1) => {
      tests.push({ component: `sh:${component}`, expected, holds, cost })
    }
    for (const datatype of this.#iris(name, 'datatype')) {
      add('datatype', show(datatype), (value) => isOfDatatype(value, datatype.slice(1, -1)))
    }
    for (const kind of this.#iris(name, 'nodeKind')) {
      const kinds = NODE_KINDS.get(kind)
      if (kinds === undefined) this.#refuse('SHAPE_INVALID', name, `${show(kind)} is no node kind`)
      else add('nodeKind', show(kind), (value) => kinds.includes(parseTerm(value).kind))
    }
    for (const list of this.#all(name, 'in')) {
      const members = new Set(this.#list(name, list))
      add('in', `one of ${[...members].join(', ')}`.slice(0, 200), (value) => members.has(value))
    }
    for (const list of this.#all(name, 'languageIn')) {
      const ranges = this.#list(name, list).map((term) => textOf(term).toLowerCase())
      add('languageIn', ranges.join(', '), (value) => hasLanguage(value, ranges))
    }
    this.#addTextTests(name, add)
    this.#addOrderTests(name, add)
    return tests
  }

  #addTextTests(name: string, add: AddTest): void {
    for (const term of this.#all(name, 'pattern')) {
      const source = textOf(term)
      const pattern = Pattern.parse(source)
      if (pattern === null) {
        this.#refuse('SHAPE_UNSUPPORTED', name, `sh:pattern ${term}; see the subset of regular expressions`)
        continue
      }
      const cost = (value: string): number => pattern.cost(value.length)
      add('pattern', source, (value) => isText(value) && pattern.matches(textOf(value)), cost)
    }
    const least = this.#count(name, 'minLength') ?? 0
    const greatest = this.#count(name, 'maxLength') ?? Infinity
    if (least > greatest) {
      this.#refuse(
        'SHAPE_CONTRADICTORY',
        name,
        `texts of at least ${least} characters, and at most ${greatest}`,
      )
    }
    if (least > 0) add('minLength', `${least}`, (value) => isText(value) && lengthOf(value) >= least)
    if (greatest < Infinity)
      add('maxLength', `${greatest}`, (value) => isText(value) && lengthOf(value) <= greatest)
  }

  #addOrderTests(name: string, add: AddTest): void {
    for (const [component, isWithin] of ORDERS) {
      for (const bound of this.#all(name, component)) {
        if (!isComparable(bound)) this.#refuse('SHAPE_UNSUPPORTED', name, `sh:${component} of ${bound}`)
        add(component, bound, (value) => isWithin(compareTerms(value, bound)))
      }
    }
    for (const lower of ['minInclusive', 'minExclusive']) {
      for (const upper of ['maxInclusive', 'maxExclusive']) {
        const [low, high] = [this.#all(name, lower)[0], this.#all(name, upper)[0]]
        const order = low === undefined || high === undefined ? -1 : compareTerms(low, high)
        const isTouching = lower === 'minInclusive' && upper === 'maxInclusive'
        if (order !== null && (order < 0 || (order === 0 && isTouching))) continue
        this.#refuse('SHAPE_CONTRADICTORY', name, `sh:${lower} ${low}, and sh:${upper} ${high}`)
      }
    }
  }

  #parts(name: string): readonly ShapePart[] {
    const parts: ShapePart[] = []
    for (const kind of ['property', 'node', 'not'] as const) {
      const names = this.#all(name, kind)
      for (const each of names) {
        const shapes = this.#allShapes([each])
        if (kind === 'property' && shapes.some(({ path }) => path === null)) {
          this.#refuse('SHAPE_INVALID', each, 'a property shape needs a path')
        }
        parts.push({ kind, shapes })
      }
    }
    for (const kind of ['and', 'or', 'xone'] as const) {
      for (const list of this.#all(name, kind))
        parts.push({ kind, shapes: this.#allShapes(this.#list(name, list)) })
    }
    return parts
  }

  #closed(name: string, parts: readonly ShapePart[]): ReadonlySet<string> | null {
    if (this.#one(name, 'closed', XSD_BOOLEAN) !== 'true') return null
    const ignored = this.#all(name, 'ignoredProperties').flatMap((list) => this.#list(name, list))
    const own = parts.flatMap(({ kind, shapes }) =>
      kind === 'property'
        ? shapes.flatMap(({ path }) => (path === null || path.isInverse ? [] : [path.predicate]))
        : [],
    )
    return new Set([...own, ...ignored])
  }

  #allShapes(names: readonly string[]): readonly Shape[] {
    return names.flatMap((name) => this.#shape(name) ?? [])
  }

  #classesBelow(name: string): ReadonlySet<string> {
    const classes = new Set([name])
    for (const each of classes) for (const below of this.#subClasses.get(each) ?? []) classes.add(below)
    return classes
  }

  #list(name: string, head: string): readonly string[] {
    const members: string[] = []
    for (let at = head; at !== RDF_NIL;) {
      const first = this.#objects.get(at)?.get(RDF_FIRST) ?? []
      const rest = this.#objects.get(at)?.get(RDF_REST) ?? []
      if (first.length !== 1 || rest.length !== 1 || members.length === LIST_LENGTH_MAX) {
        this.#refuse('SHAPE_INVALID', name, `no list of at most ${LIST_LENGTH_MAX} members: ${show(head)}`)
        return members
      }
      members.push(first[0]!)
      at = rest[0]!
    }
    return members
  }

  #all(name: string, parameter: string): readonly string[] {
    return this.#objects.get(name)?.get(sh(parameter)) ?? []
  }

  #iris(name: string, parameter: string): readonly string[] {
    const all = this.#all(name, parameter)
    if (all.length > 1 || all.some((term) => !isIri(term))) {
      this.#refuse('SHAPE_INVALID', name, `sh:${parameter} takes one IRI`)
    }
    return all
  }

  /** The text of a parameter that is there at most once. */
  #one(name: string, parameter: string, datatype: string): string | null {
    const [term, ...more] = this.#all(name, parameter)
    if (term === undefined) return null
    const value = parseTerm(term)
    if (more.length === 0 && value.kind === 'literal' && value.datatype === datatype) return value.text
    this.#refuse('SHAPE_INVALID', name, `sh:${parameter} takes one <${datatype}>`)
    return null
  }

  #count(name: string, parameter: string): number | null {
    const text = this.#one(name, parameter, XSD_INTEGER)
    if (text === null) return null
    if (/^[0-9]{1,9}$/.test(text)) return Number(text)
    this.#refuse('SHAPE_INVALID', name, `sh:${parameter} ${text} is no count below 10^9`)
    return null
  }

  #refuse(code: string, name: string, what: string): null {
    this.#fault ??= fail(code, `shape ${show(name)}: ${what}`)
    return null
  }
}

type AddTest = (
  component: string,
  expected: string,
  holds: (value: string) => boolean,
  cost?: (value: string) => number,
) => void

const SH_START = sh('').slice(0, -1)
const SUPPORTED = new Set(
  (
    'path targetNode targetClass targetSubjectsOf targetObjectsOf minCount maxCount hasValue uniqueLang datatype nodeKind in ' +
    'languageIn pattern minLength maxLength minInclusive maxInclusive minExclusive maxExclusive class property node not and ' +
    'or xone closed ignoredProperties deactivated'
  )
    .split(' ')
    .map((name) => sh(name)),
)

const NODE_KINDS: ReadonlyMap<string, readonly string[]> = new Map([
  [sh('IRI'), ['iri']],
  [sh('BlankNode'), ['blank']],
  [sh('Literal'), ['literal']],
  [sh('BlankNodeOrIRI'), ['blank', 'iri']],
  [sh('BlankNodeOrLiteral'), ['blank', 'literal']],
  [sh('IRIOrLiteral'), ['iri', 'literal']],
])

const ORDERS: readonly (readonly [string, (order: number | null) => boolean])[] = [
  ['minInclusive', (order) => order !== null && order >= 0],
  ['minExclusive', (order) => order !== null && order > 0],
  ['maxInclusive', (order) => order !== null && order <= 0],
  ['maxExclusive', (order) => order !== null && order < 0],
]

function isOfDatatype(value: string, datatype: string): boolean {
  const term = parseTerm(value)
  if (term.kind !== 'literal') return false
  if (term.language !== null || term.datatype === datatype) return term.datatype === datatype
  // Of the types derived from integer the state keeps the values only.
  const canonical = canonicalLiteral({ datatype, text: term.text })
  return canonical !== null && canonical.datatype === term.datatype && canonical.text === term.text
}

function hasLanguage(value: string, ranges: readonly string[]): boolean {
  const term = parseTerm(value)
  const language = term.kind === 'literal' ? term.language : null
  return language !== null && ranges.some((range) => language === range || language.startsWith(`${range}-`))
}

function isIri(term: string): boolean {
  return parseTerm(term).kind === 'iri'
}

function isText(value: string): boolean {
  return parseTerm(value).kind !== 'blank'
}

function textOf(value: string): string {
  const term = parseTerm(value)
  return term.kind === 'literal' ? term.text : term.iri
}

/** In characters. */
function lengthOf(value: string): number {
  return Array.from(textOf(value)).length
}

/** `sh:name` for `<http://www.w3.org/ns/shacl#name>`. */
function show(term: string): string {
  return term.startsWith(SH_START) ? `sh:${term.slice(SH_START.length, -1)}` : term.slice(0, 200)
}
