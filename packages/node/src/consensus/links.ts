/**
 * Between the network and the consensus driver: who the authorities among the peers are, and what goes where.
 * L1  only what an authority said, and only of views that still count, is passed on
 * L2  the same message is passed on at most once in `RELAYED_AGAIN_MS`, whatever round it is said to be of: nobody can
 *     flood the network with what others signed
 * L3  a peer that proved to be an authority stays known as it: links come and go, also two at a time
 * @module
 */
import { FINALIZE } from '@althing/base'
import type { Block, Clock, Epoch, Hash, Header, Log, Signer, Verify } from '@althing/base'
import { decodeMessage, encodeMessage } from '@althing/chain'
import type { ConsensusMessage } from '@althing/chain'
import type { Admission, Hello, Message, Network, PeerView, Verdict } from '@althing/network'
import { checkAuthorityProof, proveAuthority } from './authority-link.ts'
import type { ConsensusDriver } from './driver.ts'
import { contentId, directKind, gossipKind, isAuthentic, isWhole, Rounds, unwrap } from './wire.ts'
import type { MessageKind } from './wire.ts'

export interface LinkPorts {
  readonly epoch: Epoch
  readonly genesisHash: Hash
  readonly signer: Signer | undefined
  /** Remembers what it has checked. */
  readonly verify: Verify
  readonly log: Log
  readonly clock: Clock
  /** A peer has a block: it sent it. */
  readonly onBlock: (peer: string, header: Header) => void
  /** Where the core is: what is not above the floor, or far ahead of the view, is not passed on (R13). */
  readonly window: () => { readonly floor: number; readonly view: number }
}

const VIEWS_AHEAD_MAX = 100
/** Less than the time between two retransmissions (R9). */
const RELAYED_AGAIN_MS = 500
const RELAYED_KEPT = 4_096
/** Peers that have proved to be one and the same authority, at most; the oldest is forgotten. */
const PEERS_OF_AUTHORITY_MAX = 4

export class ConsensusLinks {
  readonly #ports: LinkPorts
  readonly #rounds = new Rounds()
  readonly #authorityByPeer = new Map<string, number>()
  /** By content, the oldest first. */
  readonly #relayedAtMs = new Map<string, number>()

  constructor(ports: LinkPorts) {
    this.#ports = ports
  }

  credential(localPeer: string, remotePeer: string): Uint8Array {
    const { signer, genesisHash } = this.#ports
    return signer === undefined
      ? new Uint8Array(0)
      : proveAuthority(signer, genesisHash, localPeer, remotePeer)
  }

  /** An authority that proves its key has a reserved slot; a proof that does not hold is refused. */
  admit(localPeer: string, hello: Hello, remotePeer: string): Admission {
    if (hello.credential.length === 0) return { ok: true, reserved: false, label: 'full node' }
    const { genesisHash, epoch, verify } = this.#ports
    const link = { genesisHash, prover: remotePeer, verifier: localPeer }
    const index = checkAuthorityProof(hello.credential, link, epoch.set, verify)
    if (!index.ok) {
      if (index.fault.code === 'NOT_AN_AUTHORITY') return { ok: true, reserved: false, label: 'full node' }
      return { ok: false, reason: index.fault.message }
    }
    this.#proved(remotePeer, index.value)
    return { ok: true, reserved: true, label: `authority ${index.value}` }
  }

  #proved(peer: string, authority: number): void {
    this.#authorityByPeer.delete(peer)
    this.#authorityByPeer.set(peer, authority)
    const same = [...this.#authorityByPeer].filter(([, index]) => index === authority)
    if (same.length > PEERS_OF_AUTHORITY_MAX) this.#authorityByPeer.delete(same[0]![0])
  }

  authorityOf(peer: string): number | null {
    return this.#authorityByPeer.get(peer) ?? null
  }

  /** Takes what the network brings to the driver, until the network stops. */
  attach(network: Network, driver: ConsensusDriver): void {
    const connected = ({ id, finalizedHeight }: PeerView): void =>
      driver.feed({ kind: 'peerConnected', peer: id, height: finalizedHeight })
    network.subscribe((event) => {
      if (event.kind === 'peerConnected') connected(event.peer)
      else if (event.kind === 'peerDisconnected') driver.feed({ kind: 'peerDisconnected', peer: event.peer })
    })
    for (const peer of network.peers()) connected(peer)
    for (const kind of ['votes', 'proposals'] as const) {
      network.handleGossip(kind, (message) => {
        const verdict = this.judge(kind, message, driver)
        if (kind === 'proposals' && verdict === 'accept') network.reward(message.from, 'validBlock')
        return verdict
      })
    }
    for (const kind of ['consensus', 'blocks'] as const) {
      network.handle(kind, ({ from, body }) => {
        const message = decodeMessage(body)
        if (message.ok) {
          for (const block of blocksOf(message.value)) this.#ports.onBlock(from, block.header)
          driver.receive(from, this.authorityOf(from), message.value)
        } else network.penalise(from, 'invalidMessage', `consensus: ${message.fault.message}`)
      })
    }
  }

  broadcast(network: Network, message: ConsensusMessage): void {
    const kind = gossipKind(message)
    if (kind === null) {
      network.broadcast(directKind(message), encodeMessage(message))
      return
    }
    const body = this.#rounds.wrap(message)
    this.#relayed(contentId(body))
    network.publish(kind, body)
  }

  send(network: Network, to: string, message: ConsensusMessage): void {
    const result = network.send(to, directKind(message), encodeMessage(message))
    if (result !== 'queued')
      this.#ports.log.debug('a consensus message was not sent', { to, kind: message.kind, result })
  }

  /** Of the connected peers, which authorities they are. */
  linkedAuthorities(peers: readonly PeerView[]): Set<number> {
    return new Set(peers.flatMap(({ id }) => this.authorityOf(id) ?? []))
  }

  /** What came as gossip goes to the driver as far as it can matter; the verdict says whether it is passed on. */
  judge(kind: MessageKind, { from, body }: Message, driver: Pick<ConsensusDriver, 'receive'>): Verdict {
    const id = contentId(body)
    if (this.#wasRelayed(id)) return 'ignore'
    const decoded = unwrap(body)
    if (!decoded.ok || gossipKind(decoded.value) !== kind) return 'reject'
    const message = decoded.value
    const position = positionOf(message)
    const { epoch, verify, window } = this.#ports
    if (position?.epoch !== epoch.epoch) return 'ignore'
    const { floor, view } = window()
    const isCertificate = message.kind === 'certificate'
    if (position.view <= floor) {
      // The conflict check of the core runs at any view (R7).
      if (isCertificate && message.certificate.kind === FINALIZE) driver.receive(from, null, message)
      return 'ignore'
    }
    if (position.view > view + VIEWS_AHEAD_MAX && !isCertificate) return 'ignore'
    if (!isAuthentic(message, epoch, verify)) return 'reject'
    for (const block of blocksOf(message)) this.#ports.onBlock(from, block.header)
    driver.receive(from, this.authorityOf(from), message)
    if (!isWhole(message, epoch, verify)) return 'reject'
    this.#relayed(id)
    return 'accept'
  }

  #wasRelayed(id: string): boolean {
    const atMs = this.#relayedAtMs.get(id)
    return atMs !== undefined && this.#ports.clock.monotonicMs() - atMs < RELAYED_AGAIN_MS
  }

  #relayed(id: string): void {
    this.#relayedAtMs.delete(id)
    this.#relayedAtMs.set(id, this.#ports.clock.monotonicMs())
    if (this.#relayedAtMs.size > RELAYED_KEPT)
      this.#relayedAtMs.delete(this.#relayedAtMs.keys().next().value!)
  }
}

function blocksOf(message: ConsensusMessage): readonly Block[] {
  switch (message.kind) {
    case 'proposal':
      return [message.proposal.block]
    case 'block':
      return [message.block]
    case 'chain':
      return message.reply.blocks
    default:
      return []
  }
}

function positionOf(message: ConsensusMessage): { readonly epoch: number; readonly view: number } | null {
  switch (message.kind) {
    case 'vote':
      return message.vote
    case 'certificate':
      return message.certificate
    case 'proposal':
      return message.proposal
    default:
      return null
  }
}
