import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { isInstalled } from './installed.mjs'

const launcher = new URL('../packages/node/bin/find-node.mjs', import.meta.url).href

/** Runs `program` through the launcher, as `node tools/launch.mjs` runs a task. */
function launch(program: string) {
  return spawn(process.execPath, launcherArgs(program), { stdio: ['ignore', 'pipe', 'inherit'] })
}

function launcherArgs(program: string): string[] {
  const start = `const { runInstead } = await import(${JSON.stringify(launcher)})
    runInstead(process.execPath, ['-e', ${JSON.stringify(program)}])`
  return ['--input-type=module', '-e', start]
}

describe('a launched program', () => {
  test('decides the exit code', async () => {
    assert.deepEqual(await once(launch('process.exit(7)'), 'exit'), [7, null])
  })

  test('ends the launcher with the signal that ended it', async () => {
    assert.deepEqual(await once(launch("process.kill(process.pid, 'SIGKILL')"), 'exit'), [null, 'SIGKILL'])
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`gets ${signal} once, and has the time to end by itself`, async () => {
      const program = `
        let count = 0
        process.on('${signal}', () => {
          count++
          setTimeout(() => process.exit(40 + count), 100)
        })
        setInterval(() => {}, 1000)
        console.log('ready')`
      const child = launch(program)
      await once(child.stdout, 'data')
      child.kill(signal)
      assert.deepEqual(await once(child, 'exit'), [41, null])
    })
  }

  test(
    'is stopped when the shell that npm runs it in is killed',
    { skip: process.platform === 'win32' },
    async () => {
      const program = `
      process.on('SIGTERM', () => process.exit(console.log('stopped')))
      setInterval(() => {}, 1000)
      console.log('ready')`
      const shell = spawn('sh', ['-c', '"$0" "$@"; exit', process.execPath, ...launcherArgs(program)], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, npm_lifecycle_event: 'start' },
      })
      shell.stdout.setEncoding('utf8')
      const [ready] = await once(shell.stdout, 'data')
      shell.kill('SIGTERM')
      const [stopped] = await once(shell.stdout, 'data')
      assert.deepEqual([ready, stopped], ['ready\n', 'stopped\n'])
    },
  )
})

describe('packages count as installed', () => {
  const wanted = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/mac': { version: '1.0.0', optional: true },
  }
  const cases: readonly (readonly [title: string, installed: object | undefined, expected: boolean])[] = [
    ['when npm recorded the locked versions', wanted, true],
    ['without the optional ones of another platform', { 'node_modules/a': { version: '1.0.0' } }, true],
    ['not when one is missing', {}, false],
    ['not when one has another version', { 'node_modules/a': { version: '0.9.0' } }, false],
    ['not without a record (an install was broken off)', undefined, false],
  ]
  for (const [title, installed, expected] of cases) {
    test(title, (t) => {
      const root = mkdtempSync(join(tmpdir(), 'althing-'))
      t.after(() => rmSync(root, { recursive: true }))
      mkdirSync(join(root, 'node_modules'))
      writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: wanted }))
      if (installed !== undefined) {
        writeFileSync(
          join(root, 'node_modules', '.package-lock.json'),
          JSON.stringify({ packages: installed }),
        )
      }
      assert.equal(isInstalled(root), expected)
    })
  }
})
