/**
 * RDF on its way to the chain: `@althing/client/rdf`. Apart from the client, since it brings Oxigraph along.
 * @module
 */
export { SKOLEM_PREFIX } from './blank-nodes.ts'
export { RdfError } from './error.ts'
export type { RdfPosition } from './error.ts'
export { formatOfFile, formatOfMediaType } from './formats.ts'
export type { RdfFormat } from './formats.ts'
export { readRdf } from './read.ts'
export { packStatements } from './pack.ts'
export type { PackedStatements, PackOptions } from './pack.ts'
export type { GraphStatement, ReadRdf, ReadRdfOptions, StatementGroup } from './read.ts'
