/**
 * Runs a mutant's check in a process of its own, with the defect and without.
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { Killer, Mutant } from './mutants.ts'
import { patched } from './patch.ts'

const root = new URL('../../', import.meta.url)
/** A mutant may loop for ever; that is noticed, too. */
const CHECK_MS_MAX = 300_000

export interface Verdict {
  readonly mutant: Mutant
  readonly isKilled: boolean
  /** What noticed it, or that nothing did. */
  readonly by: string
  readonly seconds: number
}

/** @throws when the source does not have the text to replace exactly once. */
export function assertApplies(mutant: Mutant): void {
  patched(readFileSync(new URL(mutant.file, root), 'utf8'), mutant)
}

/** @returns how the check failed; null when it passed. @param mutant null for the code as it is. */
export async function runCheck(killer: Killer, mutant: Mutant | null): Promise<string | null> {
  const url = mutant === null ? '' : new URL(mutant.file, root).href
  const preload = new URL('preload.ts', import.meta.url).href
  const mutation =
    mutant === null
      ? {}
      : {
          ALTHING_MUTANT: JSON.stringify({ url, original: mutant.original, replacement: mutant.replacement }),
          NODE_OPTIONS: `--import=${preload}`,
        }
  const environment: NodeJS.ProcessEnv = { ...process.env, ...mutation }
  delete environment.NODE_TEST_CONTEXT // a run within a test reports by itself
  const child = spawn(process.execPath, argumentsOf(killer), {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: CHECK_MS_MAX,
    killSignal: 'SIGKILL',
  })
  const output = Promise.all([text(child.stdout), text(child.stderr)])
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  const said = (await output).join('')
  if (signal !== null) return `no end within ${CHECK_MS_MAX / 1_000} s`
  if (said.includes('SyntaxError')) throw new Error(`the mutant is no TypeScript: ${mutant?.name}`)
  if (code !== 0) return firstFailure(said)
  if ('tests' in killer && !/^# pass [1-9]/m.test(said))
    throw new Error(`no test of ${killer.tests} is named "${killer.named}"`)
  return null
}

export async function judge(mutant: Mutant): Promise<Verdict> {
  assertApplies(mutant)
  const startMs = performance.now()
  const failure = await runCheck(mutant.killer, mutant)
  const seconds = (performance.now() - startMs) / 1_000
  return { mutant, isKilled: failure !== null, by: failure ?? 'nothing', seconds }
}

function argumentsOf(killer: Killer): string[] {
  if ('seeds' in killer) {
    return ['simulator/src/main.ts', '--seeds', `${killer.seeds}`, '--jobs', '1', ...(killer.options ?? [])]
  }
  const pattern = killer.named.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  return ['--test-reporter=tap', `--test-name-pattern=${pattern}`, killer.tests]
}

/** The name of the test that failed, or what the simulator says. */
function firstFailure(said: string): string {
  const tests = [...said.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, name]) => name!)
  return tests[0] ?? /^.*(?:seed|Error).*$/m.exec(said)?.[0].trim() ?? said.trim().slice(0, 120)
}
