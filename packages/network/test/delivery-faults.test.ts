/**
 * Delivery over nodes that drop, alter, repeat, delay; over links that break; to recipients that are away. Outcomes are stated in the
 * decision record 008.
 */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { bytesToHex, utf8ToBytes } from '@althing/base'
import type { Delivery } from '../src/index.ts'
import { decodePacket, encodePacket } from '../src/protocol/delivery-wire.ts'
import type { Packet } from '../src/protocol/delivery-wire.ts'
import { signPeerRecord } from '../src/protocol/peer-record.ts'
import { sealKeyPairOf } from '../src/protocol/seal-key.ts'
import { GENESIS, ServiceWorld, START_MS } from './service-world.ts'
import type { WorldNode } from './service-world.ts'

const SECRET = utf8ToBytes('for your eyes only, whoever carries it')
type Settled = { attempts: number } | { code: string; remoteCode: string | null }

describe('delivery over faults (PT-7, PC-11, PC-12)', () => {
  let world: ServiceWorld

  beforeEach(() => {
    world = new ServiceWorld()
  })

  function inboxOf({ delivery }: WorldNode): Delivery[] {
    const inbox: Delivery[] = []
    delivery.handle('note', (letter) => void inbox.push(letter))
    return inbox
  }

  /** Waits for the outcome, in the world's time. */
  async function send(
    from: WorldNode,
    to: WorldNode,
    options: Parameters<WorldNode['delivery']['send']>[3] = {},
    body = SECRET,
  ): Promise<Settled> {
    let settled: Settled | null = null
    from.delivery.send(to.peerId, 'note', body, options).then(
      (receipt) => (settled = receipt),
      (error: Settled) => (settled = error),
    )
    await world.until('the delivery ends', () => settled !== null)
    return settled!
  }

  const codeOf = (settled: Settled) => ('code' in settled ? settled.code : 'delivered')

  /** Two ways from `a` to `z`: the short one over `bad`, the long one over two others. */
  function detour() {
    const [a, bad, b, c, z] = world.add(5) as [WorldNode, WorldNode, WorldNode, WorldNode, WorldNode]
    world.link(a, bad, 5)
    world.link(bad, z, 5)
    world.link(a, b, 20)
    world.link(b, c, 20)
    world.link(c, z, 20)
    world.pass(8000)
    return { a, bad, z }
  }

  const packetOf = (body: Uint8Array): Packet => {
    const decoded = decodePacket(body)
    assert.ok(decoded.ok)
    return decoded.value
  }

  test('who carries a letter sees addresses and size, and nothing of what it says', async () => {
    const [a, b, c] = world.line(3) as [WorldNode, WorldNode, WorldNode]
    const seen: string[] = []
    b.tamper = (_to, kind, body) => {
      if (kind === 'delivery-packet') seen.push(bytesToHex(body))
      return [{ body }]
    }
    const inbox = inboxOf(c)
    world.pass(8000)
    assert.equal(codeOf(await send(a, c)), 'delivered')
    assert.deepEqual(
      inbox.map(({ from, body, sealed }) => [from, body, sealed]),
      [[a.peerId, SECRET, true]],
    )
    assert.ok(seen.length > 0 && seen.every((hex) => !hex.includes(bytesToHex(SECRET))))
    await send(a, c, { sealed: false })
    assert.ok(seen.some((hex) => hex.includes(bytesToHex(SECRET))))
    assert.equal(inbox[1]?.sealed, false)
  })

  const badCarriers: Readonly<
    Record<string, (body: Uint8Array) => readonly { body: Uint8Array; delayMs?: number }[]>
  > = {
    drops: () => [],
    alters: (body) => {
      const packet = packetOf(body)
      const payload = packet.payload.slice()
      if (payload.length > 0) payload[payload.length >> 1]! ^= 1
      return [{ body: encodePacket({ ...packet, payload }) }]
    },
    'says that it is from another': (body) => {
      const packet = packetOf(body)
      return [{ body: encodePacket({ ...packet, from: world.nodes[2]!.peerId }) }]
    },
    delays: (body) => [{ body, delayMs: 5000 }],
    repeats: (body) => [{ body }, { body, delayMs: 50 }, { body, delayMs: 3000 }],
    'counts attempts up': (body) => {
      const packet = packetOf(body)
      return [1, 2, 3].map((n) => ({
        body: encodePacket({ ...packet, attempt: packet.attempt + n, flood: true }),
      }))
    },
  }
  for (const [what, does] of Object.entries(badCarriers)) {
    test(`where the node on the shortest way ${what}, the letter arrives once, and its receipt comes back`, async () => {
      const { a, bad, z } = detour()
      bad.tamper = (_to, kind, body) => (kind === 'delivery-packet' ? does(body) : [{ body }])
      const inbox = inboxOf(z)
      assert.equal(codeOf(await send(a, z)), 'delivered')
      world.pass(20_000)
      await world.until('what is still on its way arrives', () => true)
      assert.equal(inbox.length, 1)
    })
  }

  test('a letter that is sent again later, by whoever kept it, is not taken a second time', async () => {
    const [a, b, c] = world.line(3) as [WorldNode, WorldNode, WorldNode]
    const kept: Packet[] = []
    b.tamper = (_to, kind, body) => {
      if (kind === 'delivery-packet') kept.push(packetOf(body))
      return [{ body }]
    }
    const inbox = inboxOf(c)
    world.pass(8000)
    await send(a, c, { deadlineMs: 20_000 })
    const letter = kept.find(({ content }) => content === 'sealedLetter')!
    const replay = (attempt: number) =>
      c.delivery.received({
        from: b.peerId,
        kind: 'delivery-packet',
        body: encodePacket({ ...letter, attempt }),
      })
    for (const waitMs of [0, 100_000, 100_000, 1_000_000]) {
      world.pass(waitMs)
      replay(100 + waitMs / 10_000)
      await world.until('it was looked at', () => false, 200).catch(() => {})
    }
    assert.equal(inbox.length, 1)
  })

  test('once only across a reconnect: the receipt is lost, the letter comes again, the application has it once', async () => {
    const [a, b] = world.line(2) as [WorldNode, WorldNode]
    const inbox = inboxOf(b)
    world.pass(5000)
    const isReceipt = (body: Uint8Array) => packetOf(body).content === 'sealedReceipt'
    b.tamper = (_to, kind, body) => (kind === 'delivery-packet' && isReceipt(body) ? [] : [{ body }])
    const outcome = send(a, b)
    await world.until('it arrives', () => inbox.length === 1)
    world.unlink(a, b)
    b.tamper = null
    world.link(a, b)
    const settled = await outcome
    assert.ok('attempts' in settled && settled.attempts >= 2)
    assert.equal(inbox.length, 1)
  })

  test('a recipient that is away gets it when it is back before the deadline', async () => {
    const [a, b, c] = world.line(3) as [WorldNode, WorldNode, WorldNode]
    const inbox = inboxOf(c)
    world.pass(8000)
    world.unlink(b, c)
    const outcome = send(a, c, { deadlineMs: 60_000 })
    await world.until('some time is over', () => world.nowMs > 14_000)
    world.link(b, c)
    assert.equal(codeOf(await outcome), 'delivered')
    assert.equal(inbox.length, 1)
  })

  test('when it does not come back, the failure says so, and that it may be tried again', async () => {
    const [a, , c] = world.line(2).concat(world.add(1)) as [WorldNode, WorldNode, WorldNode]
    await assert.rejects(
      async () => {
        let error: unknown = null
        a.delivery
          .send(c.peerId, 'note', SECRET, { deadlineMs: 3000 })
          .catch((found: unknown) => (error = found))
        await world.until('it ends', () => error !== null)
        throw error as Error
      },
      { code: 'DELIVERY_TIMEOUT', retryable: true },
    )
    assert.deepEqual([a.delivery.stats().waiting, a.delivery.stats().waitingBytes], [0, 0])
  })

  test('what the recipient does not take comes back as a refusal with its reason', async () => {
    const [a, b] = world.line(2) as [WorldNode, WorldNode]
    assert.deepEqual(pick(await send(a, b)), ['DELIVERY_REFUSED', 'unhandled'])
    b.delivery.handle('note', () => Promise.reject(new Error('no')))
    assert.deepEqual(pick(await send(a, b)), ['DELIVERY_REFUSED', 'refused'])
  })
  const pick = (settled: Settled) => ('code' in settled ? [settled.code, settled.remoteCode] : [])

  test('nobody makes a node repeat its letters by answering questions that it did not ask', async () => {
    const [a, b, c] = world.line(3) as [WorldNode, WorldNode, WorldNode]
    const answers: Packet[] = []
    const letters: Packet[] = []
    b.tamper = (_to, kind, body) => {
      if (kind !== 'delivery-packet') return [{ body }]
      const packet = packetOf(body)
      if (packet.content === 'keyAnswer') answers.push(packet)
      if (packet.content === 'sealedLetter') letters.push(packet)
      return packet.content === 'sealedReceipt' ? [] : [{ body }]
    }
    inboxOf(c)
    world.pass(8000)
    const outcome = send(a, c, { deadlineMs: 10_000 })
    await world.until('the letter is on its way', () => letters.length === 1)
    const { id } = letters[0]!
    for (let attempt = 100; attempt < 200; attempt++) {
      const body = encodePacket({ ...answers[0]!, id, attempt })
      a.delivery.received({ from: b.peerId, kind: 'delivery-packet', body })
    }
    assert.equal(codeOf(await outcome), 'DELIVERY_TIMEOUT')
    assert.ok(letters.length < 8, `${letters.length} letters`)
  })

  test('a letter sealed to a key that is no longer the recipient’s is sealed anew', async () => {
    const [a, b] = world.line(2) as [WorldNode, WorldNode]
    const inbox = inboxOf(b)
    const content = { seq: START_MS - 60_000, addresses: [], nodeType: 'full', features: [] } as const
    const old = signPeerRecord({ ...content, sealKey: sealKeyPairOf(GENESIS).publicKey }, GENESIS, b.signer)
    assert.equal(a.records.take(old.encoded, false), 'news')
    assert.equal(codeOf(await send(a, b)), 'delivered')
    assert.equal(inbox.length, 1)
  })

  test('without a map letters still find their way, and no packet circles', async () => {
    const nodes = world.add(8, { linkReports: false })
    nodes.forEach((node, i) => {
      world.link(node, nodes[(i + 1) % 8]!)
      world.link(node, nodes[(i + 3) % 8]!)
    })
    const inbox = inboxOf(nodes[4]!)
    assert.equal(codeOf(await send(nodes[0]!, nodes[4]!)), 'delivered')
    const bytes = world.sentBytes.get('delivery-packet')!
    world.pass(60_000)
    assert.ok(world.sentBytes.get('delivery-packet')! < 3 * bytes)
    assert.equal(inbox.length, 1)
  })

  test('no farther than its hops', async () => {
    const nodes = world.line(5)
    inboxOf(nodes[4]!)
    world.pass(12_000)
    assert.equal(
      codeOf(await send(nodes[0]!, nodes[4]!, { hopsMax: 2, deadlineMs: 4000 })),
      'DELIVERY_TIMEOUT',
    )
    assert.equal(codeOf(await send(nodes[0]!, nodes[4]!, { hopsMax: 3 })), 'delivered')
  })

  test('a long letter to who is not there costs the network questions only', async () => {
    const [a, b, , away] = world.line(3).concat(world.add(1)) as [WorldNode, WorldNode, WorldNode, WorldNode]
    world.link(b, away)
    inboxOf(away)
    world.pass(8000)
    assert.equal(codeOf(await send(a, away)), 'delivered')
    world.unlink(b, away)
    world.pass(8000)
    const before = world.sentBytes.get('delivery-packet')!
    const long = new Uint8Array(100_000)
    const settled = await send(a, away, { deadlineMs: 10_000 }, long)
    assert.equal(codeOf(settled), 'DELIVERY_TIMEOUT')
    assert.ok(world.sentBytes.get('delivery-packet')! - before < 10_000)
    world.link(b, away)
    world.pass(8000)
    assert.equal(codeOf(await send(a, away, {}, long)), 'delivered')
  })

  test('an abort ends the waiting, and stopping ends all of it', async () => {
    const [a, away] = world.add(2) as [WorldNode, WorldNode]
    const post = (signal?: AbortSignal) =>
      a.delivery.send(away.peerId, 'note', SECRET, { ...(signal && { signal }) })
    const controller = new AbortController()
    const aborted = assert.rejects(post(controller.signal), { code: 'REQUEST_CANCELLED' })
    controller.abort()
    await aborted
    const stopped = assert.rejects(post(), { code: 'STOPPED' })
    a.delivery.stop()
    await stopped
    await assert.rejects(post(), { code: 'STOPPED' })
  })

  test('what is no packet is charged to who sent it', () => {
    const [a, b] = world.line(2) as [WorldNode, WorldNode]
    a.delivery.received({ from: b.peerId, kind: 'delivery-packet', body: new Uint8Array(20) })
    assert.equal(a.faults.length, 1)
  })
})
