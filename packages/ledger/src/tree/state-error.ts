export type StateErrorCode = 'STATE_CORRUPT'

/** The stored state cannot be read. The node must stop and sync again; nothing in memory is wrong. */
export class StateError extends Error {
  override readonly name = 'StateError'
  readonly code: StateErrorCode

  constructor(code: StateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
