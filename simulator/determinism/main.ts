/**
 * Whether seeds run alike on Node 24 and on Node 26: the hashes of their traces agree, event for event. Takes Node 26
 * from the npm registry, at a pinned version, into a folder that goes afterwards. Part of `npm run verify`.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OTHER = '26.10.0'
const FROM = 1
const SEEDS = 200

interface Traced {
  readonly seed: number
  readonly traceHash: string
  readonly events: number
}

const folder = mkdtempSync(join(tmpdir(), 'althing-determinism-'))
try {
  const mine = hashesBy(process.execPath)
  const theirs = hashesBy(installOther(folder))
  const unlike = mine.filter(({ traceHash }, index) => traceHash !== theirs[index]?.traceHash)
  const events = mine.reduce((sum, traced) => sum + traced.events, 0)
  console.log(
    `${SEEDS} seeds, ${events} events, on Node ${process.versions.node} and ${OTHER}: ${unlike.length} differ`,
  )
  for (const { seed } of unlike) console.log(`seed ${seed} runs differently`)
  process.exitCode = unlike.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true })
}

function hashesBy(node: string): readonly Traced[] {
  const script = fileURLToPath(new URL('hashes.ts', import.meta.url))
  return JSON.parse(execFileSync(node, [script, `${FROM}`, `${SEEDS}`], { encoding: 'utf8' })) as Traced[]
}

/** @returns the path of its binary. */
function installOther(into: string): string {
  const name = `node-${process.platform}-${process.arch}`
  writeFileSync(
    join(into, 'package.json'),
    JSON.stringify({ private: true, dependencies: { [name]: OTHER } }),
  )
  const options = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', options, { cwd: into, stdio: ['ignore', 'ignore', 'inherit'] })
  return join(into, 'node_modules', name, 'bin', 'node')
}
