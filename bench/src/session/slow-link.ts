/**
 * What urgent messages wait on a slow and long link: two network namespaces with a wire between them that `tc` makes so; where that
 * cannot be done, a process between the two that passes bytes on as slowly and as late.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { say } from '../say.ts'
import { Child } from './child.ts'
import type { UrgentReport } from './urgent.ts'
import type { ServerAddress } from './wire.ts'

/** Both ways together. */
export const ROUND_TRIP_MS = 40
const MEGABITS_PER_SECOND = 50
/** Packets that wait at the bottleneck, as in a router: 0.5 s of them. */
const QUEUE_PACKETS = 2000
const SERVER_IP = '10.213.7.1'
const CLIENT_IP = '10.213.7.2'

export interface SlowLinkReport extends UrgentReport {
  /** Why the wire was a process; null when it was the kernel's. */
  readonly relayedBecause: string | null
}

export async function runSlowLinkBench(seconds: number): Promise<SlowLinkReport> {
  say(`Urgent messages and bulk over ${MEGABITS_PER_SECOND} Mbit/s and ${ROUND_TRIP_MS} ms …`)
  const missing = whatIsMissing()
  if (missing !== null) return await overRelay(seconds, missing)
  using wire = new Wire()
  if (wire.failure !== null) return await overRelay(seconds, wire.failure)
  using server = new Child('server-process.ts', ['session', SERVER_IP], wire.inServer)
  const { address } = await server.said<ServerAddress>()
  using client = new Child('client-process.ts', [address, `${seconds}`], wire.inClient)
  return { ...(await client.said<UrgentReport>()), relayedBecause: null }
}

async function overRelay(seconds: number, relayedBecause: string): Promise<SlowLinkReport> {
  using server = new Child('server-process.ts', ['session'])
  const { address } = await server.said<ServerAddress>()
  const port = /\/tcp\/(\d+)/.exec(address)![1]!
  const bytesPerMs = (MEGABITS_PER_SECOND * 1e6) / 8 / 1000
  using relay = new Child('relay-process.ts', [port, `${bytesPerMs}`, `${ROUND_TRIP_MS / 2}`])
  const relayed = address.replace(`/tcp/${port}`, `/tcp/${await relay.said<number>()}`)
  using client = new Child('client-process.ts', [relayed, `${seconds}`])
  return { ...(await client.said<UrgentReport>()), relayedBecause }
}

function whatIsMissing(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux'
  if (process.getuid?.() !== 0) return 'it needs root, to make network namespaces'
  for (const tool of ['ip', 'tc']) {
    if (spawnSync(tool, ['-V']).error !== undefined) return `it needs ${tool}, which is in iproute2`
  }
  return null
}

class Wire implements Disposable {
  readonly #server = `bench-server-${process.pid}`
  readonly #client = `bench-client-${process.pid}`
  /** What could not be done; null when the wire is there. */
  readonly failure: string | null

  constructor() {
    const [server, client] = [this.#server, this.#client]
    const slow = `netem delay ${ROUND_TRIP_MS / 2}ms rate ${MEGABITS_PER_SECOND}mbit limit ${QUEUE_PACKETS}`
    const commands = [
      `ip netns add ${server}`,
      `ip netns add ${client}`,
      `ip -n ${server} link add wire type veth peer name wire netns ${client}`,
      `ip -n ${server} address add ${SERVER_IP}/24 dev wire`,
      `ip -n ${client} address add ${CLIENT_IP}/24 dev wire`,
      ...[server, client].flatMap((name) => [
        `ip -n ${name} link set lo up`,
        `ip -n ${name} link set wire up`,
        `tc -n ${name} qdisc add dev wire root ${slow}`,
      ]),
    ]
    let failure: string | null = null
    for (const command of commands) failure ??= run(command)
    this.failure = failure
  }

  get inServer(): string[] {
    return ['ip', 'netns', 'exec', this.#server]
  }

  get inClient(): string[] {
    return ['ip', 'netns', 'exec', this.#client]
  }

  [Symbol.dispose](): void {
    for (const name of [this.#server, this.#client]) run(`ip netns delete ${name}`)
  }
}

/** @returns what went wrong. */
function run(command: string): string | null {
  const [tool, ...args] = command.split(' ')
  const { status, stderr } = spawnSync(tool!, args, { encoding: 'utf8' })
  return status === 0 ? null : `${command}: ${stderr.trim()}`
}
