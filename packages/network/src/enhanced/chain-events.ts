/**
 * What happens on a user's own chain (VC-7).
 * @module
 */
import type { NetworkEvent } from '../network-types.ts'
import type { BlockRef } from '../protocol/chain-messages.ts'
import type { SyncStrategy } from '../protocol/chain-sync-effect.ts'
import type { BranchChange } from './ports.ts'

export type ChainEvent =
  /** Announced by the peer, and new here. */
  | { readonly kind: 'blockReceived'; readonly peer: string; readonly block: BlockRef }
  /** Judged valid, and stored. @property peer who gave it; null when it was made here. */
  | { readonly kind: 'blockValidated'; readonly peer: string | null; readonly block: BlockRef }
  | {
      readonly kind: 'blockRejected'
      readonly peer: string | null
      readonly block: BlockRef
      readonly reason: string
    }
  /** The best chain has another tip. More than the own blocks `removed` is a fork resolved. */
  | ({ readonly kind: 'tipChanged'; readonly tip: BlockRef } & BranchChange)
  | { readonly kind: 'transactionReceived'; readonly peer: string; readonly id: string }
  /** In the mempool. @property peer null when it was given here. */
  | { readonly kind: 'transactionValidated'; readonly peer: string | null; readonly id: string }
  | {
      readonly kind: 'transactionRejected'
      readonly peer: string
      readonly id: string
      readonly reason: string
    }
  /** @property why this strategy. */
  | {
      readonly kind: 'syncRequested'
      readonly peer: string
      readonly strategy: SyncStrategy
      readonly why: string
      readonly claimed: number
    }
  | {
      readonly kind: 'syncCompleted'
      readonly peer: string
      readonly strategy: SyncStrategy
      readonly stored: number
    }
  /** Tried again with whoever failed least; the peer that could not show what it claims waits longer each time. */
  | {
      readonly kind: 'syncFailed'
      readonly peer: string
      readonly strategy: SyncStrategy
      readonly stored: number
      readonly problem: string
    }
  /** The checkpoint is given up: full sync from the genesis. */
  | { readonly kind: 'syncFellBack'; readonly problem: string }

export type EnhancedNetworkEvent = NetworkEvent | ChainEvent
