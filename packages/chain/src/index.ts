export * from './consensus/types.ts'
export * from './ports.ts'
