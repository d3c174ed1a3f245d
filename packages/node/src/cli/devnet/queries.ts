/**
 * What a devnet's graphs are asked: questions that one vocabulary alone does not answer.
 * @module
 */
export interface ShownQuery {
  /** For people. */
  readonly question: string
  readonly sparql: string
}

const PREFIXES = `PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX schema: <http://schema.org/>
`

export const SHOWN_QUERIES: readonly ShownQuery[] = [
  {
    question: 'How many classes has each vocabulary?',
    sparql: `${PREFIXES}SELECT ?graph (COUNT(DISTINCT ?class) AS ?classes) {
  GRAPH ?graph { ?class a ?kind FILTER(?kind IN (rdfs:Class, owl:Class)) }
} GROUP BY ?graph ORDER BY ?graph`,
  },
  {
    question: 'Which relations does PROV-O have from activities to entities?',
    sparql: `${PREFIXES}SELECT ?relation { ?relation rdfs:domain prov:Activity ; rdfs:range prov:Entity } ORDER BY ?relation`,
  },
  {
    question: 'How many kinds of product does schema.org know, over all levels?',
    sparql: `${PREFIXES}SELECT (COUNT(DISTINCT ?kind) AS ?kinds) { ?kind rdfs:subClassOf+ schema:Product }`,
  },
]
