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
  /** Within the chain package's `src`. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly original: string
  readonly replacement: string
}

const ENTRY = import.meta.resolve('@althing/chain')
const SOURCES = new URL('.', ENTRY).href

/** @returns a separate instance of the chain package, with the change. */
export async function loadMutant({ name, file, original, replacement }: Mutation): Promise<ChainModule> {
  const mark = `?mutant=${encodeURIComponent(name)}`
  let isChanged = false
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context)
      const isOurs = context.parentURL?.endsWith(mark) === true && resolved.url.startsWith(SOURCES)
      return isOurs ? { ...resolved, url: resolved.url + mark } : resolved
    },
    load(url, context, nextLoad) {
      if (!url.endsWith(mark)) return nextLoad(url, context)
      const loaded = nextLoad(url.slice(0, -mark.length), context)
      if (url !== SOURCES + file + mark) return loaded
      const parts = String(loaded.source).split(original)
      assert.equal(parts.length, 2, `${file} has "${original}" exactly once`)
      isChanged = true
      return { ...loaded, source: parts.join(replacement) }
    },
  })
  try {
    const chain = (await import(ENTRY + mark)) as ChainModule
    assert.ok(isChanged, `${file} is part of the chain package`)
    return chain
  } finally {
    hooks.deregister()
  }
}
