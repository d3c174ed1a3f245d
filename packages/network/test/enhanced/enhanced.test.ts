import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { silentLog } from '@althing/base'
import type { Block, ChainParts } from '../../src/index.ts'
import { encodeChainStatus } from '../../src/protocol/chain-messages.ts'
import { until } from '../../src/testing/index.ts'
import { createToyChain, toyBlock, toyBranch, toyGenesis, toyInfo, toyTransaction } from './toy-chain.ts'
import type { ToyChain } from './toy-chain.ts'
import {
  GOSSIP_ONLY,
  give,
  join,
  lastId,
  ofKind,
  part,
  stopAll,
  start,
  tipOf,
  transactionId,
} from './toy-node.ts'
import type { Node } from './toy-node.ts'

const genesis = toyInfo(toyGenesis)

afterEach(stopAll)

describe('gossip of blocks and transactions (PO-2, VC-2)', () => {
  test('reaches everyone along a line, and blocks are completed from the mempools', async () => {
    const line: Node[] = []
    while (line.length < 4) line.push(await start(GOSSIP_ONLY))
    for (let i = 1; i < line.length; i++) await join(line[i]!, line[i - 1]!)
    const payments = ['a', 'b', 'c'].map(toyTransaction)
    for (const payment of payments) await line[0]!.node.submitTransaction(payment)
    await until('all mempools have all', () =>
      line.every(({ chain }) => [...chain.mempool.ids()].length === 3),
    )
    await line[0]!.node.submitBlock(toyBlock(genesis, payments))
    await until('all have the block', () => line.every((node) => tipOf(node) === tipOf(line[0]!)))
    for (const { chain } of line)
      assert.deepEqual([...chain.mempool.ids()], [], 'what is in a block waits no more')
    assert.deepEqual(ofKind(line[3]!, 'blockReceived').length, 1)
    assert.deepEqual(ofKind(line[3]!, 'transactionValidated').length, 3)
    assert.deepEqual(ofKind(line[3]!, 'syncRequested'), [], 'nothing was left to the synchronisation')
  })

  test('what waits is told to whoever connects, who passes it on; and again to all while it waits', async () => {
    const [a, b, c] = [await start({ retellMs: 50 }), await start(), await start()]
    await a.node.submitTransaction(toyTransaction('early'))
    await join(c, b)
    await join(b, a)
    await until('all have it', () => [b, c].every(({ chain }) => [...chain.mempool.ids()].length === 1))
    const [id] = c.chain.mempool.ids()
    c.chain.mempool.remove(id!)
    b.chain.mempool.remove(id!)
    await until('b has it again', () => b.chain.mempool.has(id!))
  })

  test('a chain that moves by itself says so: the peers hear of its tip, and follow', async () => {
    const [a, b] = [await start(), await start()]
    await join(b, a)
    const block = toyBlock(genesis, [])
    const info = toyInfo(block)
    await a.chain.blockStore.put(info, block)
    await a.chain.consensus.blockStored(info, block)
    await a.chain.blockStore.switchTo({ removed: [], added: [info] })
    await a.node.advanced([info])
    assert.deepEqual(ofKind(a, 'tipChanged').at(-1)!.added, [info])
    await until('b follows', () => tipOf(b) === info.id)
  })

  test('asks the sender for transactions that it lacks', async () => {
    const [a, b] = [await start(GOSSIP_ONLY), await start(GOSSIP_ONLY)]
    await join(b, a)
    const block = toyBlock(genesis, ['x', 'y'].map(toyTransaction))
    await a.node.submitBlock(block)
    await until('b has it', () => tipOf(b) === toyInfo(block).id)
    assert.deepEqual(await b.chain.blockStore.get(toyInfo(block).id), block)
    assert.deepEqual(ofKind(b, 'syncRequested'), [])
  })

  test('an invalid block and an invalid transaction cost their sender, and go no further (PO-4)', async () => {
    const liar = createToyChain()
    liar.consensus.judgeBlock = () => ({ verdict: 'valid' })
    liar.consensus.judgeTransactions = (given) => given.map(() => ({ verdict: 'valid' }))
    const a = await start({}, liar)
    const [b, c] = [await start(), await start()]
    await join(b, a)
    await join(c, b)
    const { chain } = a
    await a.node.submitTransaction(new TextEncoder().encode('steal'))
    await a.node.submitBlock(toyBlock(genesis, [new TextEncoder().encode('steal')]))
    await until(
      'b saw both',
      () => ofKind(b, 'blockRejected').length > 0 && ofKind(b, 'transactionRejected').length > 0,
    )
    const offences = ofKind(b, 'peerFault').map(({ offence }) => offence)
    assert.ok(offences.includes('invalidBlock') && offences.includes('invalidTransaction'), offences.join())
    assert.equal(tipOf(b), genesis.id)
    assert.deepEqual([ofKind(c, 'blockReceived'), ofKind(c, 'transactionReceived')], [[], []])
    assert.notEqual(chain.consensus.tip().id, genesis.id)
  })

  test('what is submitted and wrong is refused with a code', async () => {
    const { node } = await start()
    await assert.rejects(node.submitTransaction(new TextEncoder().encode('steal')), {
      code: 'TRANSACTION_INVALID',
    })
    await assert.rejects(node.submitBlock({ header: new Uint8Array(3), transactions: [] }), {
      code: 'BLOCK_INVALID',
    })
    const orphan = toyBlock({ id: 'nowhere', height: 4, parentId: '' }, [])
    await assert.rejects(node.submitBlock(orphan), { code: 'BLOCK_NOT_TAKEN', retryable: true })
  })
})

describe('questions (VC-2, PC-1)', () => {
  test('a block, a range, the status; and why not', async () => {
    const [a, b] = [await start(), await start()]
    const blocks = toyBranch(genesis, 120)
    await give(a, blocks)
    await join(b, a)
    const peer = a.node.network.peerId
    assert.deepEqual(await b.node.requestBlock(peer, lastId(blocks)), blocks.at(-1))
    assert.deepEqual(await b.node.requestBlocks(peer, { from: 3, count: 2 }), blocks.slice(2, 4))
    assert.equal((await b.node.requestBlocks(peer, { from: 100, count: 100 })).length, 21)
    assert.deepEqual(await b.node.requestBlocks(peer, { from: 121, count: 1 }), [])
    assert.deepEqual((await b.node.requestStatus(peer)).tip, { id: lastId(blocks), height: 120 })
    await assert.rejects(b.node.requestBlock(peer, 'unheard of'), {
      code: 'BLOCK_NOT_FOUND',
      peer,
      retryable: true,
    })
    await assert.rejects(b.node.requestBlocks(peer, { from: 1, count: 101 }), {
      remoteCode: 'INVALID_MESSAGE',
    })
    await assert.rejects(b.node.requestBlock('nobody', 'x'), { code: 'PEER_UNREACHABLE' })
  })

  test('an answer is bounded in bytes, and has one block at least', async () => {
    const a = await start({
      rangeBytesMax: 2048,
      blockBytesMax: 2048,
      transactionBytesMax: 1024,
      bufferBytesMax: 4096,
    })
    const b = await start()
    const payment = toyTransaction('x'.repeat(900))
    const [one, two] = [toyBlock(genesis, [payment]), toyBlock(genesis, [payment], 'b')]
    const three = toyBlock(toyInfo(one), [payment])
    await give(a, [one, two, three, toyBlock(toyInfo(three), [payment])])
    await join(b, a)
    const found = await b.node.requestBlocks(a.node.network.peerId, { from: 1, count: 10 })
    assert.deepEqual(found.map(toyInfo), [toyInfo(one)])
  })
})

describe('synchronisation (VC-6, PO-5)', () => {
  test('full: from several peers at once, to the same stores', async () => {
    const sources = [await start(), await start(), await start()]
    const blocks = toyBranch(genesis, 1050)
    for (const source of sources) await give(source, blocks)
    const late = await start()
    for (const source of sources) await join(late, source)
    await until('caught up', () => tipOf(late) === lastId(blocks))
    await until('said so', () => ofKind(late, 'syncCompleted').length > 0)
    const first = ofKind(late, 'syncRequested')[0]
    assert.deepEqual([first?.strategy, first?.why], ['full', 'the chain has its genesis only'])
    assert.deepEqual(await late.chain.blockStore.idAt(777), toyInfo(blocks[776]!).id)
    assert.ok(await late.chain.txStore.has(transactionId(late, blocks[500]!)))
  })

  test('a peer exactly one block ahead is not missed', async () => {
    const [a, b] = [await start(), await start()]
    const blocks = toyBranch(genesis, 3)
    await give(a, blocks)
    await give(b, blocks.slice(0, 2))
    await join(b, a)
    await until('b has the third', () => tipOf(b) === lastId(blocks))
    assert.equal(ofKind(b, 'syncRequested')[0]?.strategy, 'incremental')
  })

  test('an invalid block is stored by nobody who synchronises, and costs who gave it', async () => {
    const liar = createToyChain()
    liar.consensus.judgeBlock = () => ({ verdict: 'valid' })
    const [a, b] = [await start({}, liar), await start()]
    const good = toyBranch(genesis, 9)
    const bad = toyBlock(toyInfo(good.at(-1)!), [new TextEncoder().encode('steal')])
    await give(a, [...good, bad, ...toyBranch(toyInfo(bad), 9)])
    await join(b, a)
    await until('a is charged', () => ofKind(b, 'peerFault').length > 0)
    assert.equal(ofKind(b, 'peerFault')[0]!.offence, 'invalidBlock')
    assert.equal(tipOf(b), lastId(good))
    assert.equal(await b.chain.blockStore.has(toyInfo(bad).id), false)
  })

  test('a fork: finds what both have, switches, and what only the loser had waits again', async () => {
    const [a, b] = [await start(), await start()]
    const common = toyBranch(genesis, 30)
    const fork = toyInfo(common.at(-1)!)
    const longer = toyBranch(fork, 25, 'longer')
    const shorter = toyBranch(fork, 20, 'shorter')
    await give(a, [...common, ...longer])
    await give(b, [...common, ...shorter])
    await join(b, a)
    await until('b follows the longer', () => tipOf(b) === lastId(longer))
    const switches = ofKind(b, 'tipChanged').filter(({ removed }) => removed.length > 0)
    assert.equal(switches.length, 1)
    assert.equal(switches[0]!.removed.length, 20)
    const back = transactionId(b, shorter[3]!)
    await until('it waits again', () => b.chain.mempool.has(back))
    assert.equal(await b.chain.txStore.has(back), false)
    assert.equal(tipOf(a), lastId(longer))
    assert.deepEqual([ofKind(a, 'peerFault'), ofKind(b, 'peerFault')], [[], []])
  })

  test('no branch that leaves below what is final is followed, and it says so', async () => {
    const a = await start()
    const b = await start({}, createToyChain({ finalDepth: 5 }))
    const longer = toyBranch(genesis, 30, 'longer')
    const shorter = toyBranch(genesis, 20, 'shorter')
    await give(a, longer)
    await give(b, shorter)
    await join(b, a)
    await until('b says why not', () => ofKind(b, 'syncFailed').length > 0)
    assert.match(ofKind(b, 'syncFailed')[0]!.problem, /leaves ours below height 15, which is final/)
    assert.equal(tipOf(b), lastId(shorter))
  })

  test('fast: from the trusted checkpoint, then on from there', async () => {
    const a = await start()
    const blocks = toyBranch(genesis, 300)
    await give(a, blocks)
    const checkpoint = toyInfo(blocks[249]!)
    const late = await start({ checkpoint })
    await join(late, a)
    await until('caught up', () => tipOf(late) === lastId(blocks))
    assert.deepEqual(
      ofKind(late, 'syncRequested').map(({ strategy }) => strategy),
      ['fast', 'incremental'],
    )
    assert.equal(await late.chain.blockStore.lowestHeight(), 250)
    assert.equal(
      await late.chain.blockStore.has(toyInfo(blocks[100]!).id),
      false,
      'nothing below it was fetched',
    )
    const later = await start()
    await join(later, late)
    await until('a chain without its beginning helps nobody', () => ofKind(later, 'syncFailed').length > 0)
    assert.match(ofKind(later, 'syncFailed')[0]!.problem, /none of the blocks named is on this chain/)
    assert.deepEqual(ofKind(later, 'peerFault'), [])
  })

  const fallbacks = [
    { what: 'nobody has the checkpoint', id: 'unheard of', refuses: false, why: /does not give the block/ },
    { what: 'the chain cannot begin there', id: null, refuses: true, why: /no state for it/ },
  ]
  for (const { what, id, refuses, why } of fallbacks) {
    test(`falls back to full when ${what}, and says why`, async () => {
      const a = await start()
      const blocks = toyBranch(genesis, 20)
      await give(a, blocks)
      const checkpoint = { id: id ?? toyInfo(blocks[9]!).id, height: refuses ? 10 : 50 }
      const late = await start({ checkpoint }, createToyChain({ refusesCheckpoint: refuses }))
      await join(late, a)
      await until('caught up', () => tipOf(late) === lastId(blocks))
      assert.match(ofKind(late, 'syncFellBack')[0]!.problem, why)
      assert.equal(ofKind(late, 'syncRequested').at(-1)!.strategy, 'full')
    })
  }

  test('a chain with another block at the height of the checkpoint is refused', async () => {
    const [a, b] = [await start(), await start()]
    const wrong = toyBranch(genesis, 12, 'wrong')
    await give(a, wrong)
    const blocks = toyBranch(genesis, 11, 'right')
    await give(b, blocks)
    const late = await start({ checkpoint: toyInfo(blocks[4]!) }, createToyChain({ refusesCheckpoint: true }))
    await join(late, a)
    await until('a is found out', () => ofKind(late, 'peerFault').length > 0)
    await join(late, b)
    await until('caught up with b', () => tipOf(late) === lastId(blocks))
  })

  test('a peer that claims a height it has not wedges nothing, and is charged', async () => {
    const [liar, late, honest] = [await start(), await start(), await start()]
    const blocks = toyBranch(genesis, 150)
    await give(honest, blocks)
    await join(liar, late)
    const tip = { id: 'invented', height: 1_000_000 }
    const claim = encodeChainStatus({ tip, finalizedHeight: 0, lowestHeight: 0 })
    liar.node.network.send(late.node.network.peerId, 'chain.status', claim)
    await until('charged', () => ofKind(late, 'peerFault').length > 0)
    await join(late, honest)
    await until('caught up all the same', () => tipOf(late) === lastId(blocks))
    assert.equal(ofKind(late, 'peerFault')[0]!.peer, liar.node.network.peerId)
  })
})

describe('a network that parts', () => {
  test('comes to one chain again, and to all transactions', async () => {
    const nodes = [await start()]
    while (nodes.length < 8) {
      const bootstrap = nodes.slice(-2).flatMap(({ node }) => node.network.addresses())
      nodes.push(await start({ bootstrap, backoffMinMs: 20 }))
    }
    await until('everyone has peers', () => nodes.every(({ node }) => node.network.peers().length >= 2))
    const [left, right] = [nodes.slice(0, 4), nodes.slice(4)]
    part(left, right)
    const [shorter, longer] = [toyBranch(genesis, 3, 'left'), toyBranch(genesis, 5, 'right')]
    await give(left[1]!, shorter)
    await give(right[2]!, longer)
    const has = (half: readonly Node[], blocks: readonly Block[]) =>
      half.every((node) => tipOf(node) === lastId(blocks))
    await until('each half has its own chain', () => has(left, shorter) && has(right, longer))
    part()
    await until('all have the longer', () => has(nodes, longer))
    const lost = shorter.map((block) => transactionId(left[0]!, block))
    await until('what was in the shorter waits again', () =>
      left.every(({ chain }) => lost.every((id) => chain.mempool.has(id))),
    )
    assert.deepEqual(
      nodes.flatMap((node) => ofKind(node, 'peerFault')),
      [],
    )
  })
})

describe('stores that fail', () => {
  test('fail what needs them, blame nobody, and are tried again', async () => {
    const blocks = toyBranch(genesis, 40)
    const a = await start()
    await give(a, blocks)
    const chain = createToyChain()
    const { put, idAt, switchTo } = chain.blockStore
    let switches = 0
    chain.blockStore.switchTo = (change) => {
      if (++switches === 10) throw new Error('disk slow')
      return switchTo(change)
    }
    let failures = 3
    const errors: string[] = []
    chain.blockStore.put = (info, block) => {
      if (info.height === 20 && failures-- > 0) throw new Error('disk full')
      return put(info, block)
    }
    const log = { ...silentLog, error: (message: string) => errors.push(message) }
    const b = await start({ log, syncBackoffMaxMs: 50 }, chain)
    chain.blockStore.idAt = (height) => {
      if (failures === 2) throw new Error('disk gone')
      return idAt(height)
    }
    await join(b, a)
    await until('it cannot read', () => errors.includes('this node cannot read its own chain'))
    chain.blockStore.idAt = idAt
    await until('caught up', () => tipOf(b) === lastId(blocks))
    assert.ok(errors.includes('a synchronised block could not be stored'), errors.join())
    assert.deepEqual(ofKind(b, 'peerFault'), [])
  })

  test('get nothing more once it stopped', async () => {
    const [a, b] = [await start(), await start()]
    await give(a, toyBranch(genesis, 400))
    await join(b, a)
    await until('it began', () => b.chain.consensus.tip().height > 0)
    await b.node.stop()
    const { height } = b.chain.consensus.tip()
    b.chain.blockStore.put = () => assert.fail('it was stopped')
    await assert.rejects(b.node.submitBlock(toyBlock(b.chain.consensus.tip(), [])), {
      code: 'BLOCK_NOT_TAKEN',
    })
    assert.equal(b.chain.consensus.tip().height, height)
  })
})

describe('start and stop', () => {
  test('an AbortSignal ends it', async () => {
    const controller = new AbortController()
    const [a, b] = [await start({ signal: controller.signal }), await start()]
    await join(b, a)
    controller.abort()
    await until('b is told', () => ofKind(b, 'peerDisconnected').length === 1)
    assert.equal(ofKind(b, 'peerDisconnected')[0]!.reason.code, 'shutting-down')
  })

  test('stores that stopped behind the consensus are brought up to it', async () => {
    const chain = createToyChain()
    const blocks = toyBranch(genesis, 3)
    for (const block of blocks) {
      const info = toyInfo(block)
      await chain.blockStore.put(info, block)
      await chain.consensus.blockStored(info, block)
    }
    const { node } = await start({}, chain)
    assert.equal((await node.status()).tip.height, 3)
    assert.equal(await chain.blockStore.idAt(3), lastId(blocks))
  })

  test('a listener that throws harms nobody', async () => {
    const [a, b] = [await start(), await start()]
    b.node.subscribe(() => {
      throw new Error('not today')
    })
    await join(b, a)
    const blocks = toyBranch(genesis, 5)
    await give(a, blocks)
    await until('b has them', () => tipOf(b) === lastId(blocks))
  })

  test('a checkpoint asks for a chain that can begin there', async () => {
    const chain: ChainParts = createToyChain()
    const without = { ...chain, consensus: { ...chain.consensus, beginAt: undefined } }
    const starting = start({ checkpoint: { id: 'x', height: 5 } }, without as unknown as ToyChain)
    await assert.rejects(starting, /checkpoint needs beginAt/)
  })
})
