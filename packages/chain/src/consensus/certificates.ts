/**
 * The verified certificates held, by kind and view. Pure.
 * I1  at most one per kind and view, and it never changes
 * I2  only verified ones come in (P11)
 * I3  of those far ahead of the present view only the newest is held, so a node that lags holds few (R13)
 * @module
 */
import { equalBytes, FINALIZE, NOTARIZE, NULLIFY } from '@althing/base'
import type { Certificate, VoteKind } from '@althing/base'

export class CertificateStore {
  readonly #byView: readonly [Map<number, Certificate>, Map<number, Certificate>, Map<number, Certificate>] =
    [new Map(), new Map(), new Map()]
  #highestView = 0

  get(kind: VoteKind, view: number): Certificate | undefined {
    return this.#byView[kind].get(view)
  }

  /** What notarizes a block in this view: a finalization counts as a notarization (R10). */
  notarization(view: number): Certificate | undefined {
    return this.#byView[NOTARIZE].get(view) ?? this.#byView[FINALIZE].get(view)
  }

  isNullified(view: number): boolean {
    return this.#byView[NULLIFY].has(view)
  }

  /** Notarization, nullification and finalization of this view, as far as held. */
  at(view: number): Certificate[] {
    return this.#byView.flatMap((byView) => byView.get(view) ?? [])
  }

  /** @param viewLimit the highest view of which everything is held (I3). */
  add(certificate: Certificate, viewLimit: number): void {
    const byView = this.#byView[certificate.kind as VoteKind]
    if (byView.has(certificate.view)) return
    if (certificate.view > viewLimit && certificate.kind !== NULLIFY) {
      for (const view of byView.keys()) {
        if (view > certificate.view) return
        if (view > viewLimit) byView.delete(view)
      }
    }
    byView.set(certificate.view, certificate)
    this.#highestView = Math.max(this.#highestView, certificate.view)
  }

  /** Views from `view` on that have a certificate, ascending. */
  viewsFrom(view: number): number[] {
    if (this.#highestView < view) return []
    const views = new Set<number>()
    for (const byView of this.#byView) for (const held of byView.keys()) if (held >= view) views.add(held)
    return [...views].sort((a, b) => a - b)
  }

  /** Views above `view` in which a block is notarized, the highest first. */
  notarizedAbove(view: number): number[] {
    if (this.#highestView <= view) return []
    const views = new Set([...this.#byView[NOTARIZE].keys(), ...this.#byView[FINALIZE].keys()])
    return [...views].filter((notarized) => notarized > view).sort((a, b) => b - a)
  }

  /** Finalizations above `floor`, the newest first. */
  finalizationsAbove(floor: number): Certificate[] {
    const above = [...this.#byView[FINALIZE].values()].filter((certificate) => certificate.view > floor)
    return above.sort((a, b) => b.view - a.view)
  }

  /** A finalization of this very view with another hash: two of them never exist below f + 1 faults (R7). */
  conflictOf(certificate: Certificate): Certificate | null {
    const held = this.#byView[FINALIZE].get(certificate.view)
    const conflicts =
      certificate.kind === FINALIZE && held !== undefined && !equalBytes(held.hash, certificate.hash)
    return conflicts ? held : null
  }

  /** Keeps what is at or above the floor: certificates from there on can be asked for (R10, P9). */
  forgetBelow(floor: number): void {
    for (const byView of this.#byView) for (const view of byView.keys()) if (view < floor) byView.delete(view)
  }
}
