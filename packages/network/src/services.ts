/**
 * All services there are, and the running ones of a node.
 * @module
 */
import { deliverySpec } from './delivery/delivery-service.ts'
import type { PeerView } from './network-types.ts'
import { recordExchange } from './record-exchange.ts'
import { reachService } from './reach.ts'
import type { Reach } from './reach.ts'
import type { Router } from './router.ts'
import type { Service, ServiceHost, ServiceSpec } from './service.ts'
import { topologySpec } from './topology/topology-service.ts'

/** Every node offers these. */
export const SERVICES: readonly ServiceSpec[] = [recordExchange, reachService, topologySpec, deliverySpec]

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

  /** @param spec one of those that this was made of. */
  of<S extends Service>({ feature }: ServiceSpec<S>): S {
    return this.#serviceByFeature.get(feature) as S
  }

  peerOpened(peer: PeerView): void {
    for (const [feature, service] of this.#serviceByFeature) {
      if (peer.features.includes(feature)) service.peerOpened?.(peer)
    }
  }

  peerMoved(peer: PeerView): void {
    for (const [feature, service] of this.#serviceByFeature) {
      if (peer.features.includes(feature)) service.peerMoved?.(peer)
    }
  }

  peerClosed(peer: string): void {
    for (const service of this.#serviceByFeature.values()) service.peerClosed?.(peer)
  }

  get reach(): Reach {
    return this.#serviceByFeature.get(reachService.feature) as Reach
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
