/**
 * Traces of the specification in a short form: what was done, and what the authority that it was done to is like
 * afterwards. Made from Quint's ITF; replayed against the real core by `packages/chain/test/spec-traces.test.ts`.
 * @module
 */

export interface Trace {
  readonly name: string
  /** By number, from 1; a parent is an earlier number, or 0 for the anchor. */
  readonly blocks: readonly { readonly view: number; readonly parent: number }[]
  readonly steps: readonly TraceStep[]
}

export interface TraceStep {
  readonly do: string
  /** The honest authority that it happens to, or the Byzantine one that does it. */
  readonly node: number
  /** Of a certificate. */
  readonly kind: string
  readonly view: number
  readonly block: number
  /** Of the honest authority, afterwards; absent when none is concerned. */
  readonly then?: {
    readonly view: number
    readonly floor: number
    readonly tip: number
    readonly done: boolean
  }
  /** What it voted in this step, as `N 1 1` (kind, view, block) or `U 1`. */
  readonly votes?: readonly string[]
  /** The number of the block that was made in this step. */
  readonly made?: number
}

/** ITF, as far as the specification uses it (https://apalache-mc.org/docs/adr/015adr-trace.html). */
interface Itf {
  readonly states: readonly Readonly<Record<string, unknown>>[]
}

type Value = number | string | boolean | Value[] | Map<Value, Value> | { readonly [field: string]: Value }

interface State {
  readonly blocks: Map<number, { view: number; parent: number }>
  readonly nodes: Map<number, { view: number; floor: number; tip: number; done: boolean }>
  readonly sent: { kind: string; signer: number; view: number; block: number }[]
  readonly last: { name: string; node: number; kind: string; view: number; block: number }
}

export function traceOf(name: string, itf: Itf): Trace {
  const states = itf.states.map(stateOf)
  const steps = states.slice(1).map((after, index): TraceStep => {
    const before = states[index]!
    const { name: what, node, kind, view, block } = after.last
    const known = new Set(before.sent.map(voteText))
    const then = after.nodes.get(node)
    const votes = after.sent.filter((vote) => vote.signer === node).map(voteText)
    return {
      do: what,
      node,
      kind,
      view,
      block,
      ...(then && { then: { view: then.view, floor: then.floor, tip: then.tip, done: then.done } }),
      ...(then && {
        votes: votes
          .filter((vote) => !known.has(vote))
          .map(withoutSigner)
          .sort(),
      }),
      ...(after.blocks.size > before.blocks.size && { made: before.blocks.size }),
    }
  })
  const blocks = [...states.at(-1)!.blocks].filter(([number]) => number > 0).sort(([a], [b]) => a - b)
  return { name, blocks: blocks.map(([, { view, parent }]) => ({ view, parent })), steps }
}

/** One step a line. */
export function traceText({ name, blocks, steps }: Trace): string {
  const lines = steps.map((step) => `    ${JSON.stringify(step)}`).join(',\n')
  return `{\n  "name": "${name}",\n  "blocks": ${JSON.stringify(blocks)},\n  "steps": [\n${lines}\n  ]\n}\n`
}

function voteText({ kind, signer, view, block }: State['sent'][number]): string {
  return kind === 'U' ? `${signer} U ${view}` : `${signer} ${kind} ${view} ${block}`
}

function withoutSigner(vote: string): string {
  return vote.slice(vote.indexOf(' ') + 1)
}

function stateOf(state: Readonly<Record<string, unknown>>): State {
  return Object.fromEntries(
    Object.entries(state).map(([variable, itf]) => [variable, valueOf(itf)]),
  ) as unknown as State
}

function valueOf(itf: unknown): Value {
  if (typeof itf === 'number' || typeof itf === 'string' || typeof itf === 'boolean') return itf
  if (Array.isArray(itf)) return itf.map(valueOf)
  const object = itf as Record<string, unknown>
  if ('#bigint' in object) return Number(object['#bigint'])
  if ('#set' in object) return valueOf(object['#set'])
  if ('#map' in object) {
    const pairs = object['#map'] as [unknown, unknown][]
    return new Map(pairs.map(([key, value]) => [valueOf(key), valueOf(value)]))
  }
  return Object.fromEntries(Object.entries(object).map(([field, value]) => [field, valueOf(value)]))
}
