/** The published cases of RDF Dataset Canonicalization, within the bound on work that loading has (PC-5). */
import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalDataset } from '../src/rdf/canonical.ts'

interface Case {
  readonly id: string
  readonly type: 'rdfc:RDFC10EvalTest' | 'rdfc:RDFC10MapTest' | 'rdfc:RDFC10NegativeEvalTest'
  readonly name: string
  readonly action: string
  readonly result?: string
  readonly hashAlgorithm?: 'SHA384'
}

const folder = join(process.env.ALTHING_VECTORS!, 'rdf-canon')
const read = (path: string): string => readFileSync(join(folder, path), 'utf8')
const { entries } = JSON.parse(read('manifest.jsonld')) as { entries: readonly Case[] }

describe('RDFC-1.0', () => {
  assert.ok(entries.length >= 86, `${entries.length} cases; at least 86 expected`)
  for (const { id, type, name, action, result, hashAlgorithm } of entries) {
    test(`${id} ${name}`, async () => {
      const labels = new Map<string, string>()
      const hash = hashAlgorithm === 'SHA384' ? 'sha384' : 'sha256'
      const canonical = canonicalDataset(read(action), { hash, labels })
      switch (type) {
        case 'rdfc:RDFC10EvalTest':
          assert.equal(await canonical, read(result!))
          break
        case 'rdfc:RDFC10MapTest':
          await canonical
          assert.deepEqual(withoutMarks(labels), JSON.parse(read(result!)))
          break
        case 'rdfc:RDFC10NegativeEvalTest':
          await assert.rejects(canonical)
          break
      }
    })
  }
})

function withoutMarks(labels: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...labels].map(([from, to]) => [from.replace('_:', ''), to.replace('_:', '')]))
}
