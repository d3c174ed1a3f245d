import { NetworkError } from './errors.ts'
import type { PeerLink } from './peer-link.ts'
import { reasonText } from './protocol/reason.ts'
import type { Reason } from './protocol/reason.ts'

/** Told once, how the opening of a session ended. */
export interface Opening {
  readonly resolve: () => void
  readonly reject: (error: NetworkError) => void
}

/** Who waits for a session to open, by the link that it is to open on. */
export class Openings {
  readonly #waitersByLink = new Map<PeerLink, Opening[]>()
  readonly #linkTo: (peer: string) => PeerLink | undefined

  /** @param linkTo any link to a peer, open or not yet. */
  constructor(linkTo: (peer: string) => PeerLink | undefined) {
    this.#linkTo = linkTo
  }

  begin(link: PeerLink, waiters: Opening[]): void {
    this.#waitersByLink.set(link, waiters)
  }

  opened(link: PeerLink): void {
    for (const { resolve } of this.#waitersByLink.get(link) ?? []) resolve()
    this.#waitersByLink.delete(link)
  }

  ended(link: PeerLink, reason: Reason): void {
    this.passOn(this.#waitersByLink.get(link) ?? [], link.peer, reason)
    this.#waitersByLink.delete(link)
  }

  /** Their link came to nothing. If that is for another link to the same peer, they wait for that one. */
  passOn(waiters: readonly Opening[], peer: string, reason: Reason): void {
    const other = reason.code === 'duplicate' ? this.#linkTo(peer) : undefined
    if (other?.phase === 'open') for (const { resolve } of waiters) resolve()
    else if (other !== undefined) this.#waitersByLink.get(other)?.push(...waiters)
    else
      for (const { reject } of waiters)
        reject(new NetworkError('HANDSHAKE_REFUSED', reasonText(reason), { peer }))
  }
}
