/**
 * A node of the example chain. It reads commands, one a line; `help` lists them.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { startEnhancedNetwork } from '@althing/network'
import type { EnhancedNetworkEvent } from '@althing/network'
import { mine } from './miner.ts'
import { createNameChain, decodeClaim, genesisHash } from './name-chain.ts'

const { values } = parseArgs({
  options: {
    listen: { type: 'string', default: '/ip4/127.0.0.1/tcp/0' },
    join: { type: 'string', multiple: true, default: [] },
    bits: { type: 'string', default: '16' },
  },
})

const stopping = new AbortController()
const chain = createNameChain()
const node = await startEnhancedNetwork(
  {
    identity: randomBytes(32),
    networkId: 'names',
    genesisHash,
    versions: { min: 1, max: 1 },
    listen: [values.listen],
    bootstrap: values.join,
    nodeType: 'full',
    features: [],
    signal: stopping.signal,
  },
  chain,
)

const commands: Readonly<Record<string, (argument: string) => void | Promise<void>>> = {
  async claim(text) {
    const bytes = Buffer.from(text)
    if (decodeClaim(bytes) === null) return console.log('claim <name>=<owner>, of a to z, 0 to 9 and -')
    await node.submitTransaction(bytes)
    console.log(`waiting for a block: ${text}`)
  },
  async mine(count) {
    for (let left = Number(count || 1); left > 0; left--)
      await node.submitBlock(await mine(chain, Number(values.bits)))
    await commands['tip']!('')
  },
  who: (name) => console.log(`${name} belongs to ${chain.owner(name) ?? 'nobody'}`),
  tip() {
    const { id, height } = chain.consensus.tip()
    console.log(`tip ${height} ${id}`)
  },
  async join(address) {
    await node.network.connect(address)
  },
  peers: () => console.log(`${node.network.peers().length} peers`),
  quit: () => input.close(),
  help: () => console.log(`commands: ${Object.keys(commands).join(', ')}`),
}

node.subscribe((event) => {
  const text = describeEvent(event)
  if (text !== null) console.log(text)
})

console.log(`listening on ${node.network.addresses()[0]}`)
const input = createInterface({ input: process.stdin })
input.on('close', () => stopping.abort())
process.once('SIGINT', () => input.close())
for await (const line of input) {
  const [name = '', argument = ''] = line.trim().split(/\s+/, 2)
  const command = Object.hasOwn(commands, name) ? commands[name]! : commands['help']!
  try {
    await command(argument)
  } catch (error) {
    console.log(`no: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function describeEvent(event: EnhancedNetworkEvent): string | null {
  switch (event.kind) {
    case 'peerConnected':
      return `connected to ${event.peer.id}`
    case 'peerDisconnected':
      return `lost ${event.peer}: ${event.reason.code}`
    case 'transactionValidated':
      return event.peer === null ? null : `heard a claim ${event.id.slice(0, 8)}`
    case 'tipChanged': {
      const { tip, removed, added } = event
      if (removed.length === 0) return `new tip ${tip.height} ${tip.id}`
      return `fork resolved: ${removed.length} blocks out, ${added.length} in, new tip ${tip.height} ${tip.id}`
    }
    case 'syncRequested':
      return `${event.strategy} sync up to ${event.claimed}, since ${event.why}`
    case 'syncFailed':
      return `sync failed: ${event.problem}`
    case 'blockRejected':
      return `block refused: ${event.reason}`
    default:
      return null
  }
}
