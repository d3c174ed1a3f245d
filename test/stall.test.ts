/**
 * Why the next block is not final, said by real nodes in words and as data (the stall explainer).
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ConsensusReport } from '@althing/client'
import { althing, TestNetwork, until } from './support/network.ts'
import type { TestNode } from './support/network.ts'

type Four = [TestNode, TestNode, TestNode, TestNode]

/** A preload that changes the world of one node. */
function preload(code: string): { prefix: string[]; environment: Record<string, string> } {
  return {
    prefix: [],
    environment: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` },
  }
}

const AHEAD_MS = 3_000
const fastClock = preload(`const now = Date.now; Date.now = () => now() + ${AHEAD_MS}`)
/** Everything that it sends to others leaves a while later, in order. */
const slowLinks = preload(`
  import net from 'node:net'
  const write = net.Socket.prototype._writeGeneric
  net.Socket.prototype._writeGeneric = function (...args) { setTimeout(() => write.apply(this, args), 250) }`)

/** Times that suit fast links only. */
const LOW = ['timeout=100ms', 'clock_drift=50ms', 'retransmit=100ms', 'signer_timeout=50ms']

async function told(
  node: TestNode,
  what: string,
  holds: (report: ConsensusReport) => boolean,
): Promise<ConsensusReport> {
  let last: ConsensusReport | undefined
  try {
    return await until(
      what,
      async () => {
        last = await node.client.consensus()
        return holds(last) && last
      },
      40_000,
    )
  } catch (error) {
    throw new Error(`${(error as Error).message}; it said: ${JSON.stringify(last, null, 1)}`, {
      cause: error,
    })
  }
}

/** Cuts the network in two, or heals it: at once, from one side. */
async function between(
  side: readonly TestNode[],
  other: readonly TestNode[],
  act: (node: TestNode, peer: string) => Promise<unknown>,
): Promise<void> {
  const peers = await Promise.all(other.map(async (node) => (await node.info()).peer_id))
  await Promise.all(side.flatMap((node) => peers.map((peer) => act(node, peer))))
}

test('idle, a wrong clock, a partition 2|2, two of four down, another genesis: each is told as what it is', async () => {
  await using network = await TestNetwork.create({ idleIntervalMs: 60_000 })
  const [first, second, third, fourth] = network.nodes as Four
  fourth.launch = fastClock
  await network.start()

  const idle = await told(
    first,
    'idle, with links and clocks of all',
    ({ state, authorities }) =>
      state === 'idle' &&
      authorities.every((one) => one.self || (one.link !== null && one.clock_offset_ms !== null)),
  )
  assert.match(idle.text, /^Idle: no transactions wait/)
  const skewed = await told(first, 'a clock is wrong', ({ authorities }) => authorities[3]!.clock_wrong)
  assert.ok(Math.abs(skewed.authorities[3]!.clock_offset_ms! - AHEAD_MS) < 1_000)
  assert.match(skewed.advice.join(), /The clock of authority 3 is [\d.]+ s ahead of this node's/)

  await between([first, second], [third, fourth], (node, peer) => node.client.network.ban({ target: peer }))
  for (const [node, missing] of [
    [first, [2, 3]],
    [fourth, [0, 1]],
  ] as const) {
    const cut = await told(node, 'two are missing', (report) => report.state === 'stopped')
    assert.deepEqual(
      cut.authorities.filter((one) => one.missing).map(({ index }) => index),
      missing,
    )
    assert.match(cut.text, /^Stopped: 2 of 4 authority votes can be had, 3 are needed\./)
    assert.match(cut.advice.join(' '), /fell silent together: look for a cut in the network/)
  }
  await between([first, second], [third, fourth], (node, peer) => node.client.network.unban(peer))
  const isWhole = ({ state, authorities }: ConsensusReport): boolean =>
    state === 'idle' && authorities.every((one) => one.self || (one.link !== null && !one.missing))
  for (const node of [first, second]) await told(node, 'idle again', isWhole)

  await third.stop()
  await fourth.kill()
  const down = await told(first, 'stopped', ({ state }) => state === 'stopped')
  assert.match(down.text, /authority 2 \(last heard [\d.]+ s ago, no link: its node was stopped\)/)
  assert.match(down.text, /authority 3 \(last heard [\d.]+ s ago, no link: the link broke without a word/)
  assert.match(
    down.advice.join(' '),
    /nodes of authority 2 and authority 3 run .*Votes of weight 1 must come back/,
  )
  const status = await althing(['status', '--api', first.client.url.href])
  assert.match(status.stdout, /Stopped: 2 of 4[^]*→ See whether the nodes/)

  const genesisFile = join(third.folder, 'genesis.json')
  const genesis = JSON.parse(readFileSync(genesisFile, 'utf8')) as { timestampMs: number }
  writeFileSync(genesisFile, JSON.stringify({ ...genesis, timestampMs: genesis.timestampMs + 1 }))
  third.start('--set', `node.data_folder=${join(third.folder, 'other')}`)
  const other = await told(first, 'a stranger is told', ({ advice }) => /another network/.test(advice.join()))
  assert.match(
    other.advice.join(' '),
    /A node is refused as of another network \(.*genesis-mismatch.*genesis file/,
  )
})

test('a full disk ends one node, which says so, and not the chain; all up but slow is told with the way that is slow', async () => {
  await using network = await TestNetwork.create({ idleIntervalMs: 500 })
  const [first, second, third, fourth] = network.nodes as Four
  if (process.platform !== 'win32')
    third.launch = { prefix: ['sh', '-c', 'trap "" XFSZ; ulimit -f 192; exec "$0" "$@"'], environment: {} }
  third.start()
  await network.start([first, second, fourth])
  assert.equal(await third.ended(), 1)
  assert.match(third.log(), /STORE_FULL/)
  const { finalized_height: height } = await first.atHeight(2)
  await first.atHeight(height + 2)
  const report = await told(first, 'it is missing', ({ authorities }) => authorities[2]!.missing)
  assert.match(report.text, /Missing: authority 2 /)
  await Promise.all(network.nodes.map((node) => node.kill()))

  for (const node of network.nodes) {
    node.launch = slowLinks
    node.start(...LOW.flatMap((setting) => ['--set', `consensus.${setting}`]))
  }
  await Promise.all(network.nodes.map((node) => node.ready()))
  const slow = await told(
    first,
    'all are heard, and slow',
    ({ state, advice, authorities }) =>
      state === 'waiting' &&
      authorities.every((one) => !one.missing) &&
      /and back takes up to/.test(advice.join()),
  )
  assert.match(slow.text, /^Waiting: view \d+, led by authority \d.*votes held: .*, 3 needed/)
  assert.match(slow.advice.join(' '), /consensus\.timeout \(100 ms\) should be three times that/)
})
