/**
 * The code base keeps its own rules (import table, purity, documentation, sizes); and each rule catches a
 * violation planted for it, and lets pass what only looks like one.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Finding, type Rule, readCodeBase } from './tidy/code-base.ts'
import { configKeyFindings } from './tidy/config-keys.ts'
import { defectFindings } from './tidy/defects.ts'
import { dependencyFindings } from './tidy/dependencies.ts'
import { docLinkFindings } from './tidy/doc-links.ts'
import { errorCodeFindings } from './tidy/error-codes.ts'
import { fileSizeFindings } from './tidy/file-size.ts'
import { importFindings } from './tidy/imports.ts'
import { purityFindings } from './tidy/purity.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const ruleByTitle: Readonly<Record<string, Rule>> = {
  'imports follow the table': importFindings,
  'pure folders are pure, and browsers load no Node': purityFindings,
  'error codes are documented': errorCodeFindings,
  'configuration keys are documented': configKeyFindings,
  'files are at most 600 lines': fileSizeFindings,
  'tests of defects exist': defectFindings,
  'dependencies are exact, documented and locked': dependencyFindings,
  'links in the documentation lead somewhere': (codeBase) =>
    docLinkFindings(codeBase, (path) => existsSync(join(root, path))),
}

describe('the code base', () => {
  const codeBase = readCodeBase(root)
  for (const [title, rule] of Object.entries(ruleByTitle)) {
    test(title, () => {
      const findings = rule(codeBase).map(describeFinding)
      if (findings.length > 0) assert.fail(`\n${findings.join('\n')}\n`)
    })
  }
})

function describeFinding({ path, line, message }: Finding): string {
  return `${path}:${line} ${message}`
}

type Files = Readonly<Record<string, string>>

interface Row {
  readonly rule: Rule
  /** Files by path, and a part of what is found in each; no part: nothing is found. */
  readonly cases: readonly (readonly [files: Files, found?: string])[]
}

const basePackage = {
  'packages/base/package.json': '{ "name": "@althing/base", "exports": { ".": "./src/index.ts" } }',
}
const oneConfigKey = {
  'packages/node/src/config/schema.ts':
    'const configKeys = { network: { max_inbound: integer(1) } } as const satisfies X',
}
const noLinks: Rule = (codeBase) => docLinkFindings(codeBase, () => false)

function lines(count: number): string {
  return '\n'.repeat(count)
}

function pure(text: string): Files {
  return { 'packages/chain/src/a.ts': text }
}

function oneLine(name: string, version: string, doc = `| \`${name}\` | for this |`): Files {
  return {
    'package.json': JSON.stringify({ name: 'root', dependencies: { [name]: version } }),
    'docs/dependencies.md': doc,
  }
}

const rows: Readonly<Record<string, Row>> = {
  imports: {
    rule: importFindings,
    cases: [
      [{ ...basePackage, 'packages/chain/src/a.ts': "import { x } from '@althing/base'" }],
      [{ 'packages/chain/src/a.ts': "// import '@althing/node'\nconst s = \"import 'libp2p'\"" }],
      [{ 'packages/base/src/a.ts': "import '@althing/chain'" }, 'nothing of ours'],
      [{ 'packages/chain/src/a.ts': "export * from '@althing/ledger'" }, 'imports @althing/ledger'],
      [{ 'packages/client/src/a.ts': "const x = await import('althing')" }, 'imports althing'],
      [{ 'packages/ledger/test/a.ts': "import '../../chain/src/index.ts'" }, 'outside packages/ledger/'],
      [{ ...basePackage, 'test/a.test.ts': "import '@althing/base/src/hash.ts'" }, 'does not export it'],
      [
        { 'packages/network/src/session.ts': "import type { Stream } from '@libp2p/interface'" },
        'knows libp2p',
      ],
      [{ 'packages/network/src/libp2p/host.ts': "import { createLibp2p } from 'libp2p'" }],
    ],
  },
  purity: {
    rule: purityFindings,
    cases: [
      [
        pure(
          "// await new Date()\nconst text = 'Date'\nconst clock = { Date: 1, process: 2 }\nclock.process",
        ),
      ],
      [pure('function process(performance: number) { return performance }\nprocess(1)')],
      [pure('async function f() {}'), 'async'],
      [pure('const f = async () => {}'), 'async'],
      [pure('class A { async f() {} }'), 'async'],
      [pure('const f = { async g() {} }'), 'async'],
      [pure('const x = await y'), 'await'],
      [pure('for await (const x of y) {}'), 'for await'],
      [pure('const x: Promise<void> = y'), 'Promise'],
      [pure("const x = import('./b.ts')"), 'import()'],
      [pure("import { hash } from 'node:crypto'"), 'node:crypto'],
      [pure("import fs from 'fs'"), 'imports fs'],
      [pure('const now = Date.now()'), 'Date'],
      [pure('function f(now = Date.now()) {}'), 'Date'],
      [pure('const f = { Date }'), 'Date'],
      [pure('setTimeout(f, 1)'), 'setTimeout'],
      [pure('setInterval(f, 1)'), 'setInterval'],
      [pure('queueMicrotask(f)'), 'queueMicrotask'],
      [pure('performance.now()'), 'performance'],
      [pure('process.env.HOME'), 'process'],
      [pure('globalThis.Date'), 'globalThis'],
      [pure('const x = Math.random()'), 'Math.random'],
      [pure("const x = Math['random']()"), 'Math.random'],
      [{ 'packages/network/src/protocol/a.ts': "import '../memory/a.ts'" }, 'no file outside it'],
      [{ 'packages/network/src/libp2p/a.ts': "import 'node:net'\nawait f()" }],
      [{ 'packages/client/src/a.ts': "import 'node:crypto'" }, 'node:crypto'],
      [{ 'packages/base/src/sha256/node.ts': "import 'node:crypto'" }],
    ],
  },
  'error codes': {
    rule: errorCodeFindings,
    cases: [
      [{ 'packages/a/src/a.ts': "type FooCode = 'FOO_BAR'", 'docs/errors.md': '| `FOO_BAR` | … |' }],
      [{ 'packages/a/src/a.ts': "type FooCode = 'FOO_BAR'" }, 'FOO_BAR is not in docs'],
      [
        { 'packages/a/src/a.ts': "class E extends Error { readonly code: 'A_ONE' | 'A_TWO' }" },
        'A_TWO is not',
      ],
      [{ 'packages/a/src/a.ts': "class E { constructor(code: 'A_ONE') {} }" }, 'A_ONE is not'],
      [{ 'packages/a/src/a.ts': "const error = { code: wrong ? 'A_ONE' : 'A_TWO' }" }, 'A_TWO is not'],
      [
        {
          'packages/a/src/a.ts': 'const status = { A_ONE: 404 } as const\ntype ApiCode = keyof typeof status',
        },
        'A_ONE is not',
      ],
      [{ 'packages/a/src/a.ts': "refuse('A_ONE')" }, 'A_ONE is not'],
      [{ 'packages/a/src/a.ts': "fail('WRONG')" }, 'WRONG is not'],
      [{ 'packages/a/src/a.ts': "// code: 'A_ONE'\nprocess.env['ALTHING_KEY']\nfetch('GET', 'an A_TWO')" }],
      [{ 'docs/errors.md': '| `A_ONE` | … |' }, 'no source has the error code A_ONE'],
    ],
  },
  'configuration keys': {
    rule: configKeyFindings,
    cases: [
      [{ ...oneConfigKey, 'docs/configuration.md': '## [network]\n\n| `max_inbound` | … |' }],
      [{ ...oneConfigKey, 'docs/configuration.md': '## [api]\n| `max_inbound` | … |' }, 'max_inbound is not'],
      [{}, 'has no table configKeys'],
      [oneConfigKey, 'network.max_inbound is not in docs/configuration.md'],
    ],
  },
  'file size': {
    rule: fileSizeFindings,
    cases: [
      [{ 'packages/a/src/a.ts': lines(600), 'docs/long.md': lines(900) }],
      [{ 'packages/a/src/a.ts': lines(601) }, '601 lines'],
    ],
  },
  dependencies: {
    rule: dependencyFindings,
    cases: [
      [oneLine('a', '1.2.3-rc.1')],
      [oneLine('a', '^1.2.3'), 'not an exact version'],
      [oneLine('a', '1.2.3', ''), 'a is not in docs/dependencies.md'],
      [oneLine('a', '1.2.3', '| `a` | … |\n| `b` | … |'), 'no package depends on b'],
      [
        {
          'package-lock.json':
            '{ "packages": { "node_modules/a": { "optionalDependencies": { "a-mac": "1.0.0" } } } }',
        },
        'a-mac, which node_modules/a needs, is not locked',
      ],
    ],
  },
  'tests of defects': {
    rule: defectFindings,
    cases: [
      [{ 'a.test.ts': "test('it works', f)", 'docs/defects.md': '| … | [a](../a.test.ts) "it works" |' }],
      [
        { 'a.test.ts': "test('renamed', f)", 'docs/defects.md': '[a](../a.test.ts) "it works"' },
        'no test "it works"',
      ],
    ],
  },
  'links in the documentation': {
    rule: noLinks,
    cases: [
      [
        {
          'README.md': '[a](docs/a.md#the-way-in) [b](https://x.example) `[c](gone.md)`',
          'docs/a.md': '## The way in',
        },
      ],
      [{ 'README.md': '[a](docs/gone.md)' }, 'docs/gone.md does not exist'],
      [{ 'docs/a.md': '[a](../docs/a.md#nowhere)' }, 'has no heading #nowhere'],
    ],
  },
}

for (const [title, { rule, cases }] of Object.entries(rows)) {
  describe(`the rule on ${title}`, () => {
    for (const [files, found] of cases) {
      const shown = Object.values(files).at(-1)?.trim().slice(0, 80) ?? ''
      test(found === undefined ? `lets pass: ${shown}` : `finds "${found}" in: ${shown}`, () => {
        const messages = rule(new Map(Object.entries(files))).map(describeFinding)
        if (found === undefined) assert.deepEqual(messages, [])
        else
          assert.ok(
            messages.some((message) => message.includes(found)),
            `found only: ${messages.join('; ')}`,
          )
      })
    }
  })
}
