/**
 * All services there are, and the running ones of a node.
 * @module
 */
import type { PeerView } from './network-types.ts'
import type { Router } from './router.ts'
import type { Service, ServiceHost, ServiceSpec } from './service.ts'

/** Every node offers these. */
export const SERVICES: readonly ServiceSpec[] = []

export class Services {
  readonly #serviceByFeature = new Map<string, Service>()

  constructor(specs: readonly ServiceSpec[], router: Router, hostOf: (feature: string) => ServiceHost) {
    for (const spec of specs) {
      const host = hostOf(spec.feature)
      const service = spec.create(host)
      this.#serviceByFeature.set(spec.feature, service)
      for (const name of Object.keys(spec.kinds)) {
        const kind = host.config.kinds.byName.get(name)!
        if (kind.gossip) continue
        router.handle(kind, (message) => service.received?.(message))
        if (service.answer !== undefined) router.handleRequest(kind, service.answer.bind(service))
      }
    }
  }

  peerOpened(peer: PeerView): void {
    for (const [feature, service] of this.#serviceByFeature) {
      if (peer.features.includes(feature)) service.peerOpened?.(peer)
    }
  }

  peerClosed(peer: string): void {
    for (const service of this.#serviceByFeature.values()) service.peerClosed?.(peer)
  }

  /** @returns when to be called again. */
  tick(nowMs: number): number {
    let nextMs = Infinity
    for (const service of this.#serviceByFeature.values()) {
      nextMs = Math.min(nextMs, service.tick?.(nowMs) ?? Infinity)
    }
    return nextMs
  }

  stop(): void {
    for (const service of this.#serviceByFeature.values()) service.stop?.()
  }
}
