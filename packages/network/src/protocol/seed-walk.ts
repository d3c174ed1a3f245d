/**
 * Finds peers by the TXT records of DNS names (libp2p specs, dnsaddr): `_dnsaddr.<name>` holds `dnsaddr=<multiaddr>`, which may lead to
 * further names. Pure: it says what to ask, and is told the answers.
 * W1  names are followed to a depth of 4; at most 32 questions are asked and 128 addresses kept
 * W2  no question is asked twice
 * W3  a seed that ends in `/p2p/<peer>` yields addresses of that peer only
 * @module
 */
import { ADDRESS_CHARS_MAX, isPeerId, parseAddress } from './address.ts'
import type { Address } from './address.ts'

const DEPTH_MAX = 4
const QUESTIONS_MAX = 32
const ADDRESSES_MAX = 128
const HOST_NAME = /^[0-9A-Za-z]([0-9A-Za-z.-]{0,251}[0-9A-Za-z])?$/
const PREFIX = 'dnsaddr='

/** A name to begin with. */
export interface Seed {
  readonly name: string
  /** Only this one; null for all. */
  readonly peer: string | null
  /** Written as a plain name: its own TXT records count too, besides those of `_dnsaddr.<name>`. */
  readonly isPlain: boolean
}

export interface Question {
  /** Whose TXT records are wanted. */
  readonly name: string
  readonly peer: string | null
  /** 1 for a seed. */
  readonly depth: number
}

/** Reads `/dnsaddr/<name>`, with or without `/p2p/<peer>`, or a plain DNS name. Null for anything else. */
export function parseSeed(text: string): Seed | null {
  if (text.length > ADDRESS_CHARS_MAX) return null
  if (!text.startsWith('/')) return HOST_NAME.test(text) ? { name: text, peer: null, isPlain: true } : null
  const [, dnsaddr, name = '', p2p, peer, ...more] = text.split('/')
  if (dnsaddr !== 'dnsaddr' || !HOST_NAME.test(name) || more.length > 0) return null
  if (p2p === undefined) return { name, peer: null, isPlain: false }
  return p2p === 'p2p' && peer !== undefined && isPeerId(peer) ? { name, peer, isPlain: false } : null
}

export class SeedWalk {
  readonly #addressByText = new Map<string, Address>()
  readonly #asked = new Set<string>()
  #open: Question[] = []

  constructor(seeds: readonly Seed[]) {
    for (const seed of seeds) this.#ask(seed, 1)
  }

  /** What was found so far; the host may be anything, and need not be reachable. */
  get addresses(): readonly Address[] {
    return [...this.#addressByText.values()]
  }

  /** The questions to ask now. Empty when the walk is over. */
  next(): readonly Question[] {
    const questions = this.#open
    this.#open = []
    return questions
  }

  /** @param texts the name's TXT records, each put together. What is no `dnsaddr=` is passed over. */
  answered({ peer, depth }: Question, texts: readonly string[]): void {
    for (const text of texts) {
      if (!text.startsWith(PREFIX)) continue
      const found = text.slice(PREFIX.length)
      const seed = found.startsWith('/') ? parseSeed(found) : null
      if (seed !== null) this.#follow(seed, peer, depth)
      else this.#keep(parseAddress(found), peer)
    }
  }

  #follow(seed: Seed, peer: string | null, depth: number): void {
    if (depth >= DEPTH_MAX || (peer !== null && seed.peer !== null && peer !== seed.peer)) return
    this.#ask({ ...seed, peer: seed.peer ?? peer }, depth + 1)
  }

  #keep(address: Address | null, peer: string | null): void {
    if (address === null || (peer !== null && address.peer !== peer)) return
    if (this.#addressByText.size < ADDRESSES_MAX) {
      this.#addressByText.set(`${address.text} ${address.peer}`, address)
    }
  }

  #ask({ name, peer, isPlain }: Seed, depth: number): void {
    for (const asked of isPlain ? [`_dnsaddr.${name}`, name] : [`_dnsaddr.${name}`]) {
      const key = `${asked} ${peer}`
      if (this.#asked.has(key) || this.#asked.size >= QUESTIONS_MAX) continue
      this.#asked.add(key)
      this.#open.push({ name: asked, peer, depth })
    }
  }
}
