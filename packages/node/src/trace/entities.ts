/**
 * Things and what is said of them, over all final graphs of a node.
 * @module
 */
import { conflictsOf, EntityClass, SAME_AS } from './entity.ts'
import type { Conflict } from './entity.ts'
import type { FoundStatements } from './found-statements.ts'
import type { Found } from './relations.ts'

/** Beside what the graphs themselves declare to be `owl:InverseFunctionalProperty`, `owl:FunctionalProperty`. */
export interface EntityRules {
  readonly identifying: readonly string[]
  readonly functional: readonly string[]
}

export interface ServedEntity {
  readonly iris: readonly string[]
  readonly links: readonly Found[]
  readonly statements: readonly Found[]
  readonly conflicts: readonly Conflict[]
  readonly isTruncated: boolean
  readonly height: number
}

const OWL = 'http://www.w3.org/2002/07/owl#'
const IRIS_MAX = 256
const STATEMENTS_MAX = 10_000
/** While blocks change what is read, it is read again, so often. */
const ATTEMPTS = 4

const DECLARED = `GRAPH ?g { ?s ?p ?thing } FILTER(?p = <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>) BIND(?thing AS ?o)`
const SAME = `{ GRAPH ?g { ?thing <${SAME_AS}> ?o } BIND(?thing AS ?s) } UNION { GRAPH ?g { ?s <${SAME_AS}> ?thing } BIND(?thing AS ?o) } BIND(<${SAME_AS}> AS ?p)`
const ABOUT = `GRAPH ?g { ?thing ?p ?o } BIND(?thing AS ?s)`

/** @throws {QueryFault} */
export async function readEntity(
  statements: FoundStatements,
  iri: string,
  rules: EntityRules,
): Promise<ServedEntity> {
  for (let attempt = 1; ; attempt++) {
    const heights = new Set<number>()
    const about = async (things: readonly string[], pattern: string): Promise<readonly Found[]> => {
      const { found, height } = await statements.about(things, pattern)
      heights.add(height)
      return found
    }
    const declared = await about([`${OWL}InverseFunctionalProperty`, `${OWL}FunctionalProperty`], DECLARED)
    const identifying = propertiesOf(declared, `${OWL}InverseFunctionalProperty`, rules.identifying)
    const functional = propertiesOf(declared, `${OWL}FunctionalProperty`, rules.functional)
    const entity = new EntityClass(iri, identifying, IRIS_MAX)
    const shared = sharedPattern(identifying)
    for (let asked = entity.asked; asked !== null; asked = entity.asked) {
      entity.answer([...(await about(asked, SAME)), ...(await about(asked, shared))])
    }
    const said = await about(entity.iris, ABOUT)
    if (heights.size > 1 && attempt < ATTEMPTS) continue
    return {
      iris: entity.iris,
      links: entity.links,
      statements: said.slice(0, STATEMENTS_MAX),
      conflicts: conflictsOf(said, functional),
      isTruncated: entity.isTruncated || said.length > STATEMENTS_MAX,
      height: Math.max(...heights),
    }
  }
}

function propertiesOf(
  declared: readonly Found[],
  type: string,
  configured: readonly string[],
): ReadonlySet<string> {
  const found = declared.filter(({ object }) => object === type).map(({ subject }) => subject)
  return new Set([...configured, ...found])
}

/** The identifying statements about a thing, and those of others with the same value. */
function sharedPattern(identifying: ReadonlySet<string>): string {
  const properties = [...identifying].map((iri) => `<${iri}>`).join(' ')
  return `VALUES ?p { ${properties} } GRAPH ?h { ?thing ?p ?o } GRAPH ?g { ?s ?p ?o }`
}
