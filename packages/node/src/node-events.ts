/**
 * What happens in a node, for who embeds it (VC-7).
 * @module
 */
import type { BlockHash } from '@althing/base'
import type { ConsensusEvent } from '@althing/chain'
import type { GraphChanged } from './graph-changes/pattern.ts'
import type { ChainEvent, EnhancedNetworkEvent, NetworkEvent } from '@althing/network'

/** A block was found valid when a quorum of authorities voted for it: `blockNotarized`, of the consensus. */
export type NodeEvent =
  | NetworkEvent
  | ConsensusEvent
  /** From a peer, signed by the authority whose turn it was, or asked for; not executed yet. */
  | {
      readonly kind: 'blockReceived'
      readonly peer: string
      readonly height: number
      readonly hash: BlockHash
    }
  /** The block at this height, and all before it, are final and on disk. */
  | { readonly kind: 'blockFinal'; readonly height: number }
  /** What a final block changed in one graph; before the `blockFinal` of its height. */
  | GraphChanged
  /** Of transactions and of catching up, the network's own. */
  | Extract<ChainEvent, { readonly kind: ForwardedKind }>

const FORWARDED = [
  'transactionReceived',
  'transactionValidated',
  'transactionRejected',
  'syncRequested',
  'syncCompleted',
  'syncFailed',
] as const satisfies readonly ChainEvent['kind'][]

type ForwardedKind = (typeof FORWARDED)[number]

/** Of what happens on the chain as the network sees it, the part that the node does not say itself. */
export function isForwarded(
  event: EnhancedNetworkEvent,
): event is Extract<ChainEvent, { readonly kind: ForwardedKind }> {
  return (FORWARDED as readonly string[]).includes(event.kind)
}
