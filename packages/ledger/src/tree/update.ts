/**
 * One update of the trie: sets and deletes keys along copied paths. What the update itself made it changes in place,
 * so that a batch copies each node once.
 * @module
 */
import { divergingBit, equalBytes, keyBit, sha256, type Side } from '@althing/base'
import { findLeaf, Inner, INLINE_VALUE_BYTES_MAX, Leaf, resolve, type Node, type NodeSource } from './node.ts'

export class Update {
  /** Null when the tree is empty. */
  root: Node | null
  readonly #source: NodeSource
  readonly #id: number

  /** @param id different from that of every other update of this tree, and not 0. */
  constructor(source: NodeSource, root: Node | null, id: number) {
    this.#source = source
    this.root = root
    this.#id = id
  }

  /** Keeps copies of key and value. Nodes stay as they are when the key has that value already. */
  set(key: Uint8Array, value: Uint8Array): void {
    if (this.root === null) {
      this.root = createLeaf(key, value)
      return
    }
    const found = findLeaf(this.#source, this.root, key)
    const branch = divergingBit(key, found.key)
    if (branch === -1 && hasValue(found, value)) return

    const leaf = createLeaf(key, value)
    let parent: Inner | null = null
    let side: Side = 0
    let child: Node = this.root
    for (;;) {
      const node = resolve(this.#source, child)
      if (node.kind === 'leaf' || (branch !== -1 && node.bits > branch)) break
      parent = this.#attach(parent, side, node)
      side = keyBit(key, node.bits)
      child = side === 0 ? parent.left : parent.right
    }
    if (branch === -1) this.#link(parent, side, leaf)
    else {
      const isLeft = keyBit(key, branch) === 0
      const joined = new Inner(branch, leaf.key, isLeft ? leaf : child, isLeft ? child : leaf, this.#id)
      this.#link(parent, side, joined)
    }
  }

  /** Does nothing when the key is absent. */
  delete(key: Uint8Array): void {
    if (this.root === null) return
    if (divergingBit(key, findLeaf(this.#source, this.root, key).key) !== -1) return

    let above: Inner | null = null
    let aboveSide: Side = 0
    let node = resolve(this.#source, this.root)
    if (node.kind === 'leaf') {
      this.root = null
      return
    }
    for (;;) {
      const side = keyBit(key, node.bits)
      const child = resolve(this.#source, side === 0 ? node.left : node.right)
      if (child.kind === 'leaf') {
        this.#link(above, aboveSide, side === 0 ? node.right : node.left)
        return
      }
      above = this.#attach(above, aboveSide, node)
      aboveSide = side
      node = child
    }
  }

  /** Puts a node that this update may change in the place of `node`. */
  #attach(parent: Inner | null, side: Side, node: Inner): Inner {
    if (node.update === this.#id) return node
    const copy = new Inner(node.bits, node.key, node.left, node.right, this.#id)
    this.#link(parent, side, copy)
    return copy
  }

  #link(parent: Inner | null, side: Side, node: Node): void {
    if (parent === null) this.root = node
    else if (side === 0) parent.left = node
    else parent.right = node
  }
}

function createLeaf(key: Uint8Array, value: Uint8Array): Leaf {
  return new Leaf(new Uint8Array(key), new Uint8Array(value))
}

function hasValue(leaf: Leaf, value: Uint8Array): boolean {
  if (leaf.value !== null) return equalBytes(leaf.value, value)
  return value.length > INLINE_VALUE_BYTES_MAX && equalBytes(leaf.valueHash!, sha256(value))
}
