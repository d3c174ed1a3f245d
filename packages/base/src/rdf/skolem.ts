/**
 * Blank nodes on chain. The name of a blank node means something within one document only, so they become IRIs before
 * signing (RDF 1.1 Concepts, section 3.5):
 *
 *     urn:althing:bnode:<digest>:<number>
 *
 * with the SHA-256 of the canonical form (RDFC-1.0) of all statements that are connected with the node by blank nodes, and
 * the number of its canonical label therein. Of equal sets of statements the second one has `<digest>.1`, and so on.
 * So a name is bound to what was first said of the node: nobody can give it to another one, and whoever says the same
 * again says it of the same node.
 * @module
 */

const SKOLEM_PREFIX = 'urn:althing:bnode:'
export const SKOLEM_FORM = `<${SKOLEM_PREFIX}DIGEST:NUMBER>`
const SKOLEM = /^urn:althing:bnode:[0-9a-f]{64}(?:\.[1-9][0-9]{0,8})?:(?:0|[1-9][0-9]{0,8})$/

/** Whether the chain reads this IRI as a blank node's; it need not be well formed. */
export function isSkolem(iri: string): boolean {
  return iri.startsWith(SKOLEM_PREFIX)
}

/** @returns what is wrong with the IRI of a blank node; null when nothing is. */
export function skolemProblem(iri: string): string | null {
  return SKOLEM.test(iri) ? null : `a blank node is named ${SKOLEM_FORM}: 64 hexadecimal digits and a number`
}
