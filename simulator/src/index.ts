/**
 * A deterministic simulation of whole networks of the real consensus core, codec and vote log.
 * @module
 */
export { runCampaign } from './campaign.ts'
export type { CampaignReport } from './campaign.ts'
export { MILESTONES } from './milestones.ts'
export type { Milestone } from './milestones.ts'
export { Process } from './process.ts'
export type { ChainModule } from './process.ts'
export { runSeed } from './run.ts'
export type { RunReport } from './run.ts'
