import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { ChurnPoint } from './churn-process.ts'

/** A session left behind has more than 10 KB. */
const LEAK_BYTES_PER_CYCLE = 300

for (const [transport, cycles] of [
  ['memory', 10_000],
  ['libp2p', 300],
] as const) {
  test(`${cycles} peers that come and go leave nothing behind, over ${transport}`, async () => {
    const file = join(import.meta.dirname, 'churn-process.ts')
    const args = ['--expose-gc', file, transport, `${cycles}`]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 })
    const [early, late] = JSON.parse(stdout) as [ChurnPoint, ChurnPoint]
    const perCycle = (late.heapBytes - early.heapBytes) / (late.cycles - early.cycles)
    // Over few cycles the noise of the heap, a megabyte, is more than that.
    const allowed = LEAK_BYTES_PER_CYCLE + 1_000_000 / cycles
    assert.ok(perCycle < allowed, `the heap grows by ${perCycle.toFixed(0)} bytes a cycle`)
    assert.ok(late.handles <= early.handles + 2, `${early.handles} handles became ${late.handles}`)
  })
}
