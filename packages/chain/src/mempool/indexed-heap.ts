/**
 * A binary heap that knows where each item is, so that any item can be moved or taken out in O(log n). Pure.
 * @module
 */

export class IndexedHeap<T> {
  readonly #items: T[]
  readonly #indexByItem: Map<T, number>
  readonly #isBefore: (a: T, b: T) => boolean

  /** @param isBefore a strict total order; it may change for an item if `update` follows at once. */
  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#items = []
    this.#indexByItem = new Map()
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#items.length
  }

  /** The first item; undefined when empty. */
  peek(): T | undefined {
    return this.#items[0]
  }

  /** The items in order, found as they are asked for: the first k cost O(k log k). Not while the heap is changed. */
  *inOrder(): Generator<T, undefined> {
    const items = this.#items
    const open = new IndexedHeap<number>((a, b) => this.#isBefore(items[a]!, items[b]!))
    if (items.length > 0) open.update(0)
    for (let index = open.peek(); index !== undefined; index = open.peek()) {
      open.delete(index)
      yield items[index]!
      for (const child of [2 * index + 1, 2 * index + 2]) if (child < items.length) open.update(child)
    }
  }

  /** Adds the item, or puts it where it belongs now. */
  update(item: T): void {
    let index = this.#indexByItem.get(item)
    if (index === undefined) index = this.#items.push(item) - 1
    this.#place(index, item)
    this.#siftDown(this.#siftUp(index))
  }

  /** Does nothing when the item is not in the heap. */
  delete(item: T): void {
    const index = this.#indexByItem.get(item)
    if (index === undefined) return
    this.#indexByItem.delete(item)
    const last = this.#items.pop()!
    if (last === item) return
    this.#place(index, last)
    this.#siftDown(this.#siftUp(index))
  }

  #siftUp(start: number): number {
    let index = start
    const item = this.#items[index]!
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#isBefore(item, this.#items[parent]!)) break
      this.#place(index, this.#items[parent]!)
      index = parent
    }
    this.#place(index, item)
    return index
  }

  #siftDown(start: number): void {
    let index = start
    const item = this.#items[index]!
    for (;;) {
      let child = 2 * index + 1
      if (child >= this.#items.length) break
      if (child + 1 < this.#items.length && this.#isBefore(this.#items[child + 1]!, this.#items[child]!))
        child += 1
      if (!this.#isBefore(this.#items[child]!, item)) break
      this.#place(index, this.#items[child]!)
      index = child
    }
    this.#place(index, item)
  }

  #place(index: number, item: T): void {
    this.#items[index] = item
    this.#indexByItem.set(item, index)
  }
}
