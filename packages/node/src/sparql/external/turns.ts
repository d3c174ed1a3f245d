/**
 * Many may read at a time, and one may write when nobody reads. Who writes does not wait for those who come later.
 * @module
 */
export class ReadWriteTurns {
  #readers = 0
  #isWriting = false
  #waiting: { readonly isWriter: boolean; readonly go: () => void }[] = []

  read<T>(work: () => Promise<T>): Promise<T> {
    return this.#take(false, work)
  }

  write<T>(work: () => Promise<T>): Promise<T> {
    return this.#take(true, work)
  }

  async #take<T>(isWriter: boolean, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((go) => {
      this.#waiting.push({ isWriter, go })
      this.#next()
    })
    try {
      return await work()
    } finally {
      if (isWriter) this.#isWriting = false
      else this.#readers--
      this.#next()
    }
  }

  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#isWriting || (first.isWriter && this.#readers > 0)) return
      this.#waiting.shift()
      if (first.isWriter) this.#isWriting = true
      else this.#readers++
      first.go()
    }
  }
}
