import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Child } from '../../src/child/child.ts'

const BUSY = new URL('./busy.ts', import.meta.url)

describe('a child process', () => {
  test('takes orders in turn, tells its memory, and ends while it is busy (C1)', async () => {
    const told: string[] = []
    const { promise: looping, resolve } = Promise.withResolvers<void>()
    const child = new Child<'echo' | 'loop', string>(BUSY, 64, (answer) => {
      told.push(answer.split(' ')[0]!)
      if (answer.startsWith('loop')) resolve()
    })
    child.send('echo')
    child.send('loop')
    await looping
    assert.deepEqual(told, ['echo', 'loop'])
    assert.ok((await child.memoryBytes())! > 10_000_000)
    await child.end('enough')
    assert.equal(await child.ended, 'enough')
    assert.equal(await child.memoryBytes(), null)
    child.send('echo') // harmless
  })

  test('ends when its parent is killed, whatever it is doing (C2)', async () => {
    const parent = spawn(process.execPath, [fileURLToPath(new URL('./parent.ts', import.meta.url))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
    const pid = Number(/in (\d+)$/.exec(line)![1])
    assert.ok(isRunning(pid))
    parent.kill('SIGKILL')
    for (let look = 0; isRunning(pid); look++) {
      assert.ok(look < 200, `process ${pid} runs on`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  })
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
