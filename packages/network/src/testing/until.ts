const STEP_MS = 5

/**
 * Waits until a condition holds.
 * @throws when it does not within `withinMs`, naming `what`.
 */
export async function until(what: string, condition: () => boolean, withinMs = 10_000): Promise<void> {
  const endMs = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`waited ${withinMs} ms in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, STEP_MS))
  }
}
