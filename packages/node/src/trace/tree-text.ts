/**
 * A trace as lines of a tree, for people. Pure.
 * @module
 */
import type { TraceJson, TraceThingJson } from '@althing/client'
import { inLine } from '../printable.ts'

/** IRIs are shown by their ends. */
const NAME_CHARACTERS_MAX = 60

export function traceLines(trace: TraceJson): string[] {
  const things = new Map(trace.things.map((thing) => [thing.iri, thing]))
  const stepsFrom = Map.groupBy(trace.steps, ({ from }) => from)
  const lines = [describeThing(things.get(trace.root)!)]
  const shown = new Set([trace.root])
  const walk = (iri: string, indent: string): void => {
    const steps = stepsFrom.get(iri) ?? []
    for (const [i, step] of steps.entries()) {
      const isLast = i === steps.length - 1
      const thing = things.get(step.to)
      const isAgain = shown.has(step.to)
      const name = thing === undefined ? nameOf(step.to) : describeThing(thing)
      const when =
        step.time === null ? '' : `  [block ${step.height}, ${step.time}, ${step.signer!.slice(0, 12)}…]`
      lines.push(`${indent}${isLast ? '└─' : '├─'} ${name}${isAgain ? ' (above)' : ''}${when}`)
      if (isAgain) continue
      shown.add(step.to)
      walk(step.to, `${indent}${isLast ? '   ' : '│  '}`)
    }
  }
  walk(trace.root, '')
  if (trace.cut.length > 0) lines.push(`… not followed further: ${trace.cut.map(nameOf).join(', ')}`)
  return lines
}

function describeThing({ iri, label, what, agents }: TraceThingJson): string {
  const name = label === null ? nameOf(iri) : `${inLine(label)} <${nameOf(iri)}>`
  const kind = what === null ? '' : ` (${inLine(what)})`
  return `${name}${kind}${agents.length === 0 ? '' : ` by ${agents.map(nameOf).join(', ')}`}`
}

export function nameOf(iri: string): string {
  return iri.length <= NAME_CHARACTERS_MAX ? iri : `…${iri.slice(1 - NAME_CHARACTERS_MAX)}`
}
