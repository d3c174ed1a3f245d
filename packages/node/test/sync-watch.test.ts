import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { SyncWatch } from '../src/node-events.ts'

test('catching up ends once, when what the peers claim is here; without a request there is nothing to end (VC-7)', () => {
  const watch = new SyncWatch()
  const claimed = () => 10
  assert.equal(watch.reached(10, claimed), false)
  watch.requested()
  assert.deepEqual(
    [9, 10, 11].map((height) => watch.reached(height, claimed)),
    [false, true, false],
  )
})
