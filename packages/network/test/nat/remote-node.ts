/**
 * A node in another process, as its parent sees it.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { NatOptions, ReachView } from '../../src/index.ts'
import type { Internet } from './internet.ts'

export interface NodeOptions {
  /** Makes its identity; 1 to 255. */
  readonly seed: number
  readonly listen: readonly string[]
  readonly bootstrap: readonly string[]
  readonly nat: Partial<NatOptions>
}

export interface NodeState {
  readonly id: string
  readonly addresses: readonly string[]
  readonly reach: ReachView
  readonly peers: readonly {
    readonly id: string
    readonly remoteAddress: string
    readonly direction: string
  }[]
  /** The numbers that came, by who sent them. */
  readonly received: Readonly<Record<string, readonly number[]>>
  /** How often the session with a peer moved to a direct link. */
  readonly moves: Readonly<Record<string, number>>
}

const SCRIPT = fileURLToPath(new URL('./node.ts', import.meta.url))
const POLL_MS = 50

export class RemoteNode {
  readonly host: string
  readonly #child: ChildProcess
  readonly #answerById = new Map<number, (answer: { value?: unknown; error?: string }) => void>()
  #lastId = 0
  /** Its newest state that was asked for. */
  state!: NodeState

  private constructor(host: string, child: ChildProcess) {
    this.host = host
    this.#child = child
    child.on('message', (answer: { id: number; value?: unknown; error?: string }) => {
      this.#answerById.get(answer.id)?.(answer)
      this.#answerById.delete(answer.id)
    })
  }

  static async start(internet: Internet, host: string, options: NodeOptions): Promise<RemoteNode> {
    const child = internet.spawnNode(host, SCRIPT, JSON.stringify(options))
    const node = new RemoteNode(host, child)
    const gone = once(child, 'exit').then(() => Promise.reject(new Error(`the node on ${host} ended`)))
    const started = new Promise<{ value?: unknown }>((resolve) => node.#answerById.set(0, resolve))
    node.state = (await Promise.race([started, gone])).value as NodeState
    gone.catch(() => {})
    return node
  }

  get id(): string {
    return this.state.id
  }

  async #order(order: { kind: string; to?: string; number?: number }): Promise<unknown> {
    const id = ++this.#lastId
    const answered = new Promise<{ value?: unknown; error?: string }>((resolve) =>
      this.#answerById.set(id, resolve),
    )
    this.#child.send({ id, ...order })
    const { value, error } = await answered
    if (error !== undefined) throw new Error(`${this.host}: ${error}`)
    return value
  }

  /** @returns whether it was queued. */
  async count(to: RemoteNode, number: number): Promise<boolean> {
    return (await this.#order({ kind: 'count', to: to.id, number })) as boolean
  }

  async connect(address: string): Promise<void> {
    await this.#order({ kind: 'connect', to: address })
  }

  /** The address of the other end of its session with a peer; null without one. */
  linkTo(peer: RemoteNode): string | null {
    return this.state.peers.find(({ id }) => id === peer.id)?.remoteAddress ?? null
  }

  /** @throws when its state does not fit in time, with the state. */
  async until(what: string, fits: (state: NodeState) => boolean, withinMs = 15_000): Promise<void> {
    const endMs = performance.now() + withinMs
    for (;;) {
      this.state = (await this.#order({ kind: 'state' })) as NodeState
      if (fits(this.state)) return
      if (performance.now() > endMs) {
        const shown = { ...this.state, received: undefined }
        throw new Error(
          `${this.host}: waited ${withinMs} ms in vain until ${what}: ${JSON.stringify(shown, null, 1)}`,
        )
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    void this.#order({ kind: 'stop' }).catch(() => {})
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000)
    await gone
    clearTimeout(timer)
  }
}
