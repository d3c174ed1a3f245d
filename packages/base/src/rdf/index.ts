export * from './iri.ts'
export * from './lexical.ts'
export * from './statement.ts'
