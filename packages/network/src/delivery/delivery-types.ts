/**
 * What users see of delivery end to end.
 * @module
 */

export interface DeliveryOptions {
  /** Only the recipient can read it; true by default. Else everyone on the way can, and nobody can alter it. */
  readonly sealed?: boolean
  /** From now, 1 to 480,000; 30,000 by default. */
  readonly deadlineMs?: number
  /** How many nodes may pass it on, 0 (only over a link of our own) to 32; 16 by default. */
  readonly hopsMax?: number
  /** Ends the waiting; the message may arrive all the same. */
  readonly signal?: AbortSignal
}

/** The recipient's application has the message: the recipient signed that. */
export interface DeliveryReceipt {
  readonly id: string
  readonly elapsedMs: number
  /** How often it was sent, or its recipient's key asked for. */
  readonly attempts: number
}

/** A message that came end to end. */
export interface Delivery {
  /** Who wrote and signed it, whoever it came over. */
  readonly from: string
  readonly kind: string
  readonly body: Uint8Array
  readonly id: string
  readonly sealed: boolean
  /** By the sender's wall clock. */
  readonly sentAtMs: number
}

/** The receipt says "delivered" when it returns, or what it returns resolves; "refused" when that throws. */
export type DeliveryHandler = (delivery: Delivery) => void | Promise<void>

/** All since the start, and what is there now. */
export interface DeliveryStats {
  /** Letters that wait for a receipt. */
  readonly waiting: number
  readonly waitingBytes: number
  /** Ids that are remembered, so that no copy is taken twice. */
  readonly remembered: number
  /** Sent, delivered, received, passed on, and what was left alone, by reason. */
  readonly counts: Readonly<Record<string, number>>
}
