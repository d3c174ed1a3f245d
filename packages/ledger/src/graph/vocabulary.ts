/**
 * Terms that shapes are written in, as canonical N-Quads writes them.
 * @module
 */
const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'
const RDFS = 'http://www.w3.org/2000/01/rdf-schema#'

export const RDF_TYPE = `<${RDF}type>`
export const RDF_FIRST = `<${RDF}first>`
export const RDF_REST = `<${RDF}rest>`
export const RDF_NIL = `<${RDF}nil>`
export const RDFS_CLASS = `<${RDFS}Class>`
export const RDFS_SUB_CLASS_OF = `<${RDFS}subClassOf>`

/** A term of SHACL. */
export function sh(name: string): string {
  return `<http://www.w3.org/ns/shacl#${name}>`
}
