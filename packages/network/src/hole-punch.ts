/**
 * From a relayed session to a direct one when nobody can dial either side (PT-8): one learns from a third where its dials come from,
 * the other opens the way for them, and the first dials. The form of DCUtR that Node allows; over QUIC only (decision 009).
 * @module
 */
import { bytesToUtf8, utf8ToBytes } from '@althing/base'
import { NetworkError } from './errors.ts'
import type { PeerView } from './network-types.ts'
import { isPlausible, parseAddress } from './protocol/address.ts'
import type { Address } from './protocol/address.ts'
import type { ServiceHost } from './service.ts'
import type { HolePunching } from './transport.ts'

export const SOURCE = 'reach.source'
export const PUNCH = 'reach.punch'
const STEP_MS = 5000
/** Between two ways that are opened for one peer. */
const PUNCH_INTERVAL_MS = 4000
const NO_BYTES = new Uint8Array(0)

export class HolePunch {
  readonly #host: ServiceHost
  readonly #punching: HolePunching
  readonly #punchedMsByPeer = new Map<string, number>()

  constructor(host: ServiceHost, punching: HolePunching) {
    this.#host = host
    this.#punching = punching
  }

  /**
   * Dials a peer that expects it. @param direct peers that may tell where the dial comes from.
   * @throws {NetworkError} when a step fails: the session stays relayed.
   */
  async attempt(peer: string, direct: readonly PeerView[], signal: AbortSignal): Promise<void> {
    for (const { id, addresses } of direct) {
      const seer = addresses.map(parseAddress).find((address) => isQuic(address))
      if (seer === undefined) continue
      const within = AbortSignal.any([signal, AbortSignal.timeout(STEP_MS)])
      const end = await this.#punching.showSource(`${seer!.text}/p2p/${id}`, within)
      try {
        const source = bytesToUtf8(await this.#host.request(id, SOURCE, NO_BYTES, STEP_MS))
        if (source === null || !isQuic(parseAddress(source)))
          return this.#host.penalise(id, 'its answer is no address')
        const target = bytesToUtf8(await this.#host.request(peer, PUNCH, utf8ToBytes(source), STEP_MS))
        if (target === null || !isQuic(parseAddress(target)))
          return this.#host.penalise(peer, 'its answer is no address')
        await this.#host.connect(`${target}/p2p/${peer}`)
        return
      } finally {
        end()
      }
    }
    throw new NetworkError('PEER_UNREACHABLE', 'no peer with QUIC tells where dials of this node come from')
  }

  /** Where QUIC dials of the asker come from. */
  async answerSource(peer: string): Promise<Uint8Array> {
    const source = await this.#punching.sourceOf(peer)
    if (source === null) throw refusal('NO_ADDRESS', 'no QUIC connection of yours comes here')
    return utf8ToBytes(source)
  }

  /** Opens the way. @param seenAt where others see this node, as `/ip4/11.0.0.2`. */
  async answerPunch(peer: string, body: Uint8Array, seenAt: string | null): Promise<Uint8Array> {
    const source = bytesToUtf8(body)
    if (source === null || !isQuic(parseAddress(source)))
      throw refusal('MALFORMED', 'not the address of a QUIC dialler')
    if (seenAt === null) throw refusal('NO_ADDRESS', 'this node does not know where it is seen')
    const nowMs = this.#host.config.clock.monotonicMs()
    if (nowMs - (this.#punchedMsByPeer.get(peer) ?? -Infinity) < PUNCH_INTERVAL_MS)
      throw refusal('BUSY', 'ask later')
    this.#punchedMsByPeer.set(peer, nowMs)
    return utf8ToBytes(`${seenAt}/udp/${await this.#punching.listenFor(source)}/quic-v1`)
  }

  peerClosed(peer: string): void {
    this.#punchedMsByPeer.delete(peer)
  }
}

/** An IP address at which QUIC is spoken, and that others may be made to dial. */
function isQuic(address: Address | null): boolean {
  if (address === null || address.carrier !== 'quic' || address.relay !== null) return false
  return (address.hostKind === 'ip4' || address.hostKind === 'ip6') && isPlausible(address, false)
}

/** As what a service throws is answered. */
export function refusal(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
