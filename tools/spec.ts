/**
 * `npm run spec`: types, named runs and random simulation of the Quint specification; whether the recorded traces are
 * still its own; and whether the real core follows what was simulated. Quint has a folder and a lock of its own, `spec/`, and is installed there when it is missing:
 * nobody else needs its packages.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { traceOf, traceText } from './spec/traces.ts'

const usage = `Usage: npm run spec -- [options]

  --samples N   random traces to simulate (default 300)
  --record      writes the traces that npm test replays, instead of comparing them`

/** Of the recorded random traces. */
const SEED = '0xa17'
const RECORDED = 24
const STEPS = 40
/** Each must be reached by the simulation; the first are rare. */
const WITNESSES = ['sawReproposal', 'sawEpochEnd', 'sawFinality', 'sawForkedView']

const { values } = parseArgs({
  options: {
    samples: { type: 'string', default: '300' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  console.log(usage)
  process.exit(0)
}

const traces = join('spec', 'traces')
const folder = mkdtempSync(join(tmpdir(), 'althing-spec-'))
try {
  install()
  for (const file of ['simplex.qnt', 'pitfalls.qnt']) quint('typecheck', file)
  quint('test', '--backend=typescript', `--out-itf=${folder}/{test}.itf.json`, 'pitfalls.qnt')
  const simulate = ['run', 'simplex.qnt', '--backend=typescript', '--invariant=safe', `--max-steps=${STEPS}`]
  const recorded = [`--max-samples=${RECORDED}`, `--n-traces=${RECORDED}`, `--seed=${SEED}`]
  quint(...simulate, ...recorded, `--out-itf=${folder}/random_{seq}.itf.json`, '--verbosity=1')
  settleTraces()
  const fresh = join(folder, 'fresh')
  const samples = [
    `--max-samples=${values.samples}`,
    `--n-traces=${values.samples}`,
    `--out-itf=${folder}/fresh_{seq}.itf.json`,
  ]
  const said = quint(...simulate, ...samples, '--verbosity=1', '--witnesses', ...WITNESSES)
  for (const witness of WITNESSES) {
    if (new RegExp(`${witness} was witnessed in 0 `).test(said))
      throw new Error(`no trace reached ${witness}`)
  }
  mkdirSync(fresh)
  for (const [name, text] of tracesIn('fresh_')) writeFileSync(join(fresh, `${name}.json`), text)
  replay(fresh)
} finally {
  rmSync(folder, { recursive: true })
}

function install(): void {
  if (existsSync('spec/node_modules/@informalsystems/quint')) return
  console.log('Installing Quint into spec/ (once) …')
  const options = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { status } = spawnSync('npm', options, { cwd: 'spec', stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error('Quint could not be installed; npm says why above')
}

/** Runs Quint in `spec/` and shows what it says. */
function quint(...args: string[]): string {
  const cli = join('node_modules', '@informalsystems', 'quint', 'dist', 'src', 'cli.js')
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: 'spec',
    encoding: 'utf8',
  })
  process.stdout.write(stdout + stderr)
  if (status !== 0) throw new Error(`quint ${args[0]} failed`)
  return stdout
}

/** Records the traces of the named runs and of the pinned seed, or compares them with those that are recorded. */
function settleTraces(): void {
  const found = tracesIn('')
  const stale: string[] = []
  for (const [name, text] of found) {
    const path = join(traces, `${name}.json`)
    if (values.record) writeFileSync(path, text)
    else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) stale.push(name)
  }
  if (stale.length > 0)
    throw new Error(`recorded traces that are not the specification's: ${stale.join(', ')}`)
  console.log(`${found.length} traces ${values.record ? 'recorded' : 'are as recorded'}`)
}

/** Names and texts of the traces that Quint left, of those whose names start so. */
function tracesIn(prefix: string): [name: string, text: string][] {
  const files = readdirSync(folder).filter((file) => file.startsWith(prefix) && file.endsWith('.itf.json'))
  return files.sort().map((file) => {
    const name = file.replace('.itf.json', '').replace('Test', '')
    return [name, traceText(traceOf(name, JSON.parse(readFileSync(join(folder, file), 'utf8'))))]
  })
}

/** The real core follows the traces of a folder. */
function replay(from: string): void {
  const { status, stdout } = spawnSync(process.execPath, ['packages/chain/test/spec-traces.test.ts'], {
    encoding: 'utf8',
    env: { ...process.env, ALTHING_SPEC_TRACES: from },
  })
  if (status !== 0) throw new Error(`the core does not follow the specification:\n${stdout}`)
  console.log(`the core follows ${readdirSync(from).length} new traces`)
}
