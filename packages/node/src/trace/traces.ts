/**
 * Traces over the final graphs of a node, with who signed each step and when.
 * @module
 */
import type { FoundStatements, Reading, Signed } from './found-statements.ts'
import { FACTS, RELATIONS } from './relations.ts'
import type { Found } from './relations.ts'
import { Tracer } from './trace.ts'
import type { Direction, Trace, TraceLimits } from './trace.ts'

export interface ServedTrace extends Trace {
  readonly height: number
  signed(statement: Found): Signed | null
}

/** While blocks change what is read, it is read again, so often. */
const ATTEMPTS = 4

const list = (iris: Iterable<string>): string => [...iris].map((iri) => `<${iri}>`).join(', ')

const BY_SUBJECT = `BIND(?thing AS ?s) GRAPH ?g { ?s ?p ?o } FILTER(?p IN (${list([...RELATIONS.keys(), ...FACTS])}))`
const BY_OBJECT = `GRAPH ?g { ?s ?p ?thing } FILTER(?p IN (${list(RELATIONS.keys())})) BIND(?thing AS ?o)`
/** Whether the events that name a thing take apart. */
const ACTIONS = `GRAPH ?h { ?s ?q ?thing } FILTER(?q IN (${list(RELATIONS.keys())})) GRAPH ?g { ?s ?p ?o } FILTER(?p = <https://ref.gs1.org/epcis/action>)`

/** @throws {QueryFault} */
export async function traceThing(
  statements: FoundStatements,
  root: string,
  direction: Direction,
  limits: TraceLimits,
): Promise<ServedTrace> {
  for (let attempt = 1; ; attempt++) {
    const heights = new Set<number>()
    const tracer = new Tracer(root, direction, limits)
    for (let asked = tracer.asked; asked !== null; asked = tracer.asked) {
      const readings: Reading[] = []
      for (const pattern of [BY_SUBJECT, BY_OBJECT, ACTIONS])
        readings.push(await statements.about(asked, pattern))
      for (const { height } of readings) heights.add(height)
      tracer.answer(distinct(readings.flatMap(({ found }) => found)))
    }
    if (heights.size > 1 && attempt < ATTEMPTS) continue
    return { ...tracer.trace, height: Math.max(...heights), signed: (found) => statements.signed(found) }
  }
}

function distinct(found: readonly Found[]): Found[] {
  const byText = new Map(
    found.map((one) => [`${one.graph} ${one.subject} ${one.predicate} ${one.object}`, one]),
  )
  return [...byText.values()]
}
