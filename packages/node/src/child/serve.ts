/**
 * The other side of a `Child`: takes orders of the process that started this one.
 * @module
 */
import { Worker } from 'node:worker_threads'

/**
 * @param take called for each order; what it gives to `answer` goes to the parent.
 */
export function serveParent<Order, Answer>(
  take: (order: Order, answer: (answer: Answer) => void) => void,
): void {
  const answer = (message: Answer): void => void process.send?.(message)
  // The parent ends its children itself, after it has answered what was asked.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  process.once('disconnect', () => process.exit())
  // Work that does not end would never see the disconnection: a thread looks whether the parent is there (C2).
  const watch = new Worker(new URL('./watch-parent.ts', import.meta.url))
  watch.once('message', () => {
    watch.unref()
    process.on('message', (order) => take(order as Order, answer))
  })
}
