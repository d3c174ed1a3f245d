/**
 * Plays a trace of the specification (`spec/simplex.qnt`) to real cores, one for each honest authority, and says where
 * they differ. What the specification leaves to the adversary, the trace says; what it leaves out (time, fetching of
 * blocks, retransmission) is done here so that it never decides anything.
 */
import assert from 'node:assert/strict'
import { FINALIZE, hashToHex, NOTARIZE, NULLIFY, ZERO_HASH } from '@althing/base'
import type { Block, Vote, VoteKind } from '@althing/base'
import type { Effect, Now } from '../src/consensus/index.ts'
import {
  blockOn,
  certificateOf,
  ending,
  epoch,
  genesis,
  hashOfBlock,
  proposalOf,
  Solo,
} from './consensus-solo.ts'
import { START_MS } from './consensus-world.ts'

/** As `tools/spec/traces.ts` writes it. */
export interface Trace {
  readonly name: string
  readonly blocks: readonly { readonly view: number; readonly parent: number }[]
  readonly steps: readonly {
    readonly do: string
    readonly node: number
    readonly kind: string
    readonly view: number
    readonly block: number
    readonly then?: After
    readonly votes?: readonly string[]
    readonly made?: number
  }[]
}

/** What an authority is like after a step. */
interface After {
  readonly view: number
  readonly floor: number
  readonly tip: number
  readonly done: boolean
}

const HONEST = [0, 1, 2]
const BYZANTINE = 3
/** Blocks of this height end the epoch. */
const LAST_HEIGHT = 2
const KINDS: Readonly<Record<string, VoteKind>> = { N: NOTARIZE, U: NULLIFY, F: FINALIZE }
const INTERVAL_MS = 100
/** Deadlines that a node may let pass before its view is given up. */
const TICKS_MAX = 50

/** Durations are its own, so that one node's timeout is nobody else's; the wall clock is common. */
class ReplayNode extends Solo {
  readonly #wall: { ms: number }
  /** What it ever signed, as the trace names it. */
  readonly signed = new Set<string>()

  constructor(index: number, wall: { ms: number }) {
    super({
      index,
      config: { idleIntervalMs: 0, intervalMs: INTERVAL_MS },
      rotation: ({ height }) => (height === LAST_HEIGHT ? epoch.set : null),
    })
    this.#wall = wall
  }

  override now(): Now {
    return { monotonicMs: this.timeMs, wallMs: this.#wall.ms }
  }

  /** All others are heard, so that nobody is skipped for silence (R8). */
  hearAll(): void {
    const status = { epoch: 0, view: 1, height: 0, observer: false }
    for (const authority of [...HONEST, BYZANTINE]) {
      const message = { kind: 'status', status } as const
      this.input({ kind: 'messageReceived', from: `${authority}`, authority, message })
    }
  }

  tick(): void {
    this.timeMs = this.core.nextDeadlineMs()
    this.input({ kind: 'tick' })
  }

  /** Own votes of epoch 0 among these effects. */
  ownVotes(effects: readonly Effect[]): Pick<Vote, 'kind' | 'view' | 'hash'>[] {
    return effects.flatMap((effect) => {
      if (effect.kind !== 'broadcast') return []
      const { message } = effect
      if (message.kind === 'vote' && message.vote.epoch === 0) return [message.vote]
      if (message.kind !== 'proposal' || message.proposal.epoch !== 0) return []
      const { view, block } = message.proposal
      return [{ kind: NOTARIZE, view, hash: hashOfBlock(block) }]
    })
  }
}

export class Replay {
  readonly #trace: Trace
  readonly #wall = { ms: START_MS + 1_000 }
  readonly #nodes = new Map<number, ReplayNode>()
  readonly #blocks = new Map<number, Block>([[0, genesis.block]])
  readonly #numbers = new Map([[hashToHex(genesis.hash), 0]])

  constructor(trace: Trace) {
    this.#trace = trace
    for (const index of HONEST) this.#nodes.set(index, new ReplayNode(index, this.#wall))
    for (const node of this.#nodes.values()) {
      node.start().hearAll()
      this.#take(node, 1)
    }
  }

  /** @throws where a core differs from the specification. */
  run(): void {
    for (const [position, step] of this.#trace.steps.entries()) {
      this.#wall.ms += INTERVAL_MS
      const node = this.#nodes.get(step.node)
      if (node === undefined) {
        if (step.made !== undefined) this.#forge(step.made)
        continue
      }
      node.hearAll()
      node.clear()
      const before = new Set(node.signed)
      this.#perform(node, step)
      for (const block of [...this.#blocks.values()].reverse()) node.hear({ kind: 'block', block })
      this.#take(node, step.made)
      node.flush()
      const where = `${this.#trace.name}, step ${position + 1}: ${JSON.stringify(step)}`
      assert.deepEqual([...node.signed].filter((vote) => !before.has(vote)).sort(), step.votes, where)
      assert.deepEqual(this.#stateOf(node, step.then!), step.then, where)
    }
  }

  #perform(node: ReplayNode, { do: what, kind, view, block }: Trace['steps'][number]): void {
    switch (what) {
      case 'deliver':
        return void node.hear(proposalOf(view, this.#blocks.get(block)!))
      case 'learn': {
        const vote = kind === 'U' ? `U ${view}` : `${kind} ${view} ${block}`
        const voters = HONEST.filter((index) => this.#nodes.get(index)!.signed.has(vote))
        const hash = kind === 'U' ? ZERO_HASH : hashOfBlock(this.#blocks.get(block)!)
        return void node.hearCertificate(certificateOf(KINDS[kind]!, view, hash, [...voters, BYZANTINE]))
      }
      case 'timeout': {
        const isGivenUp = (): boolean =>
          node.ownVotes(node.effects).some((vote) => vote.kind === NULLIFY && vote.view === view)
        for (let ticks = 0; !isGivenUp(); ticks++) {
          assert.ok(ticks < TICKS_MAX, `view ${view} is never given up`)
          node.tick()
        }
        return
      }
      case 'restart':
        return void node.restart()
      default:
        assert.fail(`unknown step ${what}`)
    }
  }

  /** Notes what the node did. @param made the number of the block that it made, if it made one. */
  #take(node: ReplayNode, made: number | undefined): void {
    for (const { proposal } of node.sent('proposal')) {
      const key = hashToHex(hashOfBlock(proposal.block))
      if (proposal.epoch === 0 && made !== undefined && !this.#numbers.has(key))
        this.#number(made, proposal.block)
    }
    for (const { kind, view, hash } of node.ownVotes(node.effects)) {
      const name = 'NUF'[kind]!
      node.signed.add(
        kind === NULLIFY ? `U ${view}` : `${name} ${view} ${this.#numbers.get(hashToHex(hash))}`,
      )
    }
  }

  /** A block of the Byzantine leader. */
  #forge(made: number): void {
    const { view, parent } = this.#trace.blocks[made - 1]!
    const on = this.#blocks.get(parent)!
    const block = blockOn(on, view, {}, `block ${made}`)
    this.#number(made, block.header.height === LAST_HEIGHT ? ending(block) : block)
  }

  #number(made: number, block: Block): void {
    this.#blocks.set(made, block)
    this.#numbers.set(hashToHex(hashOfBlock(block)), made)
  }

  /** As the specification says it. When the epoch is done the next one begins at once; its view is not compared. */
  #stateOf(node: ReplayNode, expected: After): After {
    const tip = this.#numbers.get(node.finalized)!
    const { view, floor, epoch: present } = node.core.view(node.now())
    if (present === 0) return { view, floor, tip, done: false }
    const finalization = node.store.finalizationAt(node.store.height)!
    return { view: expected.view, floor: finalization.view, tip, done: true }
  }
}
