export type RecoveryErrorCode = 'RECOVERY_FILE_INVALID' | 'RECOVERY_IMPOSSIBLE' | 'RECOVERY_REFUSED'

/** Why a chain does not go on as another one, and what to do. */
export class RecoveryError extends Error {
  override readonly name = 'RecoveryError'
  readonly code: RecoveryErrorCode

  constructor(code: RecoveryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
