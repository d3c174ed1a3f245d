/**
 * Nodes for a test, and everything that they said.
 * @module
 */
import { silentLog } from '@althing/base'
import type { NetworkConfig } from '../config.ts'
import { startNetwork } from '../network.ts'
import type { Network, NetworkEvent } from '../network-types.ts'
import { CONTROL, encodeHello } from '../protocol/control.ts'
import { FRAME_HEADER_BYTES, writeFrame } from '../protocol/frame.ts'
import type { FrameHeader } from '../protocol/frame.ts'
import type { Hello } from '../protocol/hello.ts'
import type { CreateTransport, Link, Transport } from '../transport.ts'
import { until } from './until.ts'

export interface TransportUnderTest {
  readonly transport: CreateTransport
  /** Any free address that others in the test can dial. */
  readonly listen: string
}

const GENESIS = new Uint8Array(32).fill(7)
const SESSION_PROTOCOL = '/althing/0707070707070707/session/1'
const HELLO_PROTOCOL = '/althing/hello/1'

const KINDS = {
  vote: { id: 1, lane: 'critical', maxBytes: 4096 },
  block: { id: 2, lane: 'high', maxBytes: 4 * 1024 * 1024 },
  transaction: { id: 3, lane: 'normal', maxBytes: 64 * 1024, gossip: true },
  range: { id: 4, lane: 'high', maxBytes: 8 * 1024 * 1024 },
  bulk: { id: 5, lane: 'low', maxBytes: 8 * 1024 * 1024 },
} as const

export interface TestNode {
  readonly network: Network
  readonly events: readonly NetworkEvent[]
  /** Log lines of level warn. */
  readonly warnings: readonly string[]
}

export class TestWorld {
  readonly #under: TransportUnderTest
  readonly #networks: Network[] = []
  readonly #transports: Transport[] = []
  #identities = 0

  constructor(under: TransportUnderTest) {
    this.#under = under
  }

  async node(options: Partial<NetworkConfig> = {}): Promise<TestNode> {
    const events: NetworkEvent[] = []
    const warnings: string[] = []
    const network = await startNetwork({
      identity: this.identity(),
      networkId: 'test',
      genesisHash: GENESIS,
      versions: { min: 1, max: 1 },
      listen: [this.#under.listen],
      bootstrap: [],
      nodeType: 'full',
      features: [],
      status: () => ({ height: 0, finalizedHeight: 0, lowestHeight: 0 }),
      kinds: KINDS,
      transport: this.#under.transport,
      backoffMinMs: 50,
      lingerMs: 200,
      handshakeTimeoutMs: 5000,
      log: { ...silentLog, warn: (message, fields) => warnings.push(`${message} ${JSON.stringify(fields)}`) },
      ...options,
    })
    this.#networks.push(network)
    network.subscribe((event) => events.push(event))
    return { network, events, warnings }
  }

  /** Two nodes with an open session. */
  async pair(options: Partial<NetworkConfig> = {}): Promise<[Network, Network]> {
    const a = await this.node(options)
    const b = await this.node(options)
    await join(a.network, b.network)
    return [a.network, b.network]
  }

  /** Someone who speaks bytes, not our protocol. */
  async stranger(onInbound: (link: Link) => void = () => {}): Promise<Stranger> {
    const transport = await this.#under.transport({
      identity: this.identity(),
      sessionProtocol: SESSION_PROTOCOL,
      helloProtocol: HELLO_PROTOCOL,
      listen: [this.#under.listen],
      handshakeTimeoutMs: 5000,
      idleTimeoutMs: 60_000,
      log: silentLog,
      onInbound,
    })
    this.#transports.push(transport)
    await transport.start()
    return new Stranger(transport)
  }

  identity(): Uint8Array {
    return new Uint8Array(32).fill(++this.#identities)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#networks.map((network) => network.stop()))
    await Promise.all(this.#transports.map((transport) => transport.stop()))
  }
}

export class Stranger {
  readonly transport: Transport

  constructor(transport: Transport) {
    this.transport = transport
  }

  /** Links to a node, with what comes back. */
  async link(to: Network): Promise<StrangerLink> {
    return new StrangerLink(await this.transport.dial(to.addresses()[0]!, AbortSignal.timeout(5000)))
  }
}

export class StrangerLink {
  readonly link: Link
  receivedBytes = 0
  closed = false

  constructor(link: Link) {
    this.link = link
    link.open({
      onData: (chunk) => (this.receivedBytes += chunk.length),
      onWritable: () => {},
      onClosed: () => (this.closed = true),
    })
  }

  /** Goes through the handshake as a node of the test's network would. */
  async shakeHands(): Promise<void> {
    this.link.write(frame({ kind: CONTROL.hello }, encodeHello(HELLO)))
    await until('the node said hello', () => this.receivedBytes > 0)
    this.link.write(frame({ kind: CONTROL.helloAccepted }, new Uint8Array(0)))
  }
}

const HELLO: Hello = {
  versions: { min: 1, max: 1 },
  networkId: 'test',
  genesisHash: GENESIS,
  status: { height: 0, finalizedHeight: 0, lowestHeight: 0 },
  nodeType: 'full',
  addresses: [],
  features: [],
  credential: new Uint8Array(0),
}

export function frame(header: Partial<FrameHeader>, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER_BYTES + body.length)
  writeFrame(
    out,
    0,
    { kind: 1, lane: 'critical', role: 'message', more: false, compressed: false, requestId: 0, ...header },
    body,
  )
  return out
}

/** Connects and waits until both know. */
export async function join(from: Network, to: Network): Promise<void> {
  await from.connect(to.addresses()[0]!)
  await until('both sides have the session', () => isConnected(from, to) && isConnected(to, from))
}

export function isConnected(from: Network, to: Network): boolean {
  return from.peers().some(({ id }) => id === to.peerId)
}

export function refusals(node: TestNode): { side: string; code: string }[] {
  return node.events.flatMap((event) =>
    event.kind === 'peerRefused' ? [{ side: event.side, code: event.reason.code }] : [],
  )
}

export function endings(node: TestNode): { by: string; code: string }[] {
  return node.events.flatMap((event) =>
    event.kind === 'peerDisconnected' ? [{ by: event.by, code: event.reason.code }] : [],
  )
}
