/**
 * The blacklist in a file of JSON, so that people can read it; replaced at once, for the owner's eyes only.
 * @module
 */
import type { BlacklistStore } from './bans.ts'
import { NetworkError } from './errors.ts'
import { parseTarget } from './protocol/blacklist.ts'
import type { BlacklistEntry } from './protocol/blacklist.ts'
import { peerStoreFile } from './peer-store-file.ts'

const VERSION = 1

/**
 * `load` throws `BLACKLIST_UNREADABLE`: to start without it would let in whoever is banned.
 * @param path its folder is made when it is not there.
 */
export function blacklistFile(path: string): BlacklistStore {
  const file = peerStoreFile(path)
  return {
    async load() {
      const bytes = await file.load()
      return bytes === null ? [] : readEntries(path, new TextDecoder().decode(bytes))
    },
    save(entries) {
      return file.save(
        new TextEncoder().encode(`${JSON.stringify({ version: VERSION, entries }, null, 2)}\n`),
      )
    },
  }
}

function readEntries(path: string, text: string): BlacklistEntry[] {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    throw unreadable(path, 'it is not JSON', cause)
  }
  const { version, entries } = (content ?? {}) as { version?: unknown; entries?: unknown }
  if (version !== VERSION || !Array.isArray(entries))
    throw unreadable(path, `it has no entries of version ${VERSION}`)
  const wrong = entries.findIndex((entry) => !isEntry(entry))
  if (wrong !== -1) throw unreadable(path, `entry ${wrong + 1} is not one`)
  return entries as BlacklistEntry[]
}

function isEntry(given: unknown): given is BlacklistEntry {
  if (typeof given !== 'object' || given === null) return false
  const { target, reason, by, automatic, sinceMs, untilMs } = given as Partial<
    Record<keyof BlacklistEntry, unknown>
  >
  const parsed = typeof target === 'string' ? parseTarget(target) : null
  return (
    parsed?.ok === true &&
    parsed.value === target &&
    typeof reason === 'string' &&
    typeof by === 'string' &&
    typeof automatic === 'boolean' &&
    Number.isFinite(sinceMs) &&
    (untilMs === null || Number.isFinite(untilMs))
  )
}

function unreadable(path: string, what: string, cause?: unknown): NetworkError {
  const message = `${path} is no blacklist: ${what}; mend it, or move it away and lose its bans`
  return new NetworkError('BLACKLIST_UNREADABLE', message, { cause })
}
