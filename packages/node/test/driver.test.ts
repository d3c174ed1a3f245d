import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, it } from 'node:test'
import { BLOCK_BYTES_MAX, NO_NEXT_SET, silentLog } from '@althing/base'
import type { Block } from '@althing/base'
import type { ConsensusMessage, Effect, Input } from '@althing/chain'
import { ConsensusDriver } from '../src/consensus/driver.ts'
import type { CommitOrder, DriverPorts } from '../src/consensus/driver.ts'
import { fixtureBlock, fixtureFinalization } from '../src/testing/chain-fixture.ts'

type Send = Extract<Effect, { kind: 'send' }>

const record = Uint8Array.of(1)
const append: Effect = { kind: 'append', log: 0, record }
const segment: Effect = { kind: 'startSegment', log: 0, sequence: 2, bytes: record }
const forget: Effect = { kind: 'forget', log: 0, belowSequence: 2 }
const viewEntered: Effect = { kind: 'event', event: { kind: 'viewEntered', epoch: 0, view: 1 } }

function send(fromHeight: number): Send {
  return { kind: 'send', to: 'peer', message: { kind: 'getChain', fromHeight } }
}

function commit(height: number, proved = true, nextSet = NO_NEXT_SET): Effect {
  const block = fixtureBlock({ height, nextSet })
  return { kind: 'commit', blocks: [block], finalization: proved ? fixtureFinalization(block) : null }
}

function blockOf(bytes: number): Block {
  return { ...fixtureBlock({ height: 1 }).block, transactions: [new Uint8Array(bytes)] }
}

function proposalOf(bytes: number): ConsensusMessage {
  const proposal = { epoch: 0, view: 1, block: blockOf(bytes), parentCertificate: [], nullCertificates: [] }
  return { kind: 'proposal', proposal: { ...proposal, signature: new Uint8Array(64) } }
}

const worlds: World[] = []
/** Their timers would keep the process. */
afterEach(() => worlds.splice(0).forEach(({ driver }) => void driver.stop()))

/** A driver between a scripted core and ports that wait for the test. */
class World {
  /** What happened outside, in order. */
  readonly done: string[] = []
  readonly inputs: Input[] = []
  readonly syncs: PromiseWithResolvers<void>[] = []
  readonly commits: (PromiseWithResolvers<void> & { readonly order: CommitOrder })[] = []
  readonly checks: PromiseWithResolvers<void>[] = []
  readonly fatal: unknown[] = []
  readonly driver: ConsensusDriver
  #script: Effect[] = []

  constructor(changed: Partial<DriverPorts> = {}) {
    this.driver = new ConsensusDriver({
      core: {
        start: () => [],
        handle: (input) => {
          this.inputs.push(input)
          return this.#script.splice(0)
        },
        nextDeadlineMs: () => Infinity,
      },
      voteLogs: [
        {
          append: () => void this.done.push('append'),
          startSegment: (sequence) => void this.done.push(`segment ${sequence}`),
          sync: () => {
            this.done.push('sync')
            return wait(this.syncs)
          },
          forget: (below) => void this.done.push(`forget below ${below}`),
        },
      ],
      clock: { monotonicMs: () => 0, wallMs: () => 0 },
      log: silentLog,
      checkSignatures: () => wait(this.checks),
      broadcast: ({ kind }) => void this.done.push(`broadcast ${kind}`),
      send: (_, message) => void this.done.push(`send ${(message as { fromHeight: number }).fromHeight}`),
      charge: (peer) => void this.done.push(`charge ${peer}`),
      commit: (order) => {
        this.done.push(`commit ${order.blocks.map(({ block }) => block.header.height).join(' ')}`)
        const waiting = { order, ...Promise.withResolvers<void>() }
        this.commits.push(waiting)
        return waiting.promise
      },
      onEvent: ({ kind }) => void this.done.push(kind),
      submitRejoin: () => void this.done.push('rejoin'),
      onFatal: (error) => void this.fatal.push(error),
      ...changed,
    })
    worlds.push(this)
  }

  /** The core answers the next input with these. */
  step(...effects: Effect[]): void {
    this.#script = effects
    this.driver.feed({ kind: 'tick' })
  }

  get heightsFed(): number[] {
    return this.inputs.flatMap((input) => (input.kind === 'committed' ? [input.height] : []))
  }

  get messagesFed(): number {
    return this.inputs.filter(({ kind }) => kind === 'messageReceived').length
  }
}

function wait(list: PromiseWithResolvers<void>[]): Promise<void> {
  const waiting = Promise.withResolvers<void>()
  list.push(waiting)
  return waiting.promise
}

describe('the consensus driver', () => {
  it('sends nothing before the log that it follows from is durable; what needs no log goes at once (R2, P14)', async () => {
    const world = new World()
    world.step(send(1), append, viewEntered, send(2), forget)
    assert.deepEqual(world.done, ['append', 'send 1', 'viewEntered', 'sync'])
    world.syncs[0]!.resolve()
    await turn()
    assert.deepEqual(world.done.slice(4), ['send 2', 'forget below 2'])
  })

  it('a vote that is appended during a sync waits for the next sync (R2)', async () => {
    const world = new World()
    world.step(append, send(1))
    world.step(segment, append, send(2))
    world.step(send(3))
    world.syncs[0]!.resolve()
    await turn()
    assert.deepEqual(world.done, ['append', 'sync', 'segment 2', 'append', 'send 1', 'sync'])
    world.syncs[1]!.resolve()
    await turn()
    assert.deepEqual(world.done.slice(6), ['send 2', 'send 3'])
  })

  it('commits one at a time; what queues meanwhile goes together, and the core is told of each', async () => {
    const world = new World()
    world.step(commit(1))
    world.step(commit(2), commit(3))
    assert.deepEqual(world.done, ['commit 1'])
    world.commits[0]!.resolve()
    await turn()
    assert.deepEqual(world.done, ['commit 1', 'commit 2 3'])
    assert.deepEqual(world.heightsFed, [1])
    world.commits[1]!.resolve()
    await turn()
    assert.deepEqual(world.heightsFed, [1, 3])
  })

  it('the end of an epoch is the last of its commit, so that its finalization is kept (R11)', async () => {
    const world = new World()
    world.step(commit(1))
    world.step(commit(2), commit(3, true, new Uint8Array(32).fill(1)), commit(4))
    for (const done of ['commit 1', 'commit 2 3', 'commit 4']) {
      assert.equal(world.done.at(-1), done)
      world.commits.at(-1)!.resolve()
      await turn()
    }
    assert.deepEqual(
      world.commits.map(({ order }) => order.finalization?.hash),
      world.commits.map(({ order }) => order.blocks.at(-1)!.hash),
    )
  })

  it('of commits that go together the newest finalization is kept, also when the last one has none (R10)', async () => {
    const world = new World()
    world.step(commit(1), commit(2), commit(3), commit(4, false))
    world.commits[0]!.resolve()
    await turn()
    const { blocks, finalization } = world.commits[1]!.order
    assert.deepEqual(
      blocks.map(({ block }) => block.header.height),
      [2, 3, 4],
    )
    assert.deepEqual(finalization?.hash, fixtureBlock({ height: 3 }).hash)
  })

  for (const [name, fail] of [
    ['a sync of the log', (world: World) => world.syncs[0]!.reject(new Error('the disk'))],
    ['a commit', (world: World) => world.commits[0]!.reject(new Error('the disk'))],
    ['a signature check', (world: World) => world.checks[0]!.reject(new Error('the disk'))],
  ] as const) {
    it(`${name} that fails is fatal once, and nothing more leaves`, async () => {
      const world = new World()
      world.driver.receive('peer', null, proposalOf(100))
      world.step(commit(1), append, send(1), send(2))
      const before = world.done.length
      fail(world)
      await turn()
      for (const { reject } of [...world.syncs, ...world.commits, ...world.checks]) reject(new Error('more'))
      world.step(send(3))
      await world.driver.stop()
      assert.deepEqual(
        world.fatal.map((error) => (error as Error).message),
        ['the disk'],
      )
      assert.deepEqual(world.done.slice(before), [])
    })
  }

  it('a log that cannot be written is fatal, and what was to follow stays', () => {
    const voteLog = {
      append() {
        throw new Error('no space')
      },
      startSegment() {},
      sync: () => Promise.resolve(),
      forget() {},
    }
    const world = new World({ voteLogs: [voteLog] })
    world.step(append, send(1))
    assert.equal(world.fatal.length, 1)
    assert.deepEqual(world.done, [])
  })

  it('a port that fails after a sync is fatal, and no rejection is left unheard', async () => {
    const world = new World({
      send() {
        throw new Error('a bug')
      },
    })
    world.step(append, send(1))
    world.syncs[0]!.resolve()
    await turn()
    assert.equal((world.fatal[0] as Error).message, 'a bug')
    await world.driver.stop()
  })

  it('stops when what was final is on disk, also what waited for the log, and sends no more', async () => {
    const world = new World()
    world.step(append, send(1), commit(1))
    world.step(append, send(2), commit(2))
    let isStopped = false
    const stopped = world.driver.stop().then(() => (isStopped = true))
    for (let i = 0; i < 2; i++) {
      world.syncs[i]!.resolve()
      await turn()
      world.commits[i]!.resolve()
      assert.equal(isStopped, false)
      await turn()
    }
    await stopped
    assert.deepEqual(
      world.done.filter((one) => one.startsWith('commit') || one.startsWith('send')),
      ['commit 1', 'commit 2'],
    )
  })

  it('blocks reach the core after their signatures were looked at; other messages do not wait', async () => {
    const world = new World()
    world.driver.receive('peer', null, proposalOf(100))
    world.driver.receive('peer', null, { kind: 'getChain', fromHeight: 1 })
    assert.equal(world.messagesFed, 1)
    world.checks[0]!.resolve()
    await turn()
    assert.equal(world.messagesFed, 2)
  })

  it('one peer cannot take the room for blocks whose signatures are to be looked at from the others', async () => {
    const world = new World()
    for (let i = 0; i < 20; i++) world.driver.receive('flooder', null, proposalOf(BLOCK_BYTES_MAX))
    assert.equal(world.checks.length, 2)
    world.driver.receive('honest', null, proposalOf(BLOCK_BYTES_MAX))
    assert.equal(world.checks.length, 3)
    for (const { resolve } of world.checks) resolve()
    await turn()
    world.driver.receive('flooder', null, proposalOf(BLOCK_BYTES_MAX))
    assert.equal(world.checks.length, 4)
  })
})
