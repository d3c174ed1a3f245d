/**
 * The shell of the consensus core: feeds it what arrives and performs its effects in order. It decides nothing.
 * I1  what a step appends to the vote log is durable before anything that follows it leaves the process (R2)
 * I2  blocks reach the core only after the signatures of their transactions were looked at
 * I3  commits reach the store one at a time; what queues meanwhile goes into the next one, up to the end of an epoch:
 *     the block that ends one is always the last of its commit, so that its finalization is kept (R11)
 * I4  after a failure nothing more leaves the process, and `onFatal` hears of the first one only
 * @module
 */
import { BLOCK_BYTES_MAX, endsEpoch } from '@althing/base'
import type { Certificate, Clock, Log } from '@althing/base'
import type {
  Consensus,
  ConsensusEvent,
  ConsensusMessage,
  Effect,
  FinalBlock,
  Input,
  Now,
  PeerRef,
} from '@althing/chain'
import { CheckBudget } from '../verifier/budget.ts'

export interface VoteLogWriter {
  append(record: Uint8Array): void
  /** The last segment is complete; this one follows it. */
  startSegment(sequence: number, bytes: Uint8Array): void
  /** Resolves when everything appended before the call is durable. */
  sync(): Promise<void>
  forget(belowSequence: number): void
}

export interface CommitOrder {
  readonly blocks: readonly FinalBlock[]
  /** Of the last block that has one; null when all are final by a later one that is not here yet (R10). */
  readonly finalization: Certificate | null
}

export interface DriverPorts {
  readonly core: Pick<Consensus, 'start' | 'handle' | 'nextDeadlineMs'>
  /** One for each key of the authority; none on a full node. */
  readonly voteLogs: readonly VoteLogWriter[]
  readonly clock: Clock
  readonly log: Log
  /** Looks at the transaction signatures of blocks, in the worker pool; true ones are remembered for the executor. */
  checkSignatures(encoded: readonly Uint8Array[]): Promise<void>
  broadcast(message: ConsensusMessage): void
  send(to: PeerRef, message: ConsensusMessage): void
  charge(peer: PeerRef, reason: string): void
  /** Resolves when the blocks are final on disk. */
  commit(order: CommitOrder): Promise<void>
  onEvent(event: ConsensusEvent): void
  /** R12: brings the rejoin of this key into a block, if it is not under way already. */
  submitRejoin(key: Uint8Array, nonce: Uint8Array): void
  /** Our own code or disk failed; the node must stop. */
  onFatal(error: unknown): void
}

/** What waits its turn; the vote log is written at once. */
type Ordered = Exclude<Effect, { kind: 'append' | 'startSegment' }>

/** Blocks whose signatures are being looked at; more are dropped, the core asks again. A peer may have two in it. */
const CHECKING = { bytesMax: 64 * 1024 * 1024, peerBytesMax: 2 * BLOCK_BYTES_MAX }
const TIMER_MS_MAX = 60_000

export class ConsensusDriver {
  readonly #ports: DriverPorts
  readonly #outbox: { readonly effect: Ordered; readonly afterRecord: number }[] = []
  /** Records appended so far, and how many of them are durable. */
  #appended = 0
  #durable = 0
  #draining: Promise<void> | null = null
  readonly #commits: CommitOrder[] = []
  #committing: Promise<void> | null = null
  #timer: NodeJS.Timeout | undefined
  readonly #checking = new CheckBudget(CHECKING)
  #stopped = false

  constructor(ports: DriverPorts) {
    this.#ports = ports
  }

  now(): Now {
    const { clock } = this.#ports
    return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() }
  }

  start(): void {
    this.#perform(this.#ports.core.start(this.now()))
  }

  /** Resolves when what was already final is durable and nothing more will be sent. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    while (this.#draining !== null || this.#committing !== null) {
      await this.#draining
      await this.#committing
    }
  }

  feed(input: Input): void {
    if (this.#stopped) return
    try {
      this.#perform(this.#ports.core.handle(input, this.now()))
    } catch (error) {
      this.#fatal(error)
    }
  }

  /** A message from a peer. Those that carry blocks wait until their signatures have been looked at. */
  receive(from: PeerRef, authority: number | null, message: ConsensusMessage): void {
    const encoded = transactionsOf(message)
    if (encoded.length === 0) {
      this.feed({ kind: 'messageReceived', from, authority, message })
      return
    }
    const bytes = encoded.reduce((sum, one) => sum + one.length, 0)
    if (!this.#checking.take(from, bytes)) {
      this.#ports.log.warn('too many blocks wait for their signature checks; one was dropped', {
        from,
        bytes,
      })
      return
    }
    this.#ports.checkSignatures(encoded).then(
      () => {
        this.#checking.give(from, bytes)
        this.feed({ kind: 'messageReceived', from, authority, message })
      },
      (error) => this.#fatal(error),
    )
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'append') {
        this.#ports.voteLogs[effect.log]!.append(effect.record)
        this.#appended++
      } else if (effect.kind === 'startSegment') {
        this.#ports.voteLogs[effect.log]!.startSegment(effect.sequence, effect.bytes)
        this.#appended++
      } else {
        this.#outbox.push({ effect, afterRecord: this.#appended })
      }
    }
    this.#performReady()
    this.#armTimer()
  }

  /** Performs effects in order, up to the first that must wait for the disk; goes on when that is done. */
  #performReady(): void {
    if (this.#draining !== null) return
    for (let next = this.#outbox[0]; next !== undefined; next = this.#outbox[0]) {
      if (next.afterRecord > this.#durable && leavesProcess(next.effect)) {
        this.#draining = this.#syncLog()
        return
      }
      this.#outbox.shift()
      this.#performOne(next.effect)
    }
  }

  async #syncLog(): Promise<void> {
    const target = this.#appended
    try {
      await Promise.all(this.#ports.voteLogs.map((log) => log.sync()))
      this.#durable = target
      this.#draining = null
      this.#performReady()
    } catch (error) {
      this.#draining = null
      this.#outbox.length = 0
      this.#fatal(error)
    }
  }

  #performOne(effect: Ordered): void {
    const ports = this.#ports
    switch (effect.kind) {
      case 'broadcast':
        return this.#stopped ? undefined : ports.broadcast(effect.message)
      case 'send':
        return this.#stopped ? undefined : ports.send(effect.to, effect.message)
      case 'commit':
        this.#commits.push({ blocks: effect.blocks, finalization: effect.finalization })
        this.#committing ??= this.#commitAll()
        return
      case 'forget':
        return ports.voteLogs[effect.log]!.forget(effect.belowSequence)
      case 'charge':
        return ports.charge(effect.peer, effect.reason)
      case 'event':
        return ports.onEvent(effect.event)
      case 'submitRejoin':
        return this.#stopped ? undefined : ports.submitRejoin(effect.key, effect.nonce)
    }
  }

  async #commitAll(): Promise<void> {
    try {
      while (this.#commits.length > 0) {
        const end = this.#commits.findIndex(({ blocks }) => endsEpoch(blocks.at(-1)!.block.header))
        const orders = this.#commits.splice(0, end < 0 ? this.#commits.length : end + 1)
        const blocks = orders.flatMap((order) => order.blocks)
        const proved = orders.findLast(({ finalization }) => finalization !== null)
        await this.#ports.commit({ blocks, finalization: proved?.finalization ?? null })
        this.feed({ kind: 'committed', height: blocks.at(-1)!.block.header.height })
      }
    } catch (error) {
      this.#fatal(error)
    } finally {
      this.#committing = null
    }
  }

  #armTimer(): void {
    clearTimeout(this.#timer)
    if (this.#stopped) return
    const delay = this.#ports.core.nextDeadlineMs() - this.#ports.clock.monotonicMs()
    this.#timer = setTimeout(() => this.feed({ kind: 'tick' }), Math.min(Math.max(delay, 0), TIMER_MS_MAX))
  }

  #fatal(error: unknown): void {
    if (this.#stopped) return
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#ports.onFatal(error)
  }
}

function leavesProcess(effect: Effect): boolean {
  return effect.kind === 'broadcast' || effect.kind === 'send'
}

function transactionsOf(message: ConsensusMessage): readonly Uint8Array[] {
  switch (message.kind) {
    case 'proposal':
      return message.proposal.block.transactions
    case 'block':
      return message.block.transactions
    case 'chain':
      return message.reply.blocks.flatMap((block) => block.transactions)
    default:
      return []
  }
}
