/**
 * Between the network and the consensus driver: who the authorities among the peers are, and what goes where.
 * L1  only what an authority said, and only of views that still count, is passed on
 * L2  the same message is passed on at most once in `RELAYED_AGAIN_MS`, whatever round it is said to be of: nobody can
 *     flood the network with what others signed
 * L3  runs of the chain do not come this way, and who claims to be ahead is not asked for any: the network synchronises the final chain
 *     (decision 013), and hands it to the core as one more peer
 * L4  a peer that proved to hold a key stays known for it: links come and go, also two at a time. Which authority the key
 *     is, the present set says: it changes with the epoch (R11)
 * @module
 */
import { bytesToHex, concatBytes, FINALIZE } from '@althing/base'
import type { Block, Clock, Epoch, Hash, Header, Log, Verify, VoteSigner } from '@althing/base'
import { decodeMessage, encodeMessage } from '@althing/chain'
import type { ConsensusMessage } from '@althing/chain'
import type { Admission, Hello, Message, Network, PeerView, Verdict } from '@althing/network'
import { checkAuthorityProofs, proveAuthority } from './authority-link.ts'
import type { ConsensusDriver } from './driver.ts'
import { contentId, directKind, gossipKind, isAuthentic, isWhole, Rounds, unwrap } from './wire.ts'
import type { MessageKind } from './wire.ts'

export interface LinkPorts {
  /** The present one. */
  readonly epoch: () => Epoch
  readonly genesisHash: Hash
  /** Of the authority's keys; none on a full node. */
  readonly signers: readonly VoteSigner[]
  /** Remembers what it has checked. */
  readonly verify: Verify
  readonly log: Log
  readonly clock: Clock
  /** A peer has a block: it sent it. */
  readonly onBlock: (peer: string, header: Header) => void
  /** Height of the core's finalized tip. */
  readonly finalHeight: () => number
  /** Where the core is: what is not above the floor, or far ahead of the view, is not passed on (R13). */
  readonly window: () => { readonly floor: number; readonly view: number }
}

const VIEWS_AHEAD_MAX = 100
/** Less than the time between two retransmissions (R9). */
const RELAYED_AGAIN_MS = 500
const RELAYED_KEPT = 4_096
/** Peers that have proved one and the same key, at most, and peers that have proved any; the oldest is forgotten. */
const PEERS_OF_KEY_MAX = 4
const PEERS_PROVED_MAX = 1_024

export class ConsensusLinks {
  readonly #ports: LinkPorts
  readonly #rounds = new Rounds()
  /** Keys in hexadecimal; the oldest first. */
  readonly #keysByPeer = new Map<string, readonly string[]>()
  #asked = 0
  /** By content, the oldest first. */
  readonly #relayedAtMs = new Map<string, number>()

  constructor(ports: LinkPorts) {
    this.#ports = ports
  }

  /** Proofs of all own keys: one may be the authority's in the next epoch. */
  credential(localPeer: string, remotePeer: string): Uint8Array {
    const { signers, genesisHash } = this.#ports
    return concatBytes(...signers.map((signer) => proveAuthority(signer, genesisHash, localPeer, remotePeer)))
  }

  /** An authority that proves its key has a reserved slot; a proof that does not hold is refused. */
  admit(localPeer: string, hello: Hello, remotePeer: string): Admission {
    const { genesisHash, verify } = this.#ports
    const link = { genesisHash, prover: remotePeer, verifier: localPeer }
    const keys = checkAuthorityProofs(hello.credential, link, verify)
    if (!keys.ok) return { ok: false, reason: keys.fault.message }
    if (keys.value.length > 0) this.#proved(remotePeer, keys.value.map(bytesToHex))
    const authority = keys.value.length > 0 ? this.authorityOf(remotePeer) : null
    if (authority === null) return { ok: true, reserved: false, label: 'full node' }
    return { ok: true, reserved: true, label: `authority ${authority}` }
  }

  #proved(peer: string, keys: readonly string[]): void {
    this.#keysByPeer.delete(peer)
    this.#keysByPeer.set(peer, keys)
    const same = [...this.#keysByPeer].filter(([, others]) => others.some((key) => keys.includes(key)))
    if (same.length > PEERS_OF_KEY_MAX) this.#keysByPeer.delete(same[0]![0])
    if (this.#keysByPeer.size > PEERS_PROVED_MAX)
      this.#keysByPeer.delete(this.#keysByPeer.keys().next().value!)
  }

  /** In the present set; null when it is none. */
  authorityOf(peer: string): number | null {
    const keys = this.#keysByPeer.get(peer)
    if (keys === undefined) return null
    const index = this.#ports.epoch().set.findIndex(({ key }) => keys.includes(bytesToHex(key)))
    return index < 0 ? null : index
  }

  /** Takes what the network brings to the driver, until the network stops. */
  attach(network: Network, driver: ConsensusDriver): void {
    const connected = ({ id }: PeerView): void => driver.feed({ kind: 'peerConnected', peer: id, height: 0 })
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
        const decoded = decodeMessage(body)
        if (!decoded.ok)
          return network.penalise(from, 'invalidMessage', `consensus: ${decoded.fault.message}`)
        const message = decoded.value
        if (message.kind === 'getChain' || message.kind === 'chain')
          return network.penalise(from, 'invalidMessage', `consensus: ${message.kind} has another way`)
        for (const block of blocksOf(message)) this.#ports.onBlock(from, block.header)
        driver.receive(from, this.authorityOf(from), this.#withoutClaim(message))
      })
    }
  }

  /** L3: to the core nobody but the network's synchronisation is ahead. */
  #withoutClaim(message: ConsensusMessage): ConsensusMessage {
    if (message.kind !== 'status') return message
    const height = Math.min(message.status.height, this.#ports.finalHeight())
    return { kind: 'status', status: { ...message.status, height } }
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

  /** To each peer in turn. */
  sendToAny(network: Network, message: ConsensusMessage): void {
    const peers = network.peers()
    const peer = peers[this.#asked++ % peers.length]
    if (peer !== undefined) this.send(network, peer.id, message)
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
    const { verify } = this.#ports
    const epoch = this.#ports.epoch()
    const use = this.#useOf(message, epoch.epoch)
    if (use === 'past') driver.receive(from, null, message)
    if (use !== 'present') return 'ignore'
    if (!isAuthentic(message, epoch, verify)) return 'reject'
    for (const block of blocksOf(message)) this.#ports.onBlock(from, block.header)
    driver.receive(from, this.authorityOf(from), message)
    if (!isWhole(message, epoch, verify)) return 'reject'
    this.#relayed(id)
    return 'accept'
  }

  /** `past`: nobody else needs it, but the core looks for conflicts at any known view and epoch (R7). */
  #useOf(message: ConsensusMessage, epoch: number): 'present' | 'past' | 'none' {
    const position = positionOf(message)
    if (position === null || position.epoch > epoch) return 'none'
    if (message.kind === 'evidence') return position.epoch === epoch ? 'present' : 'past'
    const { floor, view } = this.#ports.window()
    const isCertificate = message.kind === 'certificate'
    if (position.epoch < epoch || position.view <= floor)
      return isCertificate && message.certificate.kind === FINALIZE ? 'past' : 'none'
    return isCertificate || position.view <= view + VIEWS_AHEAD_MAX ? 'present' : 'none'
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
    case 'evidence':
      return message.evidence.first
    default:
      return null
  }
}
