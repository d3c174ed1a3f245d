/** A broken promise of our own code. It is never caught: the process stops. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Stops the process when our own code is wrong. Never use it for what a peer or a person sends. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** For the default branch of a switch over a union: a compile error when a case is missing. */
export function unreachable(value: never): never {
  throw new AssertionError(`unexpected value: ${JSON.stringify(value)}`)
}
