import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { Certificate, FINALIZE, makeEvidence, NULLIFY, ZERO_HASH } from '@althing/base'
import type { Evidence } from '@althing/base'
import { EvidenceFolder } from '../src/consensus/evidence-folder.ts'
import { fixtureBlock, fixtureFinalization } from '../src/testing/chain-fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'althing-evidence-'))
after(() => rmSync(folder, { recursive: true }))

function evidenceOf(epoch: number, signer: number): Evidence {
  const vote = { epoch, signer, view: 1, anchor: ZERO_HASH, signature: new Uint8Array(64) }
  return makeEvidence(
    { ...vote, kind: NULLIFY, hash: ZERO_HASH },
    { ...vote, kind: FINALIZE, hash: new Uint8Array(32).fill(1) },
  )
}

describe('the folder of evidence', () => {
  it('keeps the first proof of each signer and epoch, over a restart too', () => {
    const kept = new EvidenceFolder(folder)
    assert.notEqual(kept.keep(evidenceOf(1, 2)), null)
    assert.equal(kept.keep(evidenceOf(1, 2)), null)
    assert.notEqual(kept.keep(evidenceOf(2, 2)), null)
    writeFileSync(join(folder, 'epoch-3-authority-0.evidence'), 'cut off')
    const again = new EvidenceFolder(folder)
    assert.equal(again.keep(evidenceOf(2, 2)), null)
    const listed = again.list().map(({ first: { epoch, signer } }) => [epoch, signer])
    assert.deepEqual(
      listed,
      [
        [1, 2],
        [2, 2],
      ],
      'what cannot be read is left out',
    )
  })

  it('keeps why consensus halted, with both finalizations (R7)', () => {
    const proof = [1, 2].map((height) => fixtureFinalization(fixtureBlock({ height })))
    const file = new EvidenceFolder(folder).keepHalt('conflicting finalizations', proof)
    const { reason, finalizations } = JSON.parse(readFileSync(file, 'utf8')) as Record<
      string,
      string | string[]
    >
    assert.equal(reason, 'conflicting finalizations')
    const written = proof.map((one) => Buffer.from(Certificate.serialize(one)).toString('base64'))
    assert.deepEqual(finalizations, written)
  })
})
