/** Replaces a text in a source. @module */
import assert from 'node:assert/strict'

export interface Patch {
  /** Occurs exactly once. */
  readonly original: string
  readonly replacement: string
}

export function patched(source: string, { original, replacement }: Patch): string {
  const parts = source.split(original)
  assert.equal(parts.length, 2, `the source has "${original}" exactly once`)
  return parts.join(replacement)
}
