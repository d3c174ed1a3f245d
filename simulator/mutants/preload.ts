/**
 * Loaded before anything else into every process and thread of a mutant's check: changes the one source while it is
 * loaded. What to change comes in the environment.
 * @module
 */
import { registerHooks } from 'node:module'
import { patched } from './patch.ts'
import type { Patch } from './patch.ts'

const patch = JSON.parse(process.env.ALTHING_MUTANT!) as Patch & { readonly url: string }

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (url !== patch.url || !(loaded.source instanceof Uint8Array)) return loaded
    return { ...loaded, source: patched(new TextDecoder().decode(loaded.source), patch) }
  },
})
