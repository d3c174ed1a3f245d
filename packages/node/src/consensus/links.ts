/**
 * Between the network and the consensus driver: who the authorities among the peers are, and what goes where.
 * @module
 */
import type { Epoch, Hash, Log, Signer, Verify } from '@althing/base'
import { decodeMessage, encodeMessage } from '@althing/chain'
import type { ConsensusMessage } from '@althing/chain'
import type { Admission, Hello, Message, Network, PeerView, Verdict } from '@althing/network'
import { checkAuthorityProof, proveAuthority } from './authority-link.ts'
import type { ConsensusDriver } from './driver.ts'
import { directKind, gossipKind, isAuthentic, Rounds, unwrap } from './wire.ts'

export interface LinkPorts {
  readonly epoch: Epoch
  readonly genesisHash: Hash
  readonly signer: Signer | undefined
  /** Remembers what it has checked. */
  readonly verify: Verify
  readonly log: Log
  /** The view that the core is in; gossip far ahead of it is not passed on (R13). */
  readonly view: () => number
}

const VIEWS_AHEAD_MAX = 100

export class ConsensusLinks {
  readonly #ports: LinkPorts
  readonly #rounds = new Rounds()
  /** The authority that each peer has proved to be; of connected peers and of those in a handshake. */
  readonly #authorityByPeer = new Map<string, number>()

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
    this.#authorityByPeer.set(remotePeer, index.value)
    return { ok: true, reserved: true, label: `authority ${index.value}` }
  }

  authorityOf(peer: string): number | null {
    return this.#authorityByPeer.get(peer) ?? null
  }

  /** Takes what the network brings to the driver, until the network stops. */
  attach(network: Network, driver: ConsensusDriver): void {
    network.subscribe((event) => {
      if (event.kind === 'peerConnected') {
        driver.feed({ kind: 'peerConnected', peer: event.peer.id, height: event.peer.finalizedHeight })
      } else if (event.kind === 'peerDisconnected') {
        this.#authorityByPeer.delete(event.peer)
        driver.feed({ kind: 'peerDisconnected', peer: event.peer })
      }
    })
    for (const kind of ['votes', 'proposals'] as const) {
      network.handleGossip(kind, (message) => this.#judge(message, driver))
    }
    for (const kind of ['consensus', 'blocks'] as const) {
      network.handle(kind, ({ from, body }) => {
        const message = decodeMessage(body)
        if (message.ok) driver.receive(from, this.authorityOf(from), message.value)
        else network.penalise(from, `consensus message: ${message.fault.message}`)
      })
    }
  }

  broadcast(network: Network, message: ConsensusMessage): void {
    const kind = gossipKind(message)
    if (kind === null) network.broadcast(directKind(message), encodeMessage(message))
    else network.publish(kind, this.#rounds.wrap(message))
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

  #judge({ from, body }: Message, driver: ConsensusDriver): Verdict {
    const decoded = unwrap(body)
    if (!decoded.ok) return 'reject'
    const message = decoded.value
    const { epoch, verify, view } = this.#ports
    if (!isAuthentic(message, epoch, verify)) return epochOf(message) === epoch.epoch ? 'reject' : 'ignore'
    driver.receive(from, this.authorityOf(from), message)
    const isFarAhead = message.kind === 'vote' && message.vote.view > view() + VIEWS_AHEAD_MAX
    return isFarAhead ? 'ignore' : 'accept'
  }
}

function epochOf(message: ConsensusMessage): number | null {
  switch (message.kind) {
    case 'vote':
      return message.vote.epoch
    case 'certificate':
      return message.certificate.epoch
    case 'proposal':
      return message.proposal.epoch
    default:
      return null
  }
}
