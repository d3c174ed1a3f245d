/**
 * Final blocks that the network brought, on their way into the consensus core. To the core the feed is one more peer (R10): it claims a
 * height, is asked for runs of the chain, and answers at once. It is the only peer that does, so there is one synchronisation: the
 * network's decides whom to ask and checks who gave what; the core decides what it executes.
 * F1  what is fed was proved final, and its body to be its header's: the core never has to blame the feed
 * F2  blocks wait here until they are on disk, and in bounded room; who brings more waits
 * F3  a run has blocks of one epoch, and ends at a certificate of its own where there is one
 * @module
 */
import { assert, Block } from '@althing/base'
import type { Log } from '@althing/base'
import type { ChainReply, ConsensusMessage } from '@althing/chain'
import type { ConsensusDriver } from '../consensus/driver.ts'
import type { FinalityProof } from './travelling-block.ts'

/** As what the core knows the feed; no peer id looks so. */
export const FEED_PEER = 'network sync'
const RUN_BLOCKS_MAX = 100

export interface FedBlock {
  readonly id: string
  readonly block: Block
  readonly proof: FinalityProof
}

export interface FinalFeedPorts {
  readonly log: Log
  /** Of one answer to the core, unless its first block alone is larger. */
  readonly runBytesMax: number
  readonly waitingBytesMax: number
}

interface Waiting extends FedBlock {
  readonly bytes: number
}

export class FinalFeed {
  readonly #ports: FinalFeedPorts
  readonly #byHeight = new Map<number, Waiting>()
  readonly #heightById = new Map<string, number>()
  #bytes = 0
  #finalHeight = 0
  #roomWaiters: (() => void)[] = []
  #driver: Pick<ConsensusDriver, 'feed' | 'receive'> | null = null
  #askPeer: (message: ConsensusMessage) => void = () => {}
  #isClaiming = false
  #isStopped = false

  constructor(ports: FinalFeedPorts) {
    this.#ports = ports
  }

  /** @param askPeer for what only a peer can answer: a single block, a certificate. */
  attach(
    driver: Pick<ConsensusDriver, 'feed' | 'receive'>,
    askPeer: (message: ConsensusMessage) => void,
  ): void {
    this.#driver = driver
    this.#askPeer = askPeer
  }

  /** Nobody waits for room any more. */
  stop(): void {
    this.#isStopped = true
    this.#driver = null
    for (const go of this.#roomWaiters.splice(0)) go()
  }

  get(id: string): FedBlock | undefined {
    const height = this.#heightById.get(id)
    return height === undefined ? undefined : this.#byHeight.get(height)
  }

  /** Resolves when it waits here. Its parent is final, or waits here too. */
  async put(fed: FedBlock): Promise<void> {
    const { height } = fed.block.header
    const bytes = Block.value_serializedSize(fed.block)
    while (!this.#isStopped && this.#bytes > 0 && this.#bytes + bytes > this.#ports.waitingBytesMax)
      await new Promise<void>((go) => this.#roomWaiters.push(go))
    if (this.#isStopped || height <= this.#finalHeight || this.#byHeight.has(height)) return
    this.#byHeight.set(height, { ...fed, bytes })
    this.#heightById.set(fed.id, height)
    this.#bytes += bytes
    this.claim()
  }

  /** Blocks up to this height are on disk. */
  finalized(height: number): void {
    this.#finalHeight = height
    for (const [waiting, { id, bytes }] of this.#byHeight) {
      if (waiting > height) continue
      this.#byHeight.delete(waiting)
      this.#heightById.delete(id)
      this.#bytes -= bytes
    }
    for (const go of this.#roomWaiters.splice(0)) go()
  }

  /** Tells the core how far it could get; to be called now and then, since the core forgets what did not come in time. */
  claim(): void {
    if (this.#isClaiming || this.#byHeight.size === 0) return
    this.#isClaiming = true
    setImmediate(() => {
      this.#isClaiming = false
      const height = Math.max(this.#finalHeight, ...this.#byHeight.keys())
      this.#driver?.feed({ kind: 'peerConnected', peer: FEED_PEER, height })
    })
  }

  /** A message of the core to the feed. */
  ask(message: ConsensusMessage): void {
    switch (message.kind) {
      case 'getChain': {
        const reply = this.#run(message.fromHeight)
        if (reply === null) return
        // Not before all that the core ordered with the question is done.
        setImmediate(() => this.#driver?.receive(FEED_PEER, null, { kind: 'chain', reply }))
        return
      }
      case 'getBlock':
      case 'getCertificate':
        return this.#askPeer(message)
      default:
        return
    }
  }

  /** The core refused what was proved (F1): this node or a quorum is wrong, and trying again would not help. */
  refused(reason: string): void {
    this.#ports.log.error('the consensus refused blocks that the network proved final', { reason })
    this.finalized(Math.max(this.#finalHeight, ...this.#byHeight.keys()))
  }

  /** F3 */
  #run(fromHeight: number): ChainReply | null {
    const blocks: FedBlock[] = []
    let bytes = 0
    for (let height = fromHeight; blocks.length < RUN_BLOCKS_MAX; height++) {
      const next = this.#byHeight.get(height)
      const before = blocks.at(-1)
      if (next === undefined) break
      if (before !== undefined && next.block.header.epoch !== before.block.header.epoch) break
      bytes += next.bytes
      if (before !== undefined && bytes > this.#ports.runBytesMax) break
      blocks.push(next)
    }
    const direct = blocks.findLastIndex(({ proof }) => proof.path.length === 0)
    const run = direct === -1 ? blocks : blocks.slice(0, direct + 1)
    const last = run.at(-1)
    if (last === undefined) return null
    assert(run[0]!.block.header.height === fromHeight, 'a run begins where it was asked for')
    return { blocks: run.map(({ block }) => block), ...last.proof }
  }
}
