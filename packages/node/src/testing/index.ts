export { storeCompliance } from './store-compliance.ts'
export type { StoreMedium } from './store-compliance.ts'
