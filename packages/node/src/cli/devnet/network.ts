/**
 * The running nodes of a devnet: started together, watched, stopped together.
 * @module
 */
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AlthingClient } from '@althing/client'
import type { NodeInfo } from '@althing/client'
import { CliError } from '../failure.ts'
import { configFile } from '../network-files.ts'
import { formatMs } from '../output.ts'
import type { Devnet } from './folder.ts'
import type { NodeView } from './live-view.ts'
import { exitText, logTail, startNodeProcess } from './node-process.ts'
import type { NodeExit, NodeProcess } from './node-process.ts'

const READY_MS = 60_000
const POLL_MS = 250

/** For one look at all nodes. */
const LOOK_MS = 2_000

export interface DevnetNode {
  readonly name: string
  readonly client: AlthingClient
  readonly process: NodeProcess
}

export class RunningDevnet {
  readonly nodes: readonly DevnetNode[]
  readonly #infos = new Map<string, NodeInfo>()
  readonly #ended = new Set<string>()
  #isStopping = false

  /** @param onDeath told of each node that ends without having been asked to, with an error that says why. */
  private constructor(nodes: readonly DevnetNode[], onDeath: (node: DevnetNode, error: CliError) => void) {
    this.nodes = nodes
    for (const node of nodes) {
      void node.process.exited.then(async (exit) => {
        if (this.#isStopping) return
        this.#ended.add(node.name)
        this.#infos.delete(node.name)
        const { logFile } = node.process
        onDeath(
          node,
          new CliError('NODE_DIED', exitText(exit), `The end of ${logFile}:\n${await logTail(node.process)}`),
        )
      })
    }
  }

  static async start(
    devnet: Devnet,
    onDeath: (node: DevnetNode, error: CliError) => void,
  ): Promise<RunningDevnet> {
    const logs = join(devnet.folder, 'logs')
    await mkdir(logs, { recursive: true })
    const nodes = devnet.nodes.map(async (node) => ({
      name: node.name,
      client: new AlthingClient({ url: `http://127.0.0.1:${node.apiPort}` }),
      process: await startNodeProcess(
        node.name,
        configFile(devnet.folder, node),
        join(logs, `${node.name}.log`),
      ),
    }))
    return new RunningDevnet(await Promise.all(nodes), onDeath)
  }

  get clients(): AlthingClient[] {
    return this.nodes.map(({ client }) => client)
  }

  /** Asks all nodes; one that runs and does not answer is shown as it was last. */
  async look(): Promise<NodeView[]> {
    const signal = AbortSignal.timeout(LOOK_MS)
    const asked = this.nodes.map(async ({ name, client }) => {
      const info = await client.info({ signal }).catch(() => null)
      if (info !== null) this.#infos.set(name, info)
      const known = this.#ended.has(name) ? null : (this.#infos.get(name) ?? null)
      return { name, info: info ?? known, isDown: info === null && this.#ended.has(name) }
    })
    return Promise.all(asked)
  }

  /**
   * Waits until every node answers and has a link to every other.
   * @throws {CliError} `NODE_NOT_READY` after a minute.
   */
  async waitUntilMeshed(onLook: (nodes: NodeView[]) => void, signal: AbortSignal): Promise<void> {
    const isMeshed = ({ info }: NodeView): boolean =>
      info !== null && info.peer_count >= this.nodes.length - 1
    const describe = ({ name, info }: NodeView): string =>
      `${name} (${info === null ? 'no answer' : `${info.peer_count} peers`})`
    await this.#waitForAll(
      isMeshed,
      (missing) => `not linked to all others: ${missing.map(describe).join(', ')}`,
      onLook,
      signal,
    )
  }

  /** Waits until `height` is final on every node. @throws {CliError} `NODE_NOT_READY` after a minute. */
  async waitForHeight(height: number, signal: AbortSignal): Promise<void> {
    const isThere = ({ info }: NodeView): boolean => info !== null && info.finalized_height >= height
    const describe = ({ name, info }: NodeView): string =>
      `${name} is at ${info?.finalized_height ?? 'no height'}`
    await this.#waitForAll(
      isThere,
      (missing) => `not at height ${height}: ${missing.map(describe).join(', ')}`,
      () => {},
      signal,
    )
  }

  async #waitForAll(
    holds: (node: NodeView) => boolean,
    describe: (missing: readonly NodeView[]) => string,
    onLook: (nodes: NodeView[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const startMs = performance.now()
    for (;;) {
      const views = await this.look()
      onLook(views)
      const missing = views.filter((node) => !holds(node))
      if (missing.length === 0) return
      if (performance.now() - startMs > READY_MS) {
        const message = `after ${formatMs(READY_MS)} ${describe(missing)}`
        throw new CliError(
          'NODE_NOT_READY',
          message,
          `The logs are in ${dirname(this.nodes[0]!.process.logFile)}.`,
        )
      }
      await sleep(POLL_MS, undefined, { signal })
    }
  }

  /** Asks all to end; they are given ten seconds. */
  async stop(): Promise<readonly NodeExit[]> {
    this.#isStopping = true
    return Promise.all(this.nodes.map((node) => node.process.stop()))
  }
}
