/** Stops when `signal` is aborted; at once, when it was already. */
export function stopOnAbort(signal: AbortSignal | undefined, stop: () => void): void {
  if (signal?.aborted) stop()
  else signal?.addEventListener('abort', stop, { once: true })
}
