import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readCorpus, targetsOf } from './fuzz/corpus.ts'
import { fuzz } from './fuzz/engine.ts'

/** Wrong for inputs that start with `BUG!`; blind mutations would need four thousand million tries. */
function planted(bytes: Uint8Array): void {
  if (bytes[0] !== 0x42) return
  if (bytes[1] !== 0x55) return
  if (bytes[2] !== 0x47) return
  if (bytes[3] !== 0x21) return
  throw new Error('the planted bug')
}

const options = { seed: 1, corpus: [], isOurs: (url: string) => url === import.meta.url }

describe('the fuzzer', () => {
  test('finds what lies behind four bytes by what its inputs reach', () => {
    const target = { seeds: () => [new Uint8Array(8)], run: planted }
    const { failure } = fuzz(target, { ...options, isOver: (executions) => executions > 1_000_000 })
    assert.ok(failure !== null)
    assert.equal((failure.error as Error).message, 'the planted bug')
    assert.equal(Buffer.from(failure.input.subarray(0, 4)).toString(), 'BUG!')
  })

  test('makes the same run of the same seed', () => {
    const inputs: string[][] = [[], []]
    for (const list of inputs) {
      const run = (bytes: Uint8Array): void => void list.push(Buffer.from(bytes).toString('hex'))
      fuzz(
        { seeds: () => [new Uint8Array(8)], run },
        { ...options, isOver: (executions) => executions > 2_000 },
      )
    }
    assert.deepEqual(inputs[0], inputs[1])
  })
})

describe('fuzz targets hold for their seeds and every input that a fuzzer kept', async () => {
  for (const found of await targetsOf()) {
    test(found.name, async () => {
      for (const input of [...found.target.seeds(), ...(await readCorpus(found))]) found.target.run(input)
    })
  }
})
