/**
 * The shell of the seed walk: asks the name servers, all questions of a depth at once, within a time.
 * @module
 */
import type { Log } from '@althing/base'
import type { Address } from './protocol/address.ts'
import { SeedWalk } from './protocol/seed-walk.ts'
import type { Question, Seed } from './protocol/seed-walk.ts'

/** The TXT records of a DNS name, each in its parts. It throws when there are none, or when the signal aborts. */
export type ResolveTxt = (name: string, signal: AbortSignal) => Promise<readonly (readonly string[])[]>

/** Whatever was found when the signal aborts. Never throws. */
export async function findSeeds(
  seeds: readonly Seed[],
  resolveTxt: ResolveTxt,
  log: Log,
  signal: AbortSignal,
): Promise<readonly Address[]> {
  const walk = new SeedWalk(seeds)
  const ask = async (question: Question): Promise<void> => {
    try {
      const records = await resolveTxt(question.name, signal)
      if (signal.aborted) return
      walk.answered(
        question,
        records.map((parts) => parts.join('')),
      )
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      log.debug('a DNS seed did not answer', { name: question.name, message })
    }
  }
  const isOver = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  for (let questions = walk.next(); questions.length > 0 && !signal.aborted; questions = walk.next()) {
    await Promise.race([Promise.all(questions.map(ask)), isOver])
  }
  return walk.addresses
}
