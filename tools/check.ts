/**
 * `npm run check`: types, lint, format, dead code, and the rules that the code base keeps (tidy). Runs all of
 * them, prints what each finds and one line for each, and fails when one did.
 * @module
 */
import { spawnSync } from 'node:child_process'

interface Check {
  readonly title: string
  /** What Node runs. */
  readonly args: readonly string[]
}

const checks: readonly Check[] = [
  { title: 'types', args: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'] },
  {
    title: 'lint',
    args: ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings', '--format=unix'],
  },
  { title: 'format', args: ['node_modules/oxfmt/bin/oxfmt', '--list-different'] },
  { title: 'dead code', args: ['node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints'] },
  { title: 'tidy', args: ['--test', '--test-reporter=dot', 'tools/tidy.test.ts'] },
]

const hintByTitle: Readonly<Record<string, string>> = { format: ' (npm run fmt formats these files)' }

const failed = checks.filter(({ title, args }) => {
  const startMs = performance.now()
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  if (status === 0) {
    console.log(`✔ ${title}, ${seconds} s`)
    return false
  }
  console.log(`${stdout}${stderr}${error?.message ?? ''}`.trim())
  console.log(`✖ ${title}, ${seconds} s${hintByTitle[title] ?? ''}`)
  return true
})

console.log(
  failed.length === 0
    ? `All ${checks.length} checks passed.`
    : `${failed.length} of ${checks.length} checks failed: ${failed.map(({ title }) => title).join(', ')}.`,
)
process.exitCode = failed.length === 0 ? 0 : 1
