/**
 * A deterministic simulation of whole networks of the real consensus core, codec and vote log.
 * @module
 */
export { runCampaign } from './campaign.ts'
export type { Campaign, CampaignReport } from './campaign.ts'
export type { ProcessClass } from './cluster.ts'
export { SimulatedDisk } from './disk.ts'
export { failureText } from './failure-text.ts'
export { addCounts, MILESTONES, missingMilestones } from './milestones.ts'
export type { Counts } from './milestones.ts'
export type { PlanChoice } from './plan.ts'
export { Prng } from './prng.ts'
export { Process } from './process.ts'
export type { ChainModule } from './process.ts'
export { runSeed } from './run.ts'
export type { RunReport } from './run.ts'
export { SteadyWorld } from './steady.ts'
export type { SteadyNetwork, SteadyReport } from './steady.ts'
