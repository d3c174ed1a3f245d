/**
 * Runs one task of this repository: installs the packages first when they are missing or out of date, then
 * runs the task on Node 24. Plain JavaScript that Node 20 reads, so that `npm start` and `npm test` work
 * alone on a fresh clone. Usage: `node tools/launch.mjs <task> [arguments]`; tasks run in the repository's root.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findNode, nodeMissing, runInstead } from '../packages/node/bin/find-node.mjs'
import { isInstalled } from './installed.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const program = 'packages/node/src/cli/main.ts'
const testFiles = [
  'packages/*/test/**/*.test.ts',
  'simulator/test/**/*.test.ts',
  'tools/**/*.test.ts',
  'test/**/*.test.ts',
  'examples/**/*.test.ts',
]

/** Of one test: what hangs fails then. */
const TEST_MS_MAX = 600_000

/**
 * What each task gives to Node.
 * @type {Readonly<Record<string, (args: readonly string[]) => string[]>>}
 */
const tasks = {
  start: (args) => [program, 'devnet', ...args],
  althing: (args) => [program, ...args],
  test: (args) => runTests(args, testFiles),
  conformance: (args) => ['tools/conformance.ts', ...args],
  check: (args) => ['tools/check.ts', ...args],
  fmt: (args) => ['node_modules/oxfmt/bin/oxfmt', ...args],
  simulate: (args) => ['simulator/src/main.ts', ...args],
  fuzz: (args) => ['tools/fuzz.ts', ...args],
  verify: (args) => ['tools/verify.ts', ...args],
  spec: (args) => ['tools/spec.ts', ...args],
  mutants: (args) => ['simulator/mutants/main.ts', ...args],
  bench: (args) => ['bench/src/main.ts', ...args],
  example: ([name = '', ...args]) => [exampleFile(name), ...args],
}

/**
 * Options go to Node's test runner; paths or globs replace the files that are run.
 * @param {readonly string[]} args
 * @param {readonly string[]} files
 */
function runTests(args, files) {
  const options = args.filter((arg) => arg.startsWith('-'))
  const chosen = args.filter((arg) => !arg.startsWith('-'))
  const all = [
    '--test',
    '--test-reporter=spec',
    '--test-concurrency=2',
    `--test-timeout=${TEST_MS_MAX}`,
    ...options,
  ]
  return [...all, ...(chosen.length > 0 ? chosen : files)]
}

/** @param {string} name */
function exampleFile(name) {
  const file = `examples/${name}/main.ts`
  if (existsSync(join(root, file))) return file
  const names = readdirSync(join(root, 'examples')).join('|')
  console.error(`Usage: npm run example <${names}> -- [options]`)
  process.exit(2)
}

/** `npm ci` by the npm that runs us, else by the one on PATH; in development mode whatever NODE_ENV says. */
function install() {
  console.error('Installing packages (once, about a minute) …')
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = process.env.npm_execpath
  /** @type {import('node:child_process').SpawnSyncOptions} */
  const options = { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] }
  const { status } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' })
  if (status === 0) return
  console.error(
    'The packages could not be installed (npm says why above). Is the npm registry reachable? Then try again.',
  )
  process.exit(1)
}

const [name = '', ...args] = process.argv.slice(2)
const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined
if (task === undefined) {
  console.error(`Usage: node tools/launch.mjs <${Object.keys(tasks).join('|')}> [arguments]`)
  process.exit(2)
}
if (!isInstalled(root)) install()
const node = findNode(root)
if (node === undefined) {
  console.error(nodeMissing)
  process.exit(1)
}
runInstead(node, task(args), { cwd: root })
