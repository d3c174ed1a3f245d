/**
 * Loads copies of the chain package with one line changed, so that the simulator can be tested on broken code while
 * the real one has no switch for it.
 * @module
 */
import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import type { ChainModule } from '../src/index.ts'

export interface Mutation {
  readonly name: string
  /** Occurs exactly once in the whole package. */
  readonly original: string
  readonly replacement: string
}

const ENTRY = import.meta.resolve('@althing/chain')
const SOURCES = new URL('.', ENTRY).href

const loadedByName = new Map<string, Promise<ChainModule>>()

/** @returns a separate instance of the chain package, with the change. */
export function loadMutant(mutation: Mutation): Promise<ChainModule> {
  const loaded = loadedByName.get(mutation.name) ?? load(mutation)
  loadedByName.set(mutation.name, loaded)
  return loaded
}

async function load({ name, original, replacement }: Mutation): Promise<ChainModule> {
  const mark = `?mutant=${encodeURIComponent(name)}`
  let changes = 0
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context)
      const isOurs = context.parentURL?.endsWith(mark) === true && resolved.url.startsWith(SOURCES)
      return isOurs ? { ...resolved, url: resolved.url + mark } : resolved
    },
    load(url, context, nextLoad) {
      if (!url.endsWith(mark)) return nextLoad(url, context)
      const found = nextLoad(url.slice(0, -mark.length), context)
      assert.ok(found.source instanceof Uint8Array, 'sources come as bytes')
      const parts = new TextDecoder().decode(found.source).split(original)
      changes += parts.length - 1
      return { ...found, source: parts.join(replacement) }
    },
  })
  try {
    const chain = (await import(ENTRY + mark)) as ChainModule
    assert.equal(changes, 1, `the chain package has "${original}" exactly once`)
    return chain
  } finally {
    hooks.deregister()
  }
}
