import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { BlockRef } from '../../src/protocol/chain-messages.ts'
import { ChainSync } from '../../src/protocol/chain-sync.ts'
import type { ChainSyncLimits, SyncEffect, SyncInput } from '../../src/protocol/chain-sync-effect.ts'

interface Block {
  readonly id: string
  readonly parent: string
  readonly isValid: boolean
}

const LIMITS: ChainSyncLimits = {
  rangeBlocksMax: 10,
  rangeBytesMax: 100,
  windowRanges: 4,
  bufferBytesMax: 1000,
  rangesPerPeerMax: 2,
  headPatienceMs: 0,
  slowAnswerMs: 50,
  syncBackoffMinMs: 100,
  syncBackoffMaxMs: 1000,
  emptyClaimsMax: 3,
  checkpointTriesMax: 3,
}

/** Index is height. Blocks above `fork` have the branch in their name. */
function chainOf(height: number, branch = 'm', fork = 0): Block[] {
  const name = (at: number) => (at <= fork ? `m${at}` : `${branch}${at}`)
  return Array.from({ length: height + 1 }, (_, at) => ({
    id: name(at),
    parent: name(at - 1),
    isValid: true,
  }))
}

interface Peer {
  readonly chain: readonly Block[]
  /** Claimed instead of the tip. */
  readonly claim?: BlockRef
  readonly lowestHeight?: number
  /** `silent`: no answer, but a timeout. `slow`: no blocks while anybody looks. `invalid`: its blocks break the rules. `short`: half of what was asked for. */
  readonly manner?: 'silent' | 'slow' | 'invalid' | 'short'
}

type Effect = SyncEffect<Block>

/** A node whose answers come in an order drawn from a seed; the longest chain is the best. */
class World {
  readonly core: ChainSync<Block>
  readonly peers: Readonly<Record<string, Peer>>
  readonly said: Effect[] = []
  readonly #stored = new Set<string>()
  readonly #floor: number
  readonly #checkpointRefused: boolean
  #best: readonly Block[]
  #pending: SyncInput<Block>[] = []
  #seed: number
  #nowMs = 0

  constructor(
    local: readonly Block[],
    peers: Readonly<Record<string, Peer>>,
    options: {
      seed?: number
      floor?: number
      limits?: Partial<ChainSyncLimits>
      checkpoint?: BlockRef
      refuses?: boolean
    } = {},
  ) {
    this.core = new ChainSync({ ...LIMITS, ...options.limits }, options.checkpoint ?? null)
    this.peers = peers
    this.#best = local
    this.#seed = options.seed ?? 1
    this.#floor = options.floor ?? 0
    this.#checkpointRefused = options.refuses ?? false
    for (const { id } of local) this.#stored.add(id)
    this.#tellHead()
    for (const peer of Object.keys(peers)) this.claim(peer)
  }

  get tip(): string {
    return this.#best.at(-1)!.id
  }

  claim(peer: string): void {
    const { chain, claim, lowestHeight = 0 } = this.peers[peer]!
    const head = claim ?? { id: chain.at(-1)!.id, height: chain.length - 1 }
    this.handle({ kind: 'headClaimed', peer, head, lowestHeight, known: this.#stored.has(head.id) })
  }

  handle(input: SyncInput<Block>): void {
    for (const effect of this.core.handle(input, this.#nowMs)) {
      this.said.push(effect)
      const answer = this.#answer(effect)
      if (answer !== null) this.#pending.push(answer)
    }
  }

  /** Until nothing is left to do, or so much time passed. */
  run(forMs = 20_000): void {
    for (let steps = 0; steps < 20_000; steps++) {
      if (this.#pending.length > 0) {
        const [input] = this.#pending.splice(this.#draw(this.#pending.length), 1)
        this.handle(input!)
        continue
      }
      const nextMs = this.core.nextDeadlineMs
      if (nextMs > forMs) return
      this.#nowMs = Math.max(this.#nowMs, nextMs)
      this.handle({ kind: 'timePassed' })
    }
    assert.fail('it never comes to rest')
  }

  of<Kind extends Effect['kind']>(kind: Kind) {
    return this.said.filter((effect): effect is Extract<Effect, { kind: Kind }> => effect.kind === kind)
  }

  #answer(effect: Effect): SyncInput<Block> | null {
    switch (effect.kind) {
      case 'askAncestor':
        return this.#ancestor(effect.peer, effect.sessionId)
      case 'tryCheckpoint':
        return this.#checkpoint(effect.peer, effect.sessionId, effect.checkpoint)
      case 'askRange':
        return this.#range(effect)
      case 'applyRange':
        return this.#apply(effect.rangeId, effect.blocks)
      default:
        return null
    }
  }

  #ancestor(peer: string, sessionId: number): SyncInput<Block> {
    const { chain, manner } = this.peers[peer]!
    if (manner === 'silent') return { kind: 'ancestorFailed', sessionId, isFault: false, problem: 'timeout' }
    const height = this.#best.findLastIndex(({ id }, at) => chain[at]?.id === id)
    return { kind: 'ancestorFound', sessionId, height }
  }

  #checkpoint(peer: string, sessionId: number, { id, height }: BlockRef): SyncInput<Block> {
    const isThere = this.peers[peer]!.chain[height]?.id === id
    const verdict = !isThere ? 'notGiven' : this.#checkpointRefused ? 'refused' : 'taken'
    if (verdict === 'taken') {
      this.#best = this.peers[peer]!.chain.slice(0, height + 1)
      this.#stored.add(id)
      this.#tellHead()
    }
    return { kind: 'checkpointTried', sessionId, verdict, problem: verdict }
  }

  #range({ peer, from, count, rangeId }: Extract<Effect, { kind: 'askRange' }>): SyncInput<Block> | null {
    const { chain, manner } = this.peers[peer]!
    if (manner === 'slow') return null
    if (manner === 'silent') return { kind: 'rangeFailed', rangeId, isFault: false, problem: 'timeout' }
    const blocks = chain.slice(from, from + (manner === 'short' ? Math.ceil(count / 2) : count))
    const given = manner === 'invalid' ? blocks.map((block) => ({ ...block, isValid: false })) : blocks
    return { kind: 'rangeReceived', rangeId, blocks: given, bytes: 10 * given.length }
  }

  #apply(rangeId: number, blocks: readonly Block[]): SyncInput<Block> {
    let stored = 0
    let lastId: string | null = null
    const done = (verdict: 'linked' | 'invalid' | 'parentMissing') =>
      ({ kind: 'rangeApplied', rangeId, verdict, stored, lastId }) as const
    for (const { id, parent, isValid } of blocks) {
      if (!isValid) return done('invalid')
      if (!this.#stored.has(id)) {
        if (!this.#stored.has(parent)) return done('parentMissing')
        this.#stored.add(id)
        stored++
        this.core.handle({ kind: 'blockStored', id }, this.#nowMs)
      }
      lastId = id
    }
    this.#chooseBest()
    return done('linked')
  }

  #chooseBest(): void {
    for (const { chain } of Object.values(this.peers)) {
      const upTo = chain.findIndex(({ id }, at) => at >= this.#best.length && !this.#stored.has(id))
      const mine = upTo === -1 ? chain : chain.slice(0, upTo)
      if (mine.length > this.#best.length && this.#stored.has(mine.at(-1)!.id)) this.#best = mine
    }
    this.#tellHead()
  }

  #tellHead(): void {
    this.core.handle(
      { kind: 'localHeadChanged', height: this.#best.length - 1, floor: this.#floor },
      this.#nowMs,
    )
  }

  /** A linear congruential generator (Numerical Recipes). */
  #draw(below: number): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0
    return Math.floor((this.#seed / 2 ** 32) * below)
  }
}

describe('chain sync', () => {
  test('S1 a peer one block ahead is caught up with, in one question', () => {
    const world = new World(chainOf(5), { a: { chain: chainOf(6) } })
    world.run()
    assert.equal(world.tip, 'm6')
    assert.deepEqual(
      world.of('askRange').map(({ from, count }) => [from, count]),
      [[6, 1]],
    )
    assert.deepEqual(
      world.of('syncEnded').map(({ stored, problem }) => [stored, problem]),
      [[1, null]],
    )
  })

  test('S1 an older block that a peer announces does not hide its head', () => {
    const world = new World(chainOf(0), { a: { chain: chainOf(60) } })
    const head = { id: 'm7', height: 7 }
    world.handle({ kind: 'headClaimed', peer: 'a', head, lowestHeight: null, known: false })
    world.run()
    assert.equal(world.tip, 'm60')
  })

  test('S1 a block that was on its way and did not arrive is fetched from whoever else claimed it', () => {
    const core = new ChainSync<Block>(LIMITS, null)
    const head = { id: 'm5', height: 5 }
    core.handle({ kind: 'headClaimed', peer: 'honest', head, lowestHeight: 0, known: true }, 0)
    const effects = [
      ...core.handle({ kind: 'headClaimed', peer: 'gone', head, lowestHeight: null, known: false }, 0),
      ...core.handle({ kind: 'peerLost', peer: 'gone' }, 0),
    ]
    assert.ok(effects.some((effect) => effect.kind === 'syncStarted' && effect.peer === 'honest'))
  })

  test('S1 nobody is asked who is not ahead', () => {
    const world = new World(chainOf(5), { a: { chain: chainOf(5) }, b: { chain: chainOf(3) } })
    world.run()
    assert.deepEqual(world.said, [])
  })

  test('S8 what comes by itself in a moment is not asked for, however often it is claimed', () => {
    const world = new World(chainOf(5), { a: { chain: chainOf(6) } }, { limits: { headPatienceMs: 100 } })
    world.handle({ kind: 'blockStored', id: 'm6' })
    world.run()
    assert.deepEqual(world.of('syncStarted'), [])
    world.handle({
      kind: 'headClaimed',
      peer: 'a',
      head: { id: 'm7', height: 7 },
      lowestHeight: 0,
      known: false,
    })
    assert.equal(world.core.nextDeadlineMs, 100)
    world.handle({
      kind: 'headClaimed',
      peer: 'a',
      head: { id: 'm8', height: 8 },
      lowestHeight: 0,
      known: false,
    })
    assert.equal(world.core.nextDeadlineMs, 100, 'who never arrives is behind, though the goal moves')
  })

  test('S3 ranges are asked of several peers at once, and applied in order', () => {
    const peers = { a: { chain: chainOf(100) }, b: { chain: chainOf(100) }, c: { chain: chainOf(100) } }
    const world = new World(chainOf(0), peers, { seed: 7 })
    world.run()
    assert.equal(world.tip, 'm100')
    assert.deepEqual([...new Set(world.of('askRange').map(({ peer }) => peer))].toSorted(), ['a', 'b', 'c'])
    const applied = world.of('applyRange').map(({ blocks }) => Number(blocks[0]!.id.slice(1)))
    assert.deepEqual(
      applied,
      applied.toSorted((a, b) => a - b),
    )
  })

  test('S4 what is under way is bounded, in blocks and in bytes', () => {
    const world = new World(
      chainOf(0),
      { a: { chain: chainOf(500) }, b: { chain: chainOf(500) } },
      {
        limits: { bufferBytesMax: 200 },
      },
    )
    world.run()
    assert.equal(world.tip, 'm500')
    let open = 0
    for (const effect of world.said) {
      if (effect.kind === 'askRange') {
        assert.ok(effect.count <= 10)
        assert.ok(++open <= 2, 'two answers of 100 bytes each')
      }
      if (effect.kind === 'applyRange') open--
    }
  })

  test('S4 an answer may have fewer blocks than asked for', () => {
    const world = new World(chainOf(0), { a: { chain: chainOf(60), manner: 'short' } })
    world.run()
    assert.equal(world.tip, 'm60')
  })

  test('S5 a fork: from the last common block on, and not below', () => {
    const world = new World(chainOf(40), { a: { chain: chainOf(55, 'x', 33) } })
    world.run()
    assert.equal(world.tip, 'x55')
    assert.equal(Math.min(...world.of('askRange').map(({ from }) => from)), 34)
  })

  test('S5 a branch that leaves below what is final is not fetched, and its peer is not blamed', () => {
    const world = new World(chainOf(40), { a: { chain: chainOf(55, 'x', 33) } }, { floor: 35 })
    world.run(500)
    assert.equal(world.tip, 'm40')
    assert.deepEqual([world.of('askRange'), world.of('penalise')], [[], []])
    assert.match(world.of('syncEnded')[0]!.problem!, /below height 35, which is final/)
  })

  test('S5 a peer that has not what is needed is not asked for it', () => {
    const world = new World(chainOf(0), {
      pruned: { chain: chainOf(60), lowestHeight: 31 },
      whole: { chain: chainOf(60) },
    })
    world.run()
    assert.equal(world.tip, 'm60')
    const early = world.of('askRange').filter(({ from, peer }) => peer === 'pruned' && from < 31)
    assert.deepEqual([early, world.of('penalise')], [[], []])
  })

  test('S2 a peer that cannot show what it claims waits longer each time, and is charged', () => {
    const world = new World(chainOf(5), { liar: { chain: chainOf(5), claim: { id: 'no', height: 1e9 } } })
    world.run(3000)
    assert.equal(world.of('penalise')[0]?.peer, 'liar')
    assert.equal(world.of('penalise')[0]?.offence, 'wrongAnswer')
    assert.ok(world.of('syncStarted').length < 10, `${world.of('syncStarted').length} sessions in 3 s`)
  })

  test('S6 an invalid block costs the peer that gave it; the others finish', () => {
    const world = new World(chainOf(0), {
      bad: { chain: chainOf(80), manner: 'invalid' },
      good: { chain: chainOf(80) },
    })
    world.run()
    assert.equal(world.tip, 'm80')
    assert.deepEqual(
      [...new Set(world.of('penalise').map(({ peer, offence }) => `${peer} ${offence}`))],
      ['bad invalidBlock'],
    )
  })

  test('S6 a lead that goes away is replaced', () => {
    const world = new World(chainOf(0), { a: { chain: chainOf(80) }, b: { chain: chainOf(80) } })
    const lead = world.of('syncStarted')[0]!.peer
    world.handle({ kind: 'peerLost', peer: lead })
    assert.notEqual(world.of('syncStarted')[1]!.peer, lead)
    world.run()
    assert.equal(world.tip, 'm80')
  })

  test('S6 what a slow peer has not answered is asked of another, be it the lead; nobody is blamed', () => {
    const slow = { chain: chainOf(80), manner: 'slow' } as const
    const world = new World(chainOf(0), { slow, other: { chain: chainOf(80) } })
    assert.equal(world.of('syncStarted')[0]!.peer, 'slow')
    world.run()
    assert.equal(world.tip, 'm80')
    assert.deepEqual([world.of('penalise'), world.of('syncStarted').length], [[], 1])
  })

  test('S6 what was asked of one peer and then of another is taken from the other only', () => {
    const core = new ChainSync<Block>({ ...LIMITS, windowRanges: 6 }, null)
    const asked = new Map<number, string>()
    const handle = (input: SyncInput<Block>) => {
      for (const effect of core.handle(input, 0))
        if (effect.kind === 'askRange') asked.set(effect.rangeId, effect.peer)
    }
    for (const peer of ['a', 'b', 'c']) {
      handle({ kind: 'headClaimed', peer, head: { id: 'm80', height: 80 }, lowestHeight: 0, known: false })
    }
    handle({ kind: 'ancestorFound', sessionId: 1, height: 0 })
    const [first, second] = [...asked].filter(([, peer]) => peer === 'b')
    assert.ok(first !== undefined && second !== undefined)
    handle({ kind: 'rangeFailed', rangeId: first[0], isFault: false, problem: 'timeout' })
    const late = { kind: 'rangeReceived', rangeId: second[0], blocks: chainOf(0), bytes: 1 } as const
    assert.deepEqual(core.handle(late, 0), [], 'that range has another number now, and another peer')
  })

  test('S5 for a branch of its own a peer is asked itself, and nobody else', () => {
    const peers = { a: { chain: chainOf(50) }, fork: { chain: chainOf(55, 'x', 10) } }
    const world = new World(chainOf(50), peers)
    world.run()
    assert.equal(world.tip, 'x55')
    assert.deepEqual([...new Set(world.of('askRange').map(({ peer }) => peer))], ['fork'])
  })

  test('S7 begins at the checkpoint, then goes on', () => {
    const world = new World(
      chainOf(0),
      { a: { chain: chainOf(80) } },
      { checkpoint: { id: 'm50', height: 50 } },
    )
    world.run()
    assert.equal(world.tip, 'm80')
    assert.deepEqual(
      world.of('syncStarted').map(({ strategy }) => strategy),
      ['fast', 'incremental'],
    )
    assert.equal(Math.min(...world.of('askRange').map(({ from }) => from)), 51)
  })

  const fallbacks = [
    {
      what: 'after three tries without it',
      checkpoint: { id: 'gone', height: 50 },
      tries: 3,
      refuses: false,
    },
    {
      what: 'at once when the chain refuses',
      checkpoint: { id: 'm50', height: 50 },
      tries: 1,
      refuses: true,
    },
  ]
  for (const { what, checkpoint, tries, refuses } of fallbacks) {
    test(`S7 falls back to the genesis ${what}`, () => {
      const world = new World(chainOf(0), { a: { chain: chainOf(80) } }, { checkpoint, refuses })
      world.run()
      assert.equal(world.tip, 'm80')
      assert.equal(world.of('tryCheckpoint').length, tries)
      assert.equal(world.of('checkpointGivenUp').length, 1)
      assert.equal(world.of('syncStarted').at(-1)!.strategy, 'full')
    })
  }

  test('whoever else is there, one honest peer is enough, and no honest peer is blamed', () => {
    const other = fc.oneof(
      fc.record({ chain: fc.nat(60).map((height) => chainOf(height)) }),
      fc.record({
        chain: fc.nat(60).map((height) => chainOf(height)),
        manner: fc.constantFrom('silent', 'slow', 'invalid', 'short'),
      }),
      fc.record({
        // A branch's name has its fork, since blocks with different parents are different blocks.
        chain: fc
          .tuple(fc.integer({ min: 1, max: 50 }), fc.nat(40))
          .map(([height, fork]) => chainOf(height, `f${fork}-`, fork)),
      }),
      fc.record({
        chain: fc.nat(60).map((height) => chainOf(height)),
        claim: fc.record({ id: fc.constant('invented'), height: fc.integer({ min: 1, max: 1000 }) }),
      }),
    )
    fc.assert(
      fc.property(fc.nat(60), fc.array(other, { maxLength: 5 }), fc.nat(), (local, others, seed) => {
        const peers: Record<string, Peer> = { honest: { chain: chainOf(80) } }
        for (const [i, peer] of others.entries()) peers[`p${i}`] = peer
        const world = new World(chainOf(local), peers, { seed })
        world.run()
        assert.equal(world.tip, 'm80')
        for (const { peer } of world.of('penalise')) {
          assert.ok(
            peers[peer]!.manner === 'invalid' || peers[peer]!.claim !== undefined,
            `${peer} was blamed`,
          )
        }
      }),
      { numRuns: 1000 },
    )
  })
})
