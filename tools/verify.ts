/**
 * `npm run verify`: what takes minutes and is therefore not in `npm test`. Runs each part, prints what it says and
 * fails when one fails. A part can be named alone.
 * @module
 */
import { spawnSync } from 'node:child_process'

/** What Node runs, by the part's name. */
const parts: Readonly<Record<string, readonly string[]>> = {
  determinism: ['simulator/determinism/main.ts'],
  model: ['--max-old-space-size=8192', 'simulator/model/main.ts'],
}

const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !Object.hasOwn(parts, name))
if (unknown.length > 0) {
  console.error(
    `Usage: npm run verify -- [${Object.keys(parts).join('|')}]; there is no ${unknown.join(', ')}`,
  )
  process.exit(2)
}
const failed = Object.entries(parts).filter(([name, args]) => {
  if (chosen.length > 0 && !chosen.includes(name)) return false
  const startMs = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0)
  console.log(`${status === 0 ? '✔' : '✖'} ${name}, ${seconds} s`)
  return status !== 0
})
process.exitCode = failed.length === 0 ? 0 : 1
