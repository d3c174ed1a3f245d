/**
 * Pure folders decide the same way for the same input: they know no asynchrony, no clock, no chance and no
 * machine. And what browsers load knows no Node.
 * @module
 */
import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import { type CodeBase, type Finding, lineAt, sourcesIn } from './code-base.ts'
import { type Node, type Place, declaredNames, importsOf, isReference, parseSource, walk } from './syntax.ts'

const pureFolders = ['packages/chain/src/', 'packages/ledger/src/', 'packages/network/src/protocol/']

/** Folders that browsers load too, less the files that are their Node side. */
const browserFolders = ['packages/base/src/', 'packages/client/src/']
const nodeSide = /^packages\/base\/src\/(.*\/)?node[./]/

const impureGlobals = new Set([
  'Date',
  'Promise',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'performance',
  'process',
  'crypto',
  'fetch',
  'globalThis',
])

export function purityFindings(codeBase: CodeBase): Finding[] {
  const pure = pureFolders.flatMap((folder) =>
    sourcesIn(codeBase, folder).flatMap(([path, text]) => [
      ...importObjections(path, text, (specifier) => impureImport(path, specifier, folder)),
      ...impureSyntax(path, text),
    ]),
  )
  const browser = sourcesIn(codeBase, ...browserFolders)
    .filter(([path]) => !nodeSide.test(path))
    .flatMap(([path, text]) => importObjections(path, text, nodeImport))
  return [...pure, ...browser]
}

function importObjections(
  path: string,
  text: string,
  object: (specifier: string) => string | undefined,
): Finding[] {
  return importsOf(parseSource(path, text)).flatMap(({ specifier, offset }) => {
    const message = object(specifier)
    return message === undefined ? [] : [{ path, line: lineAt(text, offset), message }]
  })
}

function impureImport(path: string, specifier: string, folder: string): string | undefined {
  if (specifier.startsWith('.') && !posix.join(posix.dirname(path), specifier).startsWith(folder)) {
    return `imports ${specifier}: ${folder} is pure and imports no file outside it`
  }
  return nodeImport(specifier)
}

function nodeImport(specifier: string): string | undefined {
  return isBuiltin(specifier) ? `imports ${specifier}: no Node modules here` : undefined
}

function impureSyntax(path: string, text: string): Finding[] {
  const program = parseSource(path, text)
  const declared = declaredNames(program)
  const findings: Finding[] = []
  walk(program, (node, place) => {
    const what = impurity(node, place, declared)
    if (what !== undefined) {
      findings.push({ path, line: lineAt(text, node.start), message: `uses ${what}: this folder is pure` })
    }
  })
  return findings
}

function impurity(node: Node, place: Place, declared: ReadonlySet<string>): string | undefined {
  if ('async' in node && node.async) return 'async'
  if ('await' in node && node.await) return 'for await'
  if (node.type === 'AwaitExpression') return 'await'
  if (node.type === 'ImportExpression') return 'import()'
  if (node.type === 'VariableDeclaration' && node.kind === 'await using') return 'await using'
  if (node.type === 'MemberExpression' && isMathRandom(node)) return 'Math.random'
  if (node.type !== 'Identifier' || !impureGlobals.has(node.name)) return undefined
  return isReference(place) && !declared.has(node.name) ? node.name : undefined
}

function isMathRandom(node: Node & { type: 'MemberExpression' }): boolean {
  const property =
    node.property.type === 'Literal' ? node.property.value : 'name' in node.property && node.property.name
  return node.object.type === 'Identifier' && node.object.name === 'Math' && property === 'random'
}
