/**
 * Traces over the final graphs of a node, with who signed each step and when.
 * @module
 */
import type { FoundStatements, SignedBy } from './found-statements.ts'
import { FACTS, RELATIONS } from './relations.ts'
import type { Found } from './relations.ts'
import { Tracer } from './trace.ts'
import type { Direction, Trace, TraceLimits } from './trace.ts'

export interface ServedTrace extends Trace {
  readonly height: number
  /** Of facts and steps. */
  readonly signed: SignedBy
}

const list = (iris: Iterable<string>): string => [...iris].map((iri) => `<${iri}>`).join(', ')

const BY_SUBJECT = `BIND(?thing AS ?s) GRAPH ?g { ?s ?p ?o } FILTER(?p IN (${list([...RELATIONS.keys(), ...FACTS])}))`
const BY_OBJECT = `GRAPH ?g { ?s ?p ?thing } FILTER(?p IN (${list(RELATIONS.keys())})) BIND(?thing AS ?o)`
/** Whether the events that name a thing take apart. */
const ACTIONS = `GRAPH ?h { ?s ?q ?thing } FILTER(?q IN (${list(RELATIONS.keys())})) GRAPH ?g { ?s ?p ?o } FILTER(?p = <https://ref.gs1.org/epcis/action>)`

/** @param client whose queries these are. @throws {QueryFault} */
export async function traceThing(
  statements: FoundStatements,
  root: string,
  direction: Direction,
  limits: TraceLimits,
  client: string,
): Promise<ServedTrace> {
  const { result, height } = await statements.look(client, async (look) => {
    const tracer = new Tracer(root, direction, limits)
    for (let asked = tracer.asked; asked !== null; asked = tracer.asked) {
      const found: Found[] = []
      for (const pattern of [BY_SUBJECT, BY_OBJECT, ACTIONS]) {
        for (const one of await look.about(asked, pattern)) found.push(one)
      }
      tracer.answer(distinct(found))
    }
    return tracer.trace
  })
  const shown = [...result.things.flatMap(({ facts }) => facts), ...result.steps.map(({ by }) => by)]
  return { ...result, height, signed: await statements.signed(shown) }
}

function distinct(found: readonly Found[]): Found[] {
  const byText = new Map(
    found.map((one) => [`${one.graph} ${one.subject} ${one.predicate} ${one.object}`, one]),
  )
  return [...byText.values()]
}
