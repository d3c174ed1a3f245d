/**
 * `npm run conformance`: our code against published test vectors. They are not part of this repository; they
 * are read from `../shared/vectors` or from the folder in `ALTHING_VECTORS`. Without them there is nothing
 * to run: said plainly, and an error where CI must not pass by running nothing.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const vectors = resolve(process.env.ALTHING_VECTORS ?? '../shared/vectors')

if (existsSync(vectors)) {
  const args = [
    '--test',
    '--test-reporter=spec',
    ...process.argv.slice(2),
    'packages/*/conformance/**/*.test.ts',
  ]
  const env = { ...process.env, ALTHING_VECTORS: vectors }
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit', env }).status ?? 1
} else {
  console.log(
    `Nothing to run: there are no test vectors in ${vectors}. Set ALTHING_VECTORS to the folder that has them.`,
  )
  process.exitCode = process.env.CI === undefined ? 0 : 1
}
