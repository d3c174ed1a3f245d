import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { ChurnPoint } from './churn-process.ts'

/** A link that is left behind over libp2p holds 29 KB, a session 10 KB. */
const LEAK_BYTES_PER_CYCLE = 300

/** `warmUpBytes`: what compiled code and caches add in the first thousands of cycles; over 3,000 the heap of libp2p shrinks. */
for (const { transport, cycles, warmUpBytes } of [
  { transport: 'memory', cycles: 10_000, warmUpBytes: 1_000_000 },
  { transport: 'libp2p', cycles: 300, warmUpBytes: 4_000_000 },
]) {
  test(`${cycles} peers that come and go leave nothing behind, over ${transport}`, async () => {
    const file = join(import.meta.dirname, 'churn-process.ts')
    const args = ['--expose-gc', file, transport, `${cycles}`]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 })
    const [early, late] = JSON.parse(stdout) as [ChurnPoint, ChurnPoint]
    const growth = late.heapBytes - early.heapBytes
    const allowed = warmUpBytes + LEAK_BYTES_PER_CYCLE * (late.cycles - early.cycles)
    assert.ok(growth < allowed, `the heap grows by ${growth} bytes in ${late.cycles - early.cycles} cycles`)
    assert.ok(late.handles <= early.handles + 2, `${early.handles} handles became ${late.handles}`)
  })
}
