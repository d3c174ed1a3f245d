import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bytesToHex, portableSigner, sha256 } from '@althing/base'
import fc from 'fast-check'
import { verify } from '../../src/platform/node.ts'
import {
  decodeReport,
  decodeReports,
  encodeReports,
  REPORT_LINKS_MAX,
  REPORTS_BYTES_MAX,
  REPORTS_MAX,
  signReport,
} from '../../src/protocol/link-report.ts'
import type { LinkReport, ReportedLink } from '../../src/protocol/link-report.ts'
import { peerIdOfKey } from '../../src/protocol/peer-id.ts'

const GENESIS = new Uint8Array(32).fill(7)
const SIGNER = portableSigner(new Uint8Array(32).fill(1))
const links: readonly ReportedLink[] = [
  { peer: peerIdOfKey(new Uint8Array(32).fill(2)), latencyMs: 1.234, health: 'healthy' },
  { peer: peerIdOfKey(new Uint8Array(32).fill(3)), latencyMs: null, health: 'degraded' },
]
const report: LinkReport = {
  peer: peerIdOfKey(SIGNER.publicKey),
  seq: 1_750_000_000_000,
  nodeType: 'authority',
  software: '1.2.3',
  protocolVersion: 1,
  links,
}

describe('link reports (PT-11)', () => {
  const signed = signReport(report, GENESIS, SIGNER)

  test('what is signed is what is read; its bytes are pinned', () => {
    const decoded = decodeReport(signed)
    assert.ok(decoded.ok)
    assert.deepEqual(decoded.value.report, report)
    assert.ok(decoded.value.isSigned(GENESIS, verify))
    assert.ok(!decoded.value.isSigned(new Uint8Array(32), verify))
    assert.equal(bytesToHex(sha256(signed)).slice(0, 16), 'c568375f11f48648')
  })

  test('any bit changed makes it unreadable or unsigned', () => {
    fc.assert(
      fc.property(fc.nat(signed.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = signed.slice()
        changed[at]! ^= mask
        const decoded = decodeReport(changed)
        assert.ok(!decoded.ok || !decoded.value.isSigned(GENESIS, verify))
      }),
      { numRuns: 50 },
    )
  })

  test('as many links, and as many reports, as there may be go into one message', () => {
    const all = Array.from({ length: REPORT_LINKS_MAX + 5 }, () => links[0]!)
    const largest = signReport({ ...report, software: 'x'.repeat(99), links: all }, GENESIS, SIGNER)
    const message = encodeReports(Array.from({ length: REPORTS_MAX }, () => largest))
    assert.ok(message.length <= REPORTS_BYTES_MAX)
    const decoded = decodeReports(message)
    assert.ok(decoded.ok)
    const first = decodeReport(decoded.value[0]!)
    assert.ok(first.ok && first.value.report.links.length === REPORT_LINKS_MAX)
  })

  test('any bytes decode or are a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const decoded = decodeReports(bytes)
        if (decoded.ok) for (const one of decoded.value) decodeReport(one)
        decodeReport(bytes)
      }),
    )
  })
})
