/**
 * What a protocol may ask of the world around it.
 * @module
 */

export interface Clock {
  /** Milliseconds since 1970, for timestamps that others see. It may step. */
  wallMs(): number
  /** Milliseconds since some fixed moment, for durations. It never goes back. */
  monotonicMs(): number
}

/** A source of randomness; seeded in the simulator. */
export interface Random {
  /** A float in [0, 1). */
  next(): number
  bytes(length: number): Uint8Array
}

export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A log whose every line also carries `fields`. */
  with(fields: LogFields): Log
}

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
}
