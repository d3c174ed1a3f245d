/**
 * Free TCP ports on this machine.
 * @module
 */
import { createServer } from 'node:net'

export type IsFree = (port: number) => Promise<boolean>

const PORT_MAX = 65_535

/**
 * The wanted ports, each replaced, where it is not free, by the next free one above it. No port is given twice.
 * Free is what they were a moment ago: another program may be faster.
 * @throws {RangeError} when there is none up to 65535.
 */
export async function choosePorts(wanted: readonly number[], isFree: IsFree = isPortFree): Promise<number[]> {
  const chosen: number[] = []
  for (const first of wanted) {
    let port = first
    while (port <= PORT_MAX && (chosen.includes(port) || !(await isFree(port)))) port++
    if (port > PORT_MAX) throw new RangeError(`no free port from ${first} to ${PORT_MAX}`)
    chosen.push(port)
  }
  return chosen
}

/** On the loopback address, which is the only one that a devnet listens on. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
