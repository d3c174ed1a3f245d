/**
 * Keeps ports forwarded by the router while the node runs (UPnP IGD), and ends that when it stops.
 * @module
 */
import type { Log } from '@althing/base'
import { parseAddress } from '../protocol/address.ts'
import { externalHost, findGateway, forward, unforward } from './igd.ts'
import type { Forward, Gateway } from './igd.ts'

const LEASE_SECONDS = 3600
/** Also how soon a router that restarted, or got another address, is asked anew. */
const RENEW_MS = 300_000
/** When there was no router, or it refused. */
const RETRY_MS = 60_000
const STEP_TIMEOUT_MS = 5000

/** Something to forward, and how it is written in an address. */
interface Door extends Forward {
  readonly suffix: string
}

export class PortForwarding {
  readonly #doors: readonly Door[]
  readonly #log: Log
  readonly #onChanged: (addresses: readonly string[]) => void
  readonly #stopped = new AbortController()
  readonly #done: Promise<void>
  #addresses: readonly string[] = []

  /** @param onChanged gets the multiaddrs at the router that lead here now; all of them. */
  constructor(listening: readonly string[], log: Log, onChanged: (addresses: readonly string[]) => void) {
    this.#doors = doorsOf(listening)
    this.#log = log
    this.#onChanged = onChanged
    this.#done = this.#doors.length === 0 ? Promise.resolve() : this.#run()
  }

  async #run(): Promise<void> {
    let gateway: Gateway | null = null
    while (!this.#stopped.signal.aborted) {
      try {
        gateway ??= await findGateway(this.#within())
        this.#tell(await this.#forwardAll(gateway))
        await this.#pause(RENEW_MS)
      } catch (error) {
        if (this.#stopped.signal.aborted) break
        this.#log.info('no port is forwarded', {
          reason: error instanceof Error ? error.message : String(error),
        })
        this.#tell([])
        gateway = null
        await this.#pause(RETRY_MS)
      }
    }
    if (gateway === null) return
    for (const door of this.#doors)
      await unforward(gateway, door, AbortSignal.timeout(STEP_TIMEOUT_MS)).catch(() => {})
  }

  async #forwardAll(gateway: Gateway): Promise<string[]> {
    const host = await externalHost(gateway, this.#within())
    const addresses: string[] = []
    for (const door of this.#doors) {
      await forward(gateway, door, LEASE_SECONDS, this.#within())
      addresses.push(`/ip4/${host}${door.suffix}`)
    }
    return addresses
  }

  #tell(addresses: readonly string[]): void {
    if (addresses.join() === this.#addresses.join()) return
    this.#addresses = addresses
    this.#log.info('ports forwarded by the router', { addresses })
    this.#onChanged(addresses)
  }

  #within(): AbortSignal {
    return AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(STEP_TIMEOUT_MS)])
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#stopped.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** Resolves when the router forwards nothing any more, or did not answer. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#done
  }
}

/** One for each port that others could reach through a router. */
function doorsOf(listening: readonly string[]): Door[] {
  const bySuffix = new Map<string, Door>()
  for (const text of listening) {
    const address = parseAddress(text)
    if (address?.hostKind !== 'ip4' || address.host.startsWith('127.') || address.relay !== null) continue
    const suffix = `/${address.text.split('/').slice(3).join('/')}`
    const protocol = address.carrier === 'quic' ? 'UDP' : 'TCP'
    bySuffix.set(suffix, { suffix, protocol, port: address.port })
  }
  return [...bySuffix.values()]
}
