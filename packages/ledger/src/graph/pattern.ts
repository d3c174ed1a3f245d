/**
 * Regular expressions for `sh:pattern`: a subset of XPath's, matched by following all states at once, so that the work is
 * bounded by the length of the text times that of the pattern. Pure.
 *
 * Characters, `.`, classes such as `[a-z0-9_]` and `[^x]`, `\d \D \w \W \s \S` (ASCII), `^`, `$`, groups, `|`, and the
 * repetitions `* + ? {m} {m,} {m,n}`. Anything else (look-around, back-references, `\p{…}`, lazy repetition) is refused.
 * @module
 */

/** Of one pattern, after repetitions are written out. */
export const PATTERN_STATES_MAX = 1_024
const REPEAT_MAX = 256

type Test = (codePoint: number) => boolean

type Node =
  | { readonly kind: 'character'; readonly test: Test }
  | { readonly kind: 'start' | 'end' | 'nothing' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly min: number; readonly max: number }

type State =
  | { readonly kind: 'character'; readonly test: Test; next: number }
  | { readonly kind: 'start' | 'end'; next: number }
  | { readonly kind: 'split'; next: number; other: number }
  | { readonly kind: 'match' }

export class Pattern {
  readonly #states: readonly State[]
  readonly #first: number

  private constructor(states: readonly State[], first: number) {
    this.#states = states
    this.#first = first
  }

  /** @returns null when the pattern is none, or none of the subset. */
  static parse(source: string): Pattern | null {
    const tree = new PatternReader(source).read()
    if (tree === null) return null
    const states: State[] = [{ kind: 'match' }]
    const first = write(tree, 0, states)
    return first === null ? null : new Pattern(states, first)
  }

  /** The most steps that a match of a text of so many characters takes. */
  cost(characters: number): number {
    return (characters + 1) * this.#states.length
  }

  /** Whether some part of the text is of this pattern. */
  matches(text: string): boolean {
    const codePoints = Array.from(text, (character) => character.codePointAt(0) ?? 0)
    let current = new Set<number>()
    for (let at = 0; at <= codePoints.length; at++) {
      const reached = new Set<number>()
      const isLast = at === codePoints.length
      if (this.#follow([this.#first, ...current], at === 0, isLast, reached)) return true
      if (isLast) break
      current = new Set()
      for (const index of reached) {
        const state = this.#states[index]!
        if (state.kind === 'character' && state.test(codePoints[at]!)) current.add(state.next)
      }
    }
    return false
  }

  /** Adds all states that are reached without a character. @returns whether the end of the pattern is one of them. */
  #follow(from: readonly number[], isFirst: boolean, isLast: boolean, reached: Set<number>): boolean {
    const open = [...from]
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (reached.has(index)) continue
      reached.add(index)
      const state = this.#states[index]!
      if (state.kind === 'match') return true
      if (state.kind === 'split') open.push(state.next, state.other)
      if ((state.kind === 'start' && isFirst) || (state.kind === 'end' && isLast)) open.push(state.next)
    }
    return false
  }
}

/** Writes the states of a node that go on with `next`. @returns the first of them; null when there are too many. */
function write(node: Node, next: number, states: State[]): number | null {
  const add = (state: State): number | null => {
    if (states.length === PATTERN_STATES_MAX) return null
    return states.push(state) - 1
  }
  switch (node.kind) {
    case 'nothing':
      return next
    case 'character':
      return add({ kind: 'character', test: node.test, next })
    case 'start':
    case 'end':
      return add({ kind: node.kind, next })
    case 'sequence': {
      let first: number | null = next
      for (const part of node.parts.toReversed()) if (first !== null) first = write(part, first, states)
      return first
    }
    case 'choice': {
      let first: number | null = null
      for (const part of node.parts.toReversed()) {
        const other = write(part, next, states)
        if (other === null) return null
        first = first === null ? other : add({ kind: 'split', next: other, other: first })
        if (first === null) return null
      }
      return first
    }
    case 'repeat':
      return writeRepeat(node, next, states, add)
  }
}

function writeRepeat(
  { part, min, max }: Extract<Node, { kind: 'repeat' }>,
  next: number,
  states: State[],
  add: (state: State) => number | null,
): number | null {
  let first: number | null = next
  if (max === Infinity) {
    const split: State = { kind: 'split', next, other: next }
    first = add(split)
    if (first === null) return null
    const again = write(part, first, states)
    if (again === null) return null
    split.other = again
  } else {
    for (let count = min; count < max && first !== null; count++) {
      const once: number | null = write(part, first, states)
      first = once === null ? null : add({ kind: 'split', next: once, other: next })
    }
  }
  for (let count = 0; count < min && first !== null; count++) first = write(part, first, states)
  return first
}

const ESCAPED_CHARACTERS = '\\|.?*+(){}[]^$-/'
const isDigit: Test = (c) => c >= 48 && c <= 57
const isWord: Test = (c) => isDigit(c) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95
const isSpace: Test = (c) => c === 32 || (c >= 9 && c <= 13)
const CLASS_BY_LETTER: ReadonlyMap<string, Test> = new Map([
  ['d', isDigit],
  ['w', isWord],
  ['s', isSpace],
  ['D', (c) => !isDigit(c)],
  ['W', (c) => !isWord(c)],
  ['S', (c) => !isSpace(c)],
])
const CONTROL_BY_LETTER: ReadonlyMap<string, number> = new Map([
  ['n', 10],
  ['r', 13],
  ['t', 9],
])
/** Groups within groups. */
const DEPTH_MAX = 32

/** Reads the text of a pattern from the left; null of any part means that it is refused. */
class PatternReader {
  readonly #characters: readonly string[]
  #at = 0
  #depth = 0

  constructor(source: string) {
    this.#characters = Array.from(source)
  }

  read(): Node | null {
    const tree = this.#choice()
    return this.#at === this.#characters.length ? tree : null
  }

  get #next(): string | undefined {
    return this.#characters[this.#at]
  }

  #choice(): Node | null {
    const parts: Node[] = []
    do {
      const part = this.#sequence()
      if (part === null) return null
      parts.push(part)
    } while (this.#take('|'))
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts }
  }

  #sequence(): Node | null {
    const parts: Node[] = []
    while (this.#next !== undefined && this.#next !== '|' && this.#next !== ')') {
      const atom = this.#atom()
      const part = atom === null ? null : this.#repeated(atom)
      if (part === null) return null
      parts.push(part)
    }
    return parts.length === 0 ? { kind: 'nothing' } : { kind: 'sequence', parts }
  }

  #atom(): Node | null {
    const character = this.#characters[this.#at++]!
    switch (character) {
      case '(':
        return this.#group()
      case '[':
        return asNode(this.#class())
      case '\\':
        return asNode(this.#escape())
      case '^':
        return { kind: 'start' }
      case '$':
        return { kind: 'end' }
      case '.':
        return asNode((c) => c !== 10 && c !== 13)
      default:
        return '*+?{}]'.includes(character) ? null : asNode(isOnly(character))
    }
  }

  #group(): Node | null {
    if (this.#next === '?') {
      this.#at++
      if (!this.#take(':')) return null
    }
    this.#depth++
    const inside = this.#depth > DEPTH_MAX ? null : this.#choice()
    this.#depth--
    return inside !== null && this.#take(')') ? inside : null
  }

  #repeated(part: Node): Node | null {
    const bounds = this.#bounds()
    if (bounds === null) return null
    const [min, max] = bounds
    if (min === 1 && max === 1) return part
    if (part.kind === 'start' || part.kind === 'end') return null
    // A second sign of repetition would make it lazy or possessive.
    return '*+?{'.includes(this.#next ?? ' ') ? null : { kind: 'repeat', part, min, max }
  }

  #bounds(): readonly [number, number] | null {
    if (this.#take('*')) return [0, Infinity]
    if (this.#take('+')) return [1, Infinity]
    if (this.#take('?')) return [0, 1]
    if (!this.#take('{')) return [1, 1]
    const end = this.#characters.indexOf('}', this.#at)
    const match = /^([0-9]{1,3})(?:(,)([0-9]{1,3})?)?$/.exec(this.#characters.slice(this.#at, end).join(''))
    if (end === -1 || match === null) return null
    this.#at = end + 1
    const min = Number(match[1])
    const max = match[2] === undefined ? min : match[3] === undefined ? Infinity : Number(match[3])
    const isWithin = min <= max && min <= REPEAT_MAX && (max === Infinity || max <= REPEAT_MAX)
    return isWithin ? [min, max] : null
  }

  #class(): Test | null {
    const isNegated = this.#take('^')
    const tests: Test[] = []
    while (this.#next !== ']') {
      if (this.#next === undefined || this.#next === '[') return null
      const from = this.#classItem()
      if (from === null) return null
      if (typeof from !== 'number') tests.push(from)
      else if (this.#next === '-' && this.#characters[this.#at + 1] !== ']') {
        this.#at++
        const to = this.#classItem()
        if (typeof to !== 'number' || to < from) return null
        tests.push((c) => c >= from && c <= to)
      } else tests.push((c) => c === from)
    }
    this.#at++
    if (tests.length === 0) return null
    return (c) => tests.some((test) => test(c)) !== isNegated
  }

  /** A character, or a class of them. */
  #classItem(): number | Test | null {
    const character = this.#characters[this.#at++]
    if (character === undefined) return null
    if (character !== '\\') return character.codePointAt(0)!
    const escaped = this.#characters[this.#at++] ?? ''
    if (escaped !== '' && ESCAPED_CHARACTERS.includes(escaped)) return escaped.codePointAt(0)!
    return CONTROL_BY_LETTER.get(escaped) ?? CLASS_BY_LETTER.get(escaped) ?? null
  }

  #escape(): Test | null {
    this.#at--
    const item = this.#classItem()
    return typeof item === 'number' ? (c) => c === item : item
  }

  #take(character: string): boolean {
    if (this.#next !== character) return false
    this.#at++
    return true
  }
}

function asNode(test: Test | null): Node | null {
  return test === null ? null : { kind: 'character', test }
}

function isOnly(character: string): Test {
  const only = character.codePointAt(0)
  return (c) => c === only
}
