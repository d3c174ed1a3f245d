/**
 * What untrusted input yields: a value, or a fault said as a value and never thrown.
 * @module
 */

/** Why something from outside was refused: a stable code for programs, a sentence for people. */
export interface Fault {
  readonly code: string
  readonly message: string
}

export type Result<T, F extends Fault = Fault> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: F }

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}

export function fail<Code extends string>(
  code: Code,
  message: string,
): { readonly ok: false; readonly fault: { readonly code: Code; readonly message: string } } {
  return { ok: false, fault: { code, message } }
}
