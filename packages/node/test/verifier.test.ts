import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import { concatBytes, silentLog, utf8ToBytes } from '@althing/base'
import type { Log, SignatureCheck } from '@althing/base'
import { nativeSigner } from '../src/crypto/ed25519.ts'
import { startVerifierPool } from '../src/verifier/index.ts'

const signer = nativeSigner(new Uint8Array(32).fill(1))

/** Every third one does not hold. */
function mixedChecks(count: number): { checks: SignatureCheck[]; expected: boolean[] } {
  const checks = Array.from({ length: count }, (_, i) => {
    const message = utf8ToBytes(`message ${i}`)
    const signature = signer.sign(i % 3 === 0 ? utf8ToBytes('another') : message)
    return { publicKey: signer.publicKey, message, signature }
  })
  return { checks, expected: checks.map((_, i) => i % 3 !== 0) }
}

describe('the verifier pool', () => {
  test('answers any number of checks in the order given', async () => {
    const pool = await startVerifierPool({ log: silentLog, workers: 2 })
    for (const count of [0, 1, 3, 4, 5, 127, 129, 1000]) {
      const { checks, expected } = mixedChecks(count)
      assert.deepEqual(await pool.verifyAll(checks), expected, `${count} checks`)
    }
    await pool.stop()
  })

  test('keeps many calls apart', async () => {
    const pool = await startVerifierPool({ log: silentLog, workers: 2 })
    const calls = [700, 5, 2, 300, 64].map(mixedChecks)
    const answers = await Promise.all(calls.map(({ checks }) => pool.verifyAll(checks)))
    assert.deepEqual(
      answers,
      calls.map(({ expected }) => expected),
    )
    await pool.stop()
  })

  test('answers false for keys and signatures of a wrong length', async () => {
    const pool = await startVerifierPool({ log: silentLog, workers: 1 })
    const {
      checks: [, good],
    } = mixedChecks(2)
    const { publicKey, message, signature } = good!
    const answers = await pool.verifyAll([
      good!,
      { publicKey: publicKey.subarray(1), message, signature },
      { publicKey, message, signature: signature.subarray(1) },
      { publicKey, message, signature: concatBytes(signature, signature) },
      { publicKey: new Uint8Array(), message: new Uint8Array(), signature: new Uint8Array() },
      good!,
    ])
    assert.deepEqual(answers, [true, false, false, false, false, true])
    await pool.stop()
  })

  test('answers what was asked before it is stopped', async () => {
    const pool = await startVerifierPool({ log: silentLog, workers: 1 })
    const { checks, expected } = mixedChecks(500)
    const answer = pool.verifyAll(checks)
    await pool.stop()
    assert.deepEqual(await answer, expected)
    await assert.rejects(pool.verifyAll(checks), /the verifier pool is running/)
  })

  test('answers all the same when its workers die, and says so', async () => {
    const lines: string[] = []
    const log: Log = { ...silentLog, error: (message) => lines.push(message) }
    const workerFile = new URL(`data:text/javascript,import { parentPort } from 'node:worker_threads'
      parentPort.on('message', () => process.exit(7))`)
    const pool = await startVerifierPool({ log, workers: 2, workerFile })
    const { checks, expected } = mixedChecks(600)
    assert.deepEqual(await pool.verifyAll(checks), expected)
    assert.deepEqual(await pool.verifyAll(checks), expected)
    assert.ok(lines.length >= 2 && lines.length <= 6, `${lines.length} lines`)
    assert.equal(lines[0], 'a signature worker died')
    await pool.stop()
  })

  test('goes on with a worker that was started again', async () => {
    const lines: string[] = []
    const log: Log = { ...silentLog, error: (message) => lines.push(message) }
    const real = new URL('../src/verifier/worker.ts', import.meta.url).href
    const workerFile = new URL(`data:text/javascript,import ${JSON.stringify(real)}
      import { parentPort } from 'node:worker_threads'
      let seen = 0
      parentPort.on('message', () => { if (++seen > 3) process.exit(7) })`)
    const pool = await startVerifierPool({ log, workers: 1, workerFile })
    const { checks, expected } = mixedChecks(1500)
    assert.deepEqual(await pool.verifyAll(checks), expected)
    assert.ok(lines.length >= 1)
    await pool.stop()
  })
})
