export type NodeErrorCode =
  | 'NETWORK_ID_MISMATCH'
  | 'API_LISTEN_FAILED'
  | 'TOKEN_UNUSABLE'
  | 'RECOVERY_NOT_ACCEPTED'
  | 'SIGNER_UNREACHABLE'

/** Why a node does not start, and what to do. */
export class NodeError extends Error {
  override readonly name = 'NodeError'
  readonly code: NodeErrorCode

  constructor(code: NodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
