/**
 * What the HTTP API says of traffic, limits, errors and history, as JSON. As everywhere: snake_case, times in milliseconds.
 * @module
 */

export type LaneName = 'critical' | 'high' | 'normal' | 'low'
export type PerLaneJson<T> = Readonly<Record<LaneName, T>>

export interface QueueDepthJson {
  readonly messages: number
  readonly bytes: number
}

/** One of the nine steps of every message; `entered` = `left` + dropped + what is in it now. */
export interface StepJson {
  /** `creation`, `priority`, `rateCheck`, `queue`, `bandwidth`, `transmission`, `reception`, `validation`, `processing`. */
  readonly step: string
  readonly entered: PerLaneJson<number>
  readonly left: PerLaneJson<number>
  readonly dropped_by_reason: Readonly<Record<string, PerLaneJson<number>>>
}

/** A limit that moved by itself, in bytes a second. */
export interface LimitMoveJson {
  readonly at: number
  readonly peer_id: string
  readonly from: number
  readonly to: number
  /** `drain`: what the link took. `latency`: it rose. `room`: the limit was reached and the link had room. */
  readonly why: 'drain' | 'latency' | 'room'
}

/** `GET /network/queue/stats`. Counts are since the node started. */
export interface QueueStatsJson {
  /** What waits to be sent, to all peers together. */
  readonly queues: PerLaneJson<QueueDepthJson>
  readonly peers: readonly {
    readonly peer_id: string
    readonly queues: PerLaneJson<QueueDepthJson>
    /** What may be sent to it now, besides critical messages. */
    readonly limit_bytes_per_second: number
    /** What may be on its way to it, besides critical messages; null when the peer credits nothing. */
    readonly window_bytes: number | null
  }[]
  readonly steps: readonly StepJson[]
  readonly dropped_by_reason: Readonly<Record<string, number>>
  readonly limits: {
    /** As configured, for one peer. */
    readonly messages_per_second: number
    readonly burst: number
    readonly bytes_per_second: number
    readonly priority_multipliers: PerLaneJson<number>
    /** What all peers together may have, in times of what one may. */
    readonly node_multiplier: number
    readonly adaptive: boolean
    /** Peers that wait for their turn with the budget of the node. */
    readonly waiting_peers: number
    /** How often the links that there are were read no further, their peers being over the limit. */
    readonly slowed: number
    /** The last 32, oldest first. */
    readonly moves: readonly LimitMoveJson[]
  }
}

/** Messages of one kind in one lane. Bytes are those of bodies, before compression. */
export interface KindTrafficJson {
  readonly kind: string
  readonly lane: LaneName
  readonly messages: number
  readonly bytes: number
}

export interface TrafficCountsJson {
  readonly messages_in: number
  readonly messages_out: number
  readonly bytes_in: number
  readonly bytes_out: number
}

export interface PeerTrafficJson extends TrafficCountsJson {
  readonly peer_id: string
  readonly connected: boolean
  readonly by_kind: Readonly<Record<string, TrafficCountsJson>>
}

/** `GET /network/traffic`. Since the node started. */
export interface TrafficJson {
  /** On all sessions, without what encryption adds. */
  readonly bytes_sent: number
  readonly bytes_received: number
  readonly sent: readonly KindTrafficJson[]
  readonly received: readonly KindTrafficJson[]
  /** Those too that are gone. */
  readonly peers: readonly PeerTrafficJson[]
}

export interface NetworkErrorJson {
  readonly type: 'refused' | 'ended' | 'fault' | 'dial' | 'request'
  /** Of a refusal or an end the reason, of a fault the offence, of a request the error's code; `failed` for a dial. */
  readonly code: string
  readonly peer_id: string | null
  readonly count: number
  readonly last_at: number
  /** The last one, for people. */
  readonly example: string
}

/** `GET /network/errors`. Since the node started. */
export interface NetworkErrorsJson {
  /** By type and code, as `fault flood`. */
  readonly by_type: Readonly<Record<string, number>>
  readonly dropped_by_reason: Readonly<Record<string, number>>
  /** By type, code and peer, the newest first; at most 512. */
  readonly errors: readonly NetworkErrorJson[]
}

export interface HistoryQueryJson {
  /** All metrics when absent. */
  readonly metric?: string
  /** 10 minutes by seconds (the default), a day by minutes, a year by hours. */
  readonly resolution?: '1s' | '1m' | '1h'
}

/** `GET /network/history`. */
export interface HistoryJson {
  readonly resolution: '1s' | '1m' | '1h'
  readonly step_ms: number
  /** Oldest first; times of which nothing is known are left out. */
  readonly metrics: Readonly<
    Record<string, readonly { readonly at: number; readonly mean: number; readonly max: number }[]>
  >
}
