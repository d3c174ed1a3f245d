/**
 * Handshakes that are cut at random moments and bytes, with the garbage collector at work. A program of its own, since what it may not
 * do is end: it prints how the handshakes ended, and its exit code is 0.
 * Arguments: number of handshakes, seed. Needs --expose-gc.
 * @module
 */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { MultiaddrConnection } from '@libp2p/interface'
import { party, socketOf, TlsWorld } from './tls-world.ts'
import type { Detour, TcpPair } from './tls-world.ts'

const AT_ONCE = 32
/** Both sides together say less than this in a handshake. */
const HANDSHAKE_BYTES_MAX = 5000
const TURNS_MAX = 12

const [handshakes = 0, seed = 0] = process.argv.slice(2).map(Number)
const { gc } = globalThis
if (gc === undefined) throw new Error('run with --expose-gc')

/** Mulberry32. @returns whole numbers from 0 to below `end`. */
function createRandom(fromSeed: number): (end: number) => number {
  let state = fromSeed
  return (end) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end)
  }
}

const random = createRandom(seed)
const pick = <T>(values: readonly T[]): T => values[random(values.length)]!

interface Trap {
  readonly event: string
  readonly act: () => void
}

/** What to do, once, when the TLS socket of an end emits something: for 'secure', that is on the stack of OpenSSL. */
const trapByPorts = new Map<string, Trap>()
const portsOf = ({ localPort, remotePort }: Socket): string => `${localPort} to ${remotePort}`

const emit = Reflect.get(TLSSocket.prototype, 'emit')
TLSSocket.prototype.emit = function (this: TLSSocket, event, ...values) {
  const trap = trapByPorts.get(portsOf(this))
  if (trap?.event === event) {
    trapByPorts.delete(portsOf(this))
    trap.act()
  }
  return Reflect.apply(emit, this, [event, ...values]) as boolean
}

const ways: readonly ((end: MultiaddrConnection) => void)[] = [
  (end) => end.abort(new Error('cut')),
  (end) => void end.close().catch(() => {}),
  (end) => void socketOf(end).destroy(),
  (end) => void socketOf(end).end(),
]

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Lets a number of bytes through, then ends, resets or damages what follows. */
const cutAtByte: Detour = async (port) => {
  let left = random(HANDSHAKE_BYTES_MAX)
  const way = pick(['destroy', 'reset', 'damage', 'end'])
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('error', () => to.destroy()).on('close', () => to.destroy())
      from.on('data', (bytes) => {
        left -= bytes.length
        if (left >= 0) return void to.write(bytes)
        if (way === 'damage') return void to.write(bytes.map((byte) => byte ^ 0x55))
        to.write(bytes.subarray(0, left))
        if (way === 'end') to.end()
        else if (way === 'reset') to.resetAndDestroy()
        else to.destroy()
      })
    }
    server.close()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const delays: readonly ((act: () => void) => void)[] = [
  (act) => act(),
  (act) => queueMicrotask(act),
  (act) => process.nextTick(act),
]

const cuts: Readonly<Record<string, (pair: TcpPair) => void>> = {
  turn: ({ dialled, accepted }) => {
    const end = pick([dialled, accepted])
    const way = pick(ways)
    void turns(random(TURNS_MAX)).then(() => way(end))
  },
  event: ({ dialled, accepted }) => {
    const end = pick([dialled, accepted])
    const way = pick(ways)
    const victim = pick([end, end, dialled, accepted])
    const event = pick(['secure', 'secure', 'data', 'end'])
    const delay = pick(delays)
    trapByPorts.set(portsOf(socketOf(end)), { event, act: () => delay(() => way(victim)) })
  },
  nothing: () => {},
}

const alice = [await party('ours', 1), await party('stock', 1)]
const bob = [await party('ours', 2), await party('stock', 2)]
const MOSTLY_OURS = [0, 0, 0, 0, 0, 1]
/** Sides of handshakes. */
const counts: Record<string, number> = { opened: 0, cut: 0 }

async function handshake(): Promise<void> {
  const world = new TlsWorld()
  const isByte = random(3) === 0
  const pair = await world.pair(isByte ? { detour: cutAtByte } : {})
  const { dialled, accepted } = pair
  cuts[isByte ? 'nothing' : pick(['turn', 'event', 'nothing'])]!(pair)
  const dialler = alice[pick(MOSTLY_OURS)]!
  const listener = bob[pick(MOSTLY_OURS)]!
  const signal = AbortSignal.timeout(pick([5, 50, 500]))
  const sessions = [
    dialler.encrypter.secureOutbound(dialled, { signal, remotePeer: pick([alice, bob, bob])[0]!.peerId }),
    listener.encrypter.secureInbound(accepted, { signal }),
  ].map(async (session, side) => {
    const { connection } = await session
    connection.addEventListener('message', () => pick([...ways, () => {}])([dialled, accepted][side]!))
    if (random(2) === 0) connection.send(new Uint8Array(random(100_000)))
    await turns(random(4))
    pick([
      () => {},
      () => connection.abort(new Error('enough')),
      () => void connection.close().catch(() => {}),
    ])()
  })
  for (const { status } of await Promise.allSettled(sessions))
    counts[status === 'fulfilled' ? 'opened' : 'cut']!++
  await turns(random(4))
  await world.stop()
}

let begun = 0
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (begun++ < handshakes) {
      await handshake()
      if (begun % 4 === 0) gc({ type: begun % 32 === 0 ? 'major' : 'minor', execution: 'sync' })
    }
  }),
)
gc()
console.log(JSON.stringify(counts))
