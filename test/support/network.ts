/**
 * Real networks for tests: real processes of the program, real sockets on loopback, a folder of their own.
 * @module
 */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AlthingClient, fetchTrusted, parseHash, portableSigner, Sender } from '@althing/client'
import type { NodeInfo, Signer, Trusted } from '@althing/client'

const PROGRAM = fileURLToPath(new URL('./cli/main.ts', import.meta.resolve('althing')))
const POLL_MS = 20

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs one command of the program to its end. */
export async function althing(
  args: readonly string[],
  options: { cwd?: string } = {},
): Promise<CommandResult> {
  const run = promisify(execFile)
  const env = { ...process.env, NO_COLOR: '1' }
  try {
    const { stdout, stderr } = await run(process.execPath, [PROGRAM, ...args], {
      ...options,
      env,
      timeout: 120_000,
    })
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}

/** Polls until `look` gives something. @throws what it saw last, when the bound is reached. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  boundMs = 20_000,
): Promise<T> {
  const end = performance.now() + boundMs
  let last: unknown
  for (;;) {
    try {
      const seen = await look()
      if (seen !== undefined && seen !== false) return seen
      last = seen
    } catch (error) {
      last = error
    }
    if (performance.now() > end)
      throw new Error(`not within ${boundMs} ms: ${what}; last seen: ${String(last)}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** One node of a test network: a process that can be killed and started again. */
export class TestNode {
  readonly name: string
  readonly folder: string
  readonly configFile: string
  readonly client: AlthingClient
  readonly logFile: string
  /** Of its process from the next start on: what goes before the program's own command line, and its environment. */
  launch: { readonly prefix: readonly string[]; readonly environment: Readonly<Record<string, string>> } = {
    prefix: [],
    environment: {},
  }
  #child: ChildProcess | null = null

  constructor(name: string, folder: string, apiPort: number) {
    this.name = name
    this.folder = folder
    this.configFile = join(folder, 'config.toml')
    this.logFile = join(folder, 'log')
    this.client = new AlthingClient({ url: `http://127.0.0.1:${apiPort}`, retries: 0, timeoutMs: 5_000 })
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  start(...args: string[]): void {
    const log = openSync(this.logFile, 'a')
    const { prefix, environment } = this.launch
    const [command, ...rest] = [
      ...prefix,
      process.execPath,
      PROGRAM,
      'start',
      '--config',
      this.configFile,
      ...args,
    ]
    this.#child = spawn(command!, rest, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...environment },
    })
    closeSync(log)
  }

  /** Resolves when its API answers. */
  ready(boundMs = 60_000): Promise<NodeInfo> {
    return until(
      `${this.name} answers`,
      () => {
        if (this.#child?.exitCode !== null) throw new Error(`it ended:\n${this.log()}`)
        return this.client.info()
      },
      boundMs,
    )
  }

  info(): Promise<NodeInfo> {
    return this.client.info()
  }

  /** Resolves with its exit code when it has ended by itself. */
  async ended(): Promise<number | null> {
    const child = this.#child
    if (child !== null && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return child?.exitCode ?? null
  }

  /** Ends it at once, without a chance to tidy up. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Asks it to end. @returns its exit code. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM')
  }

  log(): string {
    return readFileSync(this.logFile, 'utf8')
  }

  /** Resolves when a final block of at least this height is here. */
  atHeight(height: number, boundMs?: number): Promise<NodeInfo> {
    return until(
      `${this.name} has final height ${height}`,
      async () => {
        const info = await this.info()
        return info.finalized_height >= height && info
      },
      boundMs,
    )
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (child === null || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
    return child.exitCode
  }
}

export interface NetworkShape {
  readonly authorities?: number
  readonly full?: number
  readonly intervalMs?: number
  readonly idleIntervalMs?: number
  readonly policy?: 'members' | 'open'
}

export class TestNetwork implements AsyncDisposable {
  readonly folder: string
  readonly nodes: readonly TestNode[]
  readonly accountKeyFile: string
  /** Owns all money. */
  readonly account: Signer
  readonly genesisHash: Uint8Array

  private constructor(
    folder: string,
    nodes: readonly TestNode[],
    accountKeyFile: string,
    genesisHash: Uint8Array,
  ) {
    this.folder = folder
    this.nodes = nodes
    this.accountKeyFile = accountKeyFile
    this.genesisHash = genesisHash
    this.account = signerOf(accountKeyFile)
  }

  /** Makes the files by `althing init`; starts nothing. */
  static async create(shape: NetworkShape = {}): Promise<TestNetwork> {
    const { authorities = 4, full = 0, intervalMs = 100, idleIntervalMs = 60_000, policy = 'members' } = shape
    const parent = mkdtempSync(join(tmpdir(), 'althing-test-'))
    const folder = join(parent, 'network')
    const count = authorities + full
    const p2pPort = await freeRun(count)
    const apiPort = await freeRun(count, p2pPort + count)
    const made = await althing(
      ['init', folder, '--json', '--policy', policy].concat(
        ['--authorities', `${authorities}`, '--full', `${full}`],
        ['--p2p-port', `${p2pPort}`, '--api-port', `${apiPort}`],
        ['--interval', `${intervalMs}ms`, '--idle-interval', `${idleIntervalMs}ms`],
      ),
    )
    if (made.code !== 0) throw new Error(`althing init failed: ${made.stderr}`)
    const plan = JSON.parse(made.stdout) as {
      genesis_hash: string
      account_key_file: string
      nodes: { name: string; folder: string; api_port: number }[]
    }
    const nodes = plan.nodes.map((node) => new TestNode(node.name, node.folder, node.api_port))
    return new TestNetwork(parent, nodes, plan.account_key_file, parseHash(plan.genesis_hash)!)
  }

  /** Starts the nodes and waits until they answer. */
  async start(nodes: readonly TestNode[] = this.nodes): Promise<void> {
    for (const node of nodes) node.start()
    await Promise.all(nodes.map((node) => node.ready()))
  }

  trusted(node = this.nodes[0]!): Promise<Trusted> {
    return fetchTrusted(node.client, this.genesisHash)
  }

  async sender(node = this.nodes[0]!, signer = this.account): Promise<Sender> {
    return Sender.open(node.client, signer, await this.trusted(node))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export function signerOf(keyFile: string): Signer {
  const { seed } = JSON.parse(readFileSync(keyFile, 'utf8')) as { seed: string }
  return portableSigner(parseHash(seed)!)
}

/** The first port of a run of free ones, below those that systems give out. Each test process looks in its own part. */
async function freeRun(count: number, from = 20_000 + (process.pid % 120) * 100): Promise<number> {
  for (let first = from; first + count < 32_768; first += count) {
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)))
    if (free.every(Boolean)) return first
  }
  throw new Error(`no ${count} free ports in a row above ${from}`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
