/**
 * How a command fails: one line `error CODE: message`, then what to do, and an exit code that is not zero.
 * @module
 */
import { CommanderError } from 'commander'

export type CliErrorCode =
  | 'CHECK_FAILED'
  | 'FILE_EXISTS'
  | 'FILE_UNREADABLE'
  | 'INPUT_INVALID'
  | 'NODE_DIED'
  | 'NODE_HALTED'
  | 'NODE_NOT_READY'
  | 'NODE_UNREACHABLE'
  | 'NOT_PROVED'
  | 'TRANSACTION_FAILED'
  | 'TRANSACTION_REJECTED'
  | 'USAGE'

/** A command could not do what it was asked. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: CliErrorCode
  /** What the person can do now; empty when the message says it. */
  readonly advice: string

  constructor(code: CliErrorCode, message: string, advice = '', options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.advice = advice
  }
}

export interface Failure {
  readonly code: string
  readonly message: string
  readonly advice: string
  readonly exitCode: number
}

const EXIT_FAILED = 1
const EXIT_USAGE = 2
/** Consensus halted for good (R7): whoever restarts processes must not go on as if nothing were. */
const EXIT_HALTED = 3

const EXIT_BY_CODE: Readonly<Record<string, number>> = { USAGE: EXIT_USAGE, NODE_HALTED: EXIT_HALTED }

/** Errors of the program carry a code; anything else is a defect and is thrown on. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
    return {
      code: 'USAGE',
      message,
      advice: 'althing --help lists the commands and their options.',
      exitCode: EXIT_USAGE,
    }
  }
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    const advice = error instanceof CliError ? error.advice : (ADVICE[error.code] ?? '')
    const exitCode = EXIT_BY_CODE[error.code] ?? EXIT_FAILED
    return { code: error.code, message: error.message, advice, exitCode }
  }
  throw error
}

/** For errors of libraries, which do not know the command line. */
const ADVICE: Readonly<Record<string, string>> = {
  API_UNREACHABLE:
    'Is the node running? Start one with "althing start" or "althing devnet", or name it with --api URL.',
  API_TIMEOUT: 'The node is there but busy: try again, or ask another one with --api URL.',
  API_MALFORMED: 'Is --api the API of an Althing node? "althing devnet" prints the addresses of its nodes.',
  TOKEN_REQUIRED: 'Name the secret with --token-file FILE, or the node’s configuration with --config FILE.',
  NOT_FINAL_IN_TIME: '"althing status" says what the chain waits for.',
  GENESIS_MISMATCH: 'The node is on another chain than the one given with --genesis: ask another node.',
}

export function failureLines(failure: Failure): string {
  const line = `error ${failure.code}: ${failure.message}`
  return failure.advice === '' ? line : `${line}\n${failure.advice}`
}
