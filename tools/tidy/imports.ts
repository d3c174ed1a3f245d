/**
 * The import table: imports only point up the list of packages, go through their public entries, and libp2p
 * stays behind its adapter.
 * @module
 */
import { posix } from 'node:path'
import { type CodeBase, type Finding, lineAt, sourcesIn } from './code-base.ts'
import { importsOf, parseSource } from './syntax.ts'

const all = [
  '@althing/base',
  '@althing/network',
  '@althing/chain',
  '@althing/ledger',
  '@althing/client',
  'althing',
]

/** Which of our packages the files below a folder may import. */
const allowedByFolder: Readonly<Record<string, readonly string[]>> = {
  'packages/base/': [],
  'packages/network/': ['@althing/base'],
  'packages/chain/': ['@althing/base'],
  'packages/ledger/': ['@althing/base'],
  'packages/client/': ['@althing/base'],
  'packages/node/': all,
  'simulator/': all,
  'test/': all,
  'bench/': all,
  'examples/': all,
}

/** The adapter, its tests, and what is measured beside it. */
const libp2pFolders = ['packages/network/src/libp2p/', 'packages/network/test/libp2p', 'bench/src/libp2p/']
const libp2pPackage = /^(libp2p|@libp2p\/.*|@chainsafe\/libp2p-.*|@multiformats\/.*)(\/|$)/

export function importFindings(codeBase: CodeBase): Finding[] {
  const entries = publicEntries(codeBase)
  return Object.entries(allowedByFolder).flatMap(([folder, allowed]) =>
    sourcesIn(codeBase, folder).flatMap(([path, text]) =>
      importsOf(parseSource(path, text)).flatMap(({ specifier, offset }) => {
        const message = objection(path, specifier, folder, allowed, entries)
        return message === undefined ? [] : [{ path, line: lineAt(text, offset), message }]
      }),
    ),
  )
}

function objection(
  path: string,
  specifier: string,
  folder: string,
  allowed: readonly string[],
  entries: ReadonlySet<string>,
): string | undefined {
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(path), specifier)
    return target.startsWith(folder)
      ? undefined
      : `imports ${target}, outside ${folder}: use a public package entry`
  }
  if (libp2pPackage.test(specifier)) {
    const isAdapter = libp2pFolders.some((prefix) => path.startsWith(prefix))
    return isAdapter ? undefined : `imports ${specifier}: only ${libp2pFolders[0]} knows libp2p`
  }
  const owner = all.find((name) => specifier === name || specifier.startsWith(`${name}/`))
  if (owner === undefined) return undefined
  if (!allowed.includes(owner))
    return `imports ${owner}: ${folder} may import ${allowed.join(', ') || 'nothing of ours'}`
  return entries.has(specifier) ? undefined : `imports ${specifier}: ${owner} does not export it`
}

/** The specifiers that the `exports` of our packages allow. */
function publicEntries(codeBase: CodeBase): Set<string> {
  const specifiers = [...codeBase]
    .filter(([path]) => /^packages\/[^/]+\/package\.json$/.test(path))
    .flatMap(([, text]) => {
      const { name, exports } = JSON.parse(text) as { name: string; exports: Record<string, unknown> }
      return Object.keys(exports).map((entry) => posix.join(name, entry))
    })
  return new Set(specifiers)
}
