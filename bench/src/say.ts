/** What the benchmark is doing, for who waits: on standard error, apart from the result. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
