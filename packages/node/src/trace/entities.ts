/**
 * Things and what is said of them, over all final graphs of a node.
 * @module
 */
import { conflictsOf, EntityClass, SAME_AS } from './entity.ts'
import type { Conflict } from './entity.ts'
import type { FoundStatements, Look, SignedBy } from './found-statements.ts'
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
  /** Of links and statements. */
  readonly signed: SignedBy
}

const OWL = 'http://www.w3.org/2002/07/owl#'
const IRIS_MAX = 256
const STATEMENTS_MAX = 10_000
/** Properties that graphs declare; more are left aside. */
const DECLARED_MAX = 500

const DECLARED = `GRAPH ?g { ?s ?p ?thing } FILTER(?p = <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>) BIND(?thing AS ?o)`
const SAME = `{ GRAPH ?g { ?thing <${SAME_AS}> ?o } BIND(?thing AS ?s) } UNION { GRAPH ?g { ?s <${SAME_AS}> ?thing } BIND(?thing AS ?o) } BIND(<${SAME_AS}> AS ?p)`
const ABOUT = `GRAPH ?g { ?thing ?p ?o } BIND(?thing AS ?s)`

/** @param client whose queries these are. @throws {QueryFault} */
export async function readEntity(
  statements: FoundStatements,
  iri: string,
  rules: EntityRules,
  client: string,
): Promise<ServedEntity> {
  const { result, height } = await statements.look(client, (look) => readClass(look, iri, rules))
  const signed = await statements.signed([...result.links, ...result.statements])
  return { ...result, height, signed }
}

async function readClass(
  look: Look,
  iri: string,
  rules: EntityRules,
): Promise<Omit<ServedEntity, 'height' | 'signed'>> {
  const types = [`${OWL}InverseFunctionalProperty`, `${OWL}FunctionalProperty`]
  const { found: declared } = await look.some(types, DECLARED, DECLARED_MAX)
  const identifying = propertiesOf(declared, `${OWL}InverseFunctionalProperty`, rules.identifying)
  const functional = propertiesOf(declared, `${OWL}FunctionalProperty`, rules.functional)
  const entity = new EntityClass(iri, identifying, IRIS_MAX)
  const shared = sharedPattern(identifying)
  for (let asked = entity.asked; asked !== null; asked = entity.asked) {
    entity.answer([...(await look.about(asked, SAME)), ...(await look.about(asked, shared))])
  }
  const { found, isAll } = await look.some(entity.iris, ABOUT, STATEMENTS_MAX)
  return {
    iris: entity.iris,
    links: entity.links,
    statements: found,
    conflicts: conflictsOf(found, functional),
    isTruncated: entity.isTruncated || !isAll,
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
