import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('./tls-cuts.ts', import.meta.url))
const HANDSHAKES = 2000

/** Node itself crashes when TLS is ended in the wrong order (docs/decisions/006-tls-on-the-socket.md), so this needs a process to lose. */
test('2,000 handshakes cut at random moments and bytes, by either side: the process lives, and no socket stays', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 32)
  t.diagnostic(`seed ${seed}`)
  const child = spawn(process.execPath, ['--expose-gc', PROGRAM, String(HANDSHAKES), String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // A socket that stays keeps the process from ending.
    timeout: 120_000,
  })
  const ended = Promise.withResolvers<string | number | null>()
  child.once('exit', (code, signal) => ended.resolve(signal ?? code))
  const said = await text(child.stdout)
  assert.equal(await ended.promise, 0)
  const { opened, cut } = JSON.parse(said) as { readonly opened: number; readonly cut: number }
  assert.equal(opened + cut, 2 * HANDSHAKES)
  assert.ok(Math.min(opened, cut) > HANDSHAKES / 50, `${opened} opened and ${cut} cut: both must be tried`)
})
