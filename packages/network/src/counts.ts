/** Counters by name. */
export class Counts {
  readonly #byName = new Map<string, number>()

  add(name: string, times = 1): void {
    this.#byName.set(name, (this.#byName.get(name) ?? 0) + times)
  }

  addAll(counts: Iterable<readonly [string, number]>): void {
    for (const [name, times] of counts) this.add(name, times)
  }

  *[Symbol.iterator](): Generator<readonly [string, number]> {
    yield* this.#byName
  }

  toRecord(): Record<string, number> {
    return Object.fromEntries(this.#byName)
  }
}
