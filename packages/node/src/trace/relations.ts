/**
 * What counts as a step when a thing is traced: the terms of PROV-O and of GS1 EPCIS that say where something comes from.
 * Pure.
 * @module
 */
import { unescapeText } from '@althing/base'

const PROV = 'http://www.w3.org/ns/prov#'
const EPCIS = 'https://ref.gs1.org/epcis/'
const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'
const RDFS = 'http://www.w3.org/2000/01/rdf-schema#'
const SCHEMA = 'http://schema.org/'
const GS1 = 'https://ref.gs1.org/voc/'

/**
 * `back`: the subject comes from the object. `forth`: the object comes from the subject. `agent`: the object is who did
 * it. `seen`: the object was observed by the subject, an event, which made nothing of it.
 */
export type RelationKind = 'back' | 'forth' | 'agent' | 'seen'

export const RELATIONS: ReadonlyMap<string, RelationKind> = new Map<string, RelationKind>([
  [`${PROV}wasDerivedFrom`, 'back'],
  [`${PROV}wasRevisionOf`, 'back'],
  [`${PROV}wasQuotedFrom`, 'back'],
  [`${PROV}hadPrimarySource`, 'back'],
  [`${PROV}wasGeneratedBy`, 'back'],
  [`${PROV}used`, 'back'],
  [`${PROV}wasInformedBy`, 'back'],
  [`${PROV}generated`, 'forth'],
  [`${PROV}wasAttributedTo`, 'agent'],
  [`${PROV}wasAssociatedWith`, 'agent'],
  [`${EPCIS}inputEPCList`, 'back'],
  [`${EPCIS}outputEPCList`, 'forth'],
  [`${EPCIS}childEPCs`, 'back'],
  [`${EPCIS}parentID`, 'forth'],
  [`${EPCIS}epcList`, 'seen'],
])

/** What is told of a thing besides its steps. */
export const FACTS: readonly string[] = [
  `${RDF}type`,
  `${RDFS}label`,
  `${SCHEMA}name`,
  `${GS1}productName`,
  `${PROV}generatedAtTime`,
  `${PROV}startedAtTime`,
  `${PROV}endedAtTime`,
  `${PROV}atLocation`,
  `${EPCIS}eventTime`,
  `${EPCIS}bizStep`,
  `${EPCIS}disposition`,
  `${EPCIS}bizLocation`,
  `${EPCIS}readPoint`,
  `${EPCIS}action`,
]

const LABELS: readonly string[] = [`${RDFS}label`, `${SCHEMA}name`, `${GS1}productName`]
const ACTION = `${EPCIS}action`

/** A statement as it is found: IRIs without angle brackets, literals as canonical N-Quads writes them. */
export interface Found {
  readonly graph: string
  readonly subject: string
  readonly predicate: string
  readonly object: string
}

/** What people call it; null when nothing says. */
export function labelOf(facts: readonly Found[]): string | null {
  for (const predicate of LABELS) {
    const label = facts.find((fact) => fact.predicate === predicate)
    if (label !== undefined) return literalText(label.object)
  }
  return null
}

/**
 * Whether an event takes apart what another put together (EPCIS `action` DELETE): what comes out of a parent does not come
 * from it.
 */
export function isTakingApart(facts: readonly Found[]): boolean {
  return facts.some(({ predicate, object }) => predicate === ACTION && literalText(object) === 'DELETE')
}

/** The text of a literal, an IRI as it is. */
export function literalText(term: string): string {
  const end = term.lastIndexOf('"')
  return !term.startsWith('"') || end === 0 ? term : unescapeText(term.slice(1, end))
}
