/** Ctrl-C, SIGTERM, or the end of the process that started this one with a channel. */
export function stopRequested(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
    if (process.channel === undefined) return
    process.once('disconnect', () => resolve())
    // Listening alone would keep the process alive after it has stopped.
    process.channel.unref()
  })
}
