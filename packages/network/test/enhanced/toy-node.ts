/**
 * Nodes of the toy chain for a test.
 * @module
 */
import { createMemoryNetwork, startEnhancedNetwork } from '../../src/index.ts'
import type { Block, EnhancedNetwork, EnhancedNetworkConfig, EnhancedNetworkEvent } from '../../src/index.ts'
import { createToyChain, toyInfo } from './toy-chain.ts'
import type { ToyChain } from './toy-chain.ts'

export interface Node {
  readonly node: EnhancedNetwork
  readonly chain: ToyChain
  readonly events: EnhancedNetworkEvent[]
}

/** Nobody is told of a new tip, so that nothing is left to the synchronisation. */
export const GOSSIP_ONLY = { statusDelayMs: 60_000, statusRepeatMs: 60_000 }

let memory = createMemoryNetwork()
let nodes: Node[] = []

export async function stopAll(): Promise<void> {
  await Promise.all(nodes.map(({ node }) => node.stop()))
  nodes = []
  memory = createMemoryNetwork()
}

export async function start(
  options: Partial<EnhancedNetworkConfig> = {},
  chain = createToyChain(),
): Promise<Node> {
  const node = await startEnhancedNetwork(
    {
      identity: new Uint8Array(32).fill(nodes.length + 1),
      networkId: 'toy',
      genesisHash: new Uint8Array(32).fill(9),
      versions: { min: 1, max: 1 },
      listen: ['/memory/0'],
      bootstrap: [],
      nodeType: 'full',
      features: [],
      transport: memory.transport,
      backoffMinMs: 50,
      lingerMs: 50,
      statusDelayMs: 20,
      headPatienceMs: 1,
      syncBackoffMinMs: 20,
      blockTimeoutMs: 500,
      ...options,
    },
    chain,
  )
  const events: EnhancedNetworkEvent[] = []
  node.subscribe((event) => events.push(event))
  const made = { node, chain, events }
  nodes.push(made)
  return made
}

/** Two halves that no longer reach each other, until it is called with nothing. */
export function part(left: readonly Node[] = [], right: readonly Node[] = []): void {
  if (left.length === 0) return memory.heal()
  memory.partition([left, right].map((half) => half.map(({ node }) => node.network.peerId)))
}

/** Blocks of this node only: as if made before it met anyone. */
export async function give({ node }: Node, blocks: readonly Block[]): Promise<void> {
  for (const block of blocks) await node.submitBlock(block)
}

export async function join(from: Node, to: Node): Promise<void> {
  await from.node.network.connect(to.node.network.addresses()[0]!)
}

export function tipOf({ chain }: Node): string {
  return chain.consensus.tip().id
}

export function ofKind<Kind extends EnhancedNetworkEvent['kind']>({ events }: Node, kind: Kind) {
  return events.filter((event): event is Extract<EnhancedNetworkEvent, { kind: Kind }> => event.kind === kind)
}

export function lastId(blocks: readonly Block[]): string {
  return toyInfo(blocks.at(-1)!).id
}

/** Of the block's first. */
export function transactionId({ chain }: Node, { transactions }: Block): string {
  const id = chain.consensus.transactionId(transactions[0]!)
  return id.ok ? id.value : ''
}
