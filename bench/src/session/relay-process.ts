/**
 * A slow and long wire in user space, where the kernel has none: `<port> <bytes a millisecond> <delay one way in ms>` says on which port it
 * passes connections on to that one.
 * @module
 */
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { once } from 'node:events'

/** What waits at the bottleneck at most, as in a router: the sender is held back then. */
const QUEUE_BYTES_MAX = 3 * 1024 * 1024

const [port, bytesPerMs, delayMs] = process.argv.slice(2).map(Number) as [number, number, number]
const server = createServer({ noDelay: true }, (near) => {
  const far = connect({ port, host: '127.0.0.1', noDelay: true })
  join(near, far)
  join(far, near)
})
await once(server.listen(0, '127.0.0.1'), 'listening')
process.send!((server.address() as AddressInfo).port)
process.on('disconnect', () => process.exit())

function join(from: Socket, to: Socket): void {
  const onWay: Buffer[] = []
  let bytesOnWay = 0
  let freeMs = 0
  from.on('data', (chunk: Buffer) => {
    const nowMs = performance.now()
    freeMs = Math.max(freeMs, nowMs) + chunk.length / bytesPerMs
    onWay.push(chunk)
    bytesOnWay += chunk.length
    if (bytesOnWay > QUEUE_BYTES_MAX) from.pause()
    setTimeout(arrive, freeMs - nowMs + delayMs)
  })
  from.on('error', () => to.destroy())
  from.on('close', () => to.destroy())

  function arrive(): void {
    const chunk = onWay.shift()!
    bytesOnWay -= chunk.length
    to.write(chunk)
    if (from.isPaused() && bytesOnWay < QUEUE_BYTES_MAX / 2) from.resume()
  }
}
