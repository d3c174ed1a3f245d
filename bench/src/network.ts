/**
 * A network of real processes for measuring: made by `althing init` in a folder of its own, on loopback.
 * @module
 */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AlthingClient, fetchTrusted, parseHash, portableSigner, Sender, transfer } from '@althing/client'
import type { NodeInfo, Signer, Trusted } from '@althing/client'

const PROGRAM = fileURLToPath(new URL('./cli/main.ts', import.meta.resolve('althing')))
const READY_MS = 60_000
const STOP_MS = 15_000
const PORTS_FROM = 26_000
/** Far more than an account can spend on fees while it is measured. */
const ACCOUNT_MONEY = 1_000_000n
/** Transfers in one transaction. */
const TRANSFERS_MAX = 50

export class BenchNode {
  readonly name: string
  readonly url: string
  readonly client: AlthingClient
  readonly #configFile: string
  readonly #logFile: string
  #child: ChildProcess | null = null

  constructor(name: string, configFile: string, logFile: string, apiPort: number) {
    this.name = name
    this.url = `http://127.0.0.1:${apiPort}`
    this.client = new AlthingClient({ url: this.url, timeoutMs: 20_000 })
    this.#configFile = configFile
    this.#logFile = logFile
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error(`${this.name} does not run`)
    return pid
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const log = openSync(this.#logFile, 'a')
    const child = spawn(process.execPath, [PROGRAM, 'start', '--config', this.#configFile], {
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    this.#child = child
    await until(`${this.name} answers`, async () => {
      if (child.exitCode !== null)
        throw new Error(`${this.name} ended:\n${readFileSync(this.#logFile, 'utf8')}`)
      return this.client.info().then(
        () => true,
        () => false,
      )
    })
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await exited
    clearTimeout(timer)
  }
}

export interface NetworkShape {
  readonly authorities: number
  readonly intervalMs: number
  /** Of one block, at most. */
  readonly blockBytes?: number
}

export class BenchNetwork implements AsyncDisposable {
  readonly nodes: readonly BenchNode[]
  readonly trusted: Trusted
  readonly #folder: string
  readonly #treasury: Signer

  private constructor(folder: string, nodes: readonly BenchNode[], trusted: Trusted, treasury: Signer) {
    this.#folder = folder
    this.nodes = nodes
    this.trusted = trusted
    this.#treasury = treasury
  }

  /** Resolves when every node is linked to every other. */
  static async start(shape: NetworkShape): Promise<BenchNetwork> {
    const folder = mkdtempSync(join(tmpdir(), 'althing-bench-'))
    const { nodes, genesisHash, keyFile } = await makeFiles(folder, shape)
    try {
      await Promise.all(nodes.map((node) => node.start()))
      await until('all nodes are linked', async () => {
        const infos = await Promise.all(nodes.map(({ client }) => client.info()))
        return infos.every(({ peer_count }) => peer_count >= nodes.length - 1)
      })
      const { seed } = JSON.parse(readFileSync(keyFile, 'utf8')) as { readonly seed: string }
      const trusted = await fetchTrusted(nodes[0]!.client, parseHash(genesisHash)!)
      return new BenchNetwork(folder, nodes, trusted, portableSigner(parseHash(seed)!))
    } catch (error) {
      await Promise.all(nodes.map((node) => node.end('SIGKILL')))
      throw error
    }
  }

  /** Gives each of these accounts money of its own. */
  async fund(accounts: readonly Uint8Array[]): Promise<void> {
    const { client } = this.nodes[0]!
    const sender = await Sender.open(client, this.#treasury, this.trusted)
    for (let from = 0; from < accounts.length; from += TRANSFERS_MAX) {
      const part = accounts.slice(from, from + TRANSFERS_MAX)
      const { status, fault } = await sender.send(part.map((to) => transfer({ to, amount: ACCOUNT_MONEY })))
      if (status !== 'final') throw new Error(`the accounts got no money: ${fault?.message ?? status}`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end('SIGTERM')))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

interface MadeFiles {
  readonly nodes: readonly BenchNode[]
  readonly genesisHash: string
  readonly keyFile: string
}

async function makeFiles(folder: string, shape: NetworkShape): Promise<MadeFiles> {
  const { authorities, intervalMs, blockBytes = 1_048_576 } = shape
  const p2pPort = await freePorts(authorities, PORTS_FROM)
  const apiPort = await freePorts(authorities, p2pPort + authorities)
  const options = {
    authorities,
    policy: 'open',
    'block-bytes': blockBytes,
    'p2p-port': p2pPort,
    'api-port': apiPort,
  }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  args.push('--interval', `${intervalMs}ms`, '--json')
  const { stdout } = await promisify(execFile)(process.execPath, [
    PROGRAM,
    'init',
    join(folder, 'network'),
    ...args,
  ])
  const made = JSON.parse(stdout) as {
    readonly genesis_hash: string
    readonly account_key_file: string
    readonly nodes: readonly { readonly name: string; readonly config: string; readonly api_port: number }[]
  }
  const nodes = made.nodes.map(
    ({ name, config, api_port }) => new BenchNode(name, config, join(folder, `${name}.log`), api_port),
  )
  return { nodes, genesisHash: made.genesis_hash, keyFile: made.account_key_file }
}

/** The node's answer when the next block is final there, and when that was seen. Looks every 10 ms. */
export async function nextBlock(
  client: AlthingClient,
): Promise<{ readonly info: NodeInfo; readonly atMs: number }> {
  const { finalized_height: before } = await client.info()
  return until('another block is final', async () => {
    const info = await client.info()
    return info.finalized_height > before && { info, atMs: performance.now() }
  })
}

/** Looks every 10 ms. @throws when it does not come about within a minute. */
async function until<T>(what: string, look: () => Promise<T | false>): Promise<T> {
  const endMs = performance.now() + READY_MS
  while (performance.now() < endMs) {
    const seen = await look()
    if (seen !== false) return seen
    await sleep(10)
  }
  throw new Error(`not within ${READY_MS / 1000} s: ${what}`)
}

/** The first of `count` free ports in a row. */
async function freePorts(count: number, from: number): Promise<number> {
  for (let first = from; first + count < 65_536; first += count) {
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)))
    if (free.every(Boolean)) return first
  }
  throw new Error(`no ${count} free ports in a row above ${from}`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
