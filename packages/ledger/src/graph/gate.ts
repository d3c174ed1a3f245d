/**
 * The gate of a graph: whether what a transaction changed in it leaves it conforming to its shapes. Looks only at nodes whose
 * conformance can have changed, and counts every step, so that the work is bounded and the same on every node. Pure.
 * @module
 */
import {
  bytesToUtf8,
  decodeStatementEntry,
  objectPrefix,
  parseStatement,
  parseTerm,
  statementKey,
  subjectPrefix,
} from '@althing/base'
import type { Fault, Statement } from '@althing/base'
import type { StateWriter } from '../pending.ts'
import type { Path, Shape, ShapePart, ShapeSet, Target } from './shapes.ts'
import { RDF_TYPE } from './vocabulary.ts'

/** Of all gates in one transaction: statements read, conditions looked at, and the work of patterns in units of 64. */
export const GATE_STEPS_MAX = 50_000
const PATTERN_STEPS_PER_STEP = 64

type ObjectsByPredicate = ReadonlyMap<string, readonly string[]>

const NOTHING: ObjectsByPredicate = new Map()
const NO_VALUES: ReadonlySet<string> = new Set()

/** What is left of the steps of a transaction. */
export class GateSteps {
  #left = GATE_STEPS_MAX

  get isExhausted(): boolean {
    return this.#left < 0
  }

  /** One entry more than can be paid for. */
  get entriesMax(): number {
    return Math.max(1, this.#left + 1)
  }

  take(count: number): void {
    this.#left -= count
  }
}

type GateState = Pick<StateWriter, 'get' | 'group'>

/** What does not conform. Terms are canonical N-Quads. */
interface Violation {
  readonly shape: Shape
  readonly node: string
  readonly component: string
  readonly what: string
}

/**
 * Faults: `GATE_VIOLATED` (which shape, node, path, value), `GATE_STEPS_EXCEEDED`.
 * @param id of the graph. @param changed what the transaction inserted or deleted.
 * @returns null when the graph conforms, given that it did before.
 */
export function gateFault(
  state: GateState,
  id: Uint8Array,
  shapes: ShapeSet,
  changed: Iterable<Statement>,
  steps: GateSteps,
): Fault | null {
  const gate = new Gate(new GatedGraph(state, id, steps), steps)
  const violation = gate.firstViolation(shapes, changed)
  if (steps.isExhausted) {
    const message = `looking at what this changes takes more than ${GATE_STEPS_MAX} steps; change less at a time`
    return { code: 'GATE_STEPS_EXCEEDED', message }
  }
  return violation === null ? null : { code: 'GATE_VIOLATED', message: showViolation(violation) }
}

/** The statements of one graph, read with counted steps. */
class GatedGraph {
  readonly #state: GateState
  readonly #id: Uint8Array
  readonly #steps: GateSteps
  readonly #bySubject = new Map<string, ObjectsByPredicate>()

  constructor(state: GateState, id: Uint8Array, steps: GateSteps) {
    this.#state = state
    this.#id = id
    this.#steps = steps
  }

  about(subject: string): ObjectsByPredicate {
    this.#steps.take(1)
    const known = this.#bySubject.get(subject)
    if (known !== undefined || this.#steps.isExhausted) return known ?? NOTHING
    const entries = this.#state.group(subjectPrefix(this.#id, subject), this.#steps.entriesMax)
    this.#steps.take(entries.length)
    const about = new Map<string, string[]>()
    for (const { value } of entries) {
      const entry = decodeStatementEntry(value)
      const text = entry.ok ? bytesToUtf8(entry.value.text) : null
      // Another subject can share the range, if somebody takes the trouble.
      if (text?.startsWith(`${subject} `) !== true) continue
      const { predicate, object } = parseStatement(text)
      const objects = about.get(predicate)
      if (objects === undefined) about.set(predicate, [object])
      else objects.push(object)
    }
    this.#bySubject.set(subject, about)
    return about
  }

  /** Subjects of the statements with this predicate and object. */
  subjectsOf(predicate: string, object: string): readonly string[] {
    this.#steps.take(1)
    if (this.#steps.isExhausted) return []
    const entries = this.#state.group(objectPrefix(this.#id, predicate, object), this.#steps.entriesMax)
    this.#steps.take(entries.length)
    return entries.flatMap(({ value }) => {
      const subject = bytesToUtf8(value)
      return subject !== null && this.#has({ subject, predicate, object }) ? [subject] : []
    })
  }

  values(node: string, { predicate, isInverse }: Path): readonly string[] {
    if (isInverse) return this.subjectsOf(predicate, node)
    return this.about(node).get(predicate) ?? []
  }

  /** Another pair of predicate and object can share the range, if somebody takes the trouble. */
  #has(statement: Statement): boolean {
    return this.#state.get(statementKey(this.#id, statement)) !== null
  }
}

class Gate {
  readonly #graph: GatedGraph
  readonly #steps: GateSteps

  constructor(graph: GatedGraph, steps: GateSteps) {
    this.#graph = graph
    this.#steps = steps
  }

  firstViolation({ shapes, paths, reach }: ShapeSet, changed: Iterable<Statement>): Violation | null {
    for (const node of this.#affected(paths, reach, changed)) {
      for (const shape of shapes) {
        if (this.#steps.isExhausted) return null
        const violation = this.#isTarget(shape, node) ? this.#violation(shape, node) : null
        if (violation !== null) return violation
      }
    }
    return null
  }

  /** Nodes whose conformance may depend on a changed statement: its ends, and whatever leads there in few enough steps. */
  #affected(paths: readonly Path[], reach: number, changed: Iterable<Statement>): ReadonlySet<string> {
    const nodes = new Set<string>()
    for (const { subject, object } of changed) nodes.add(subject).add(object)
    let last: readonly string[] = [...nodes]
    for (let distance = 1; distance < reach && last.length > 0; distance++) {
      const next = new Set<string>()
      for (const node of last) {
        for (const { predicate, isInverse } of paths) {
          if (this.#steps.isExhausted) return nodes
          const before = this.#graph.values(node, { predicate, isInverse: !isInverse })
          for (const each of before) if (!nodes.has(each)) next.add(each)
        }
      }
      for (const node of next) nodes.add(node)
      last = [...next]
    }
    return nodes
  }

  #isTarget({ targets }: Shape, node: string): boolean {
    return targets.some((target) => this.#isOf(target, node))
  }

  #isOf(target: Target, node: string): boolean {
    this.#steps.take(1)
    switch (target.kind) {
      case 'node':
        return target.node === node
      case 'class':
        return this.#isInstance(node, target.classes)
      case 'subjectsOf':
        return this.#graph.about(node).has(target.predicate)
      case 'objectsOf':
        return this.#graph.subjectsOf(target.predicate, node).length > 0
    }
  }

  #isInstance(node: string, classes: ReadonlySet<string>): boolean {
    const types = this.#graph.about(node).get(RDF_TYPE) ?? []
    this.#steps.take(types.length)
    return types.some((type) => classes.has(type))
  }

  #violation(shape: Shape, node: string): Violation | null {
    const values = shape.path === null ? [node] : this.#graph.values(node, shape.path)
    return this.#countViolation(shape, node, values) ?? this.#valueViolation(shape, node, values)
  }

  #countViolation(shape: Shape, node: string, values: readonly string[]): Violation | null {
    const { minCount, maxCount, hasValues, isUniqueLang } = shape
    const found = `${values.length} values`
    if (values.length < minCount)
      return { shape, node, component: 'sh:minCount', what: `${found}; at least ${minCount}` }
    if (values.length > maxCount)
      return { shape, node, component: 'sh:maxCount', what: `${found}; at most ${maxCount}` }
    this.#steps.take(hasValues.length)
    const present = hasValues.length === 0 ? NO_VALUES : new Set(values)
    const missing = hasValues.find((value) => !present.has(value))
    if (missing !== undefined) return { shape, node, component: 'sh:hasValue', what: `${missing} is missing` }
    const twice = isUniqueLang ? languageTwice(values) : null
    return twice === null ? null : { shape, node, component: 'sh:uniqueLang', what: `two values in ${twice}` }
  }

  #valueViolation(shape: Shape, node: string, values: readonly string[]): Violation | null {
    for (const value of values) {
      for (const test of shape.tests) {
        this.#steps.take(Math.ceil(test.cost(value) / PATTERN_STEPS_PER_STEP))
        if (this.#steps.isExhausted) return null
        if (test.holds(value)) continue
        return { shape, node, component: test.component, what: `${value}; expected ${test.expected}` }
      }
      for (const classes of shape.classes) {
        if (this.#isInstance(value, classes)) continue
        return {
          shape,
          node,
          component: 'sh:class',
          what: `${value}; expected one of ${[...classes].join(', ')}`,
        }
      }
      const violation = this.#closedViolation(shape, node, value) ?? this.#partViolation(shape, node, value)
      if (violation !== null) return violation
    }
    return null
  }

  #closedViolation(shape: Shape, node: string, value: string): Violation | null {
    const { closed } = shape
    if (closed === null) return null
    const about = this.#graph.about(value)
    this.#steps.take(about.size)
    for (const predicate of about.keys()) {
      if (!closed.has(predicate))
        return { shape, node, component: 'sh:closed', what: `${value} has ${predicate}` }
    }
    return null
  }

  #partViolation(shape: Shape, node: string, value: string): Violation | null {
    for (const part of shape.parts) {
      if (this.#steps.isExhausted) return null
      // What is wrong within says more than that something is.
      if (part.kind === 'property' || part.kind === 'node' || part.kind === 'and') {
        for (const each of part.shapes) {
          const violation = this.#violation(each, value)
          if (violation !== null) return violation
        }
      } else if (!this.#holds(part, value)) {
        const names = part.shapes.map(({ name }) => name).join(', ')
        return { shape, node, component: `sh:${part.kind}`, what: `${value}; ${names}` }
      }
    }
    return null
  }

  #holds({ kind, shapes }: ShapePart, value: string): boolean {
    let conforming = 0
    for (const shape of shapes) {
      this.#steps.take(1)
      if (this.#steps.isExhausted) return true
      if (this.#violation(shape, value) === null) conforming++
    }
    if (kind === 'not') return conforming === 0
    return kind === 'xone' ? conforming === 1 : conforming > 0
  }
}

function languageTwice(values: readonly string[]): string | null {
  const seen = new Set<string>()
  for (const value of values) {
    const term = parseTerm(value)
    if (term.kind !== 'literal' || term.language === null) continue
    if (seen.has(term.language)) return term.language
    seen.add(term.language)
  }
  return null
}

const SHOWN_CHARACTERS = 600

function showViolation({ shape, node, component, what }: Violation): string {
  const { name, path } = shape
  const at = path === null ? '' : `, path ${path.isInverse ? '^' : ''}${path.predicate}`
  return `shape ${name}: node ${node}${at}: ${component}: ${what}`.slice(0, SHOWN_CHARACTERS)
}
