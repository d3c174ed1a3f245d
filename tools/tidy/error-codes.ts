/**
 * Every error code in the source has a line in `docs/errors.md`, and every line there has its code.
 *
 * A code is a string of several words in capitals, wherever it stands, or a single word in capitals where a
 * code is declared or made: a `code` field or parameter, a type whose name ends in `Code` (a union of literals,
 * or the keys of a table), `code: 'NAME'` in an object, the first argument of `fail`.
 * @module
 */
import { type CodeBase, type Finding, lineAt, sourcesIn } from './code-base.ts'
import { type Node, entriesOf, initialValue, parseSource, walk } from './syntax.ts'

const docPath = 'docs/errors.md'
const codeName = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/
const severalWords = /_/
/** Not ours to document here: environment variables, error codes of Node and of Fastify. */
const otherName = /^(ALTHING|ERR|FST_ERR)_/
const docRow = /^\| `([A-Z0-9_]+)` \|/gm

export function errorCodeFindings(codeBase: CodeBase): Finding[] {
  const doc = codeBase.get(docPath) ?? ''
  const rows = [...doc.matchAll(docRow)].map((row) => ({ code: row[1] ?? '', line: lineAt(doc, row.index) }))
  const documented = new Set(rows.map((row) => row.code))
  const uses = sourcesIn(codeBase, 'packages/')
    .filter(([path]) => /^packages\/[^/]+\/src\/(?!testing\/)/.test(path))
    .flatMap(([path, text]) => codesIn(path, text))
  const used = new Set(uses.map((use) => use.code))
  return [
    ...uses
      .filter((use) => !documented.has(use.code))
      .map(({ path, line, code }) => ({ path, line, message: `error code ${code} is not in ${docPath}` })),
    ...rows
      .filter((row) => !used.has(row.code))
      .map(({ line, code }) => ({ path: docPath, line, message: `no source has the error code ${code}` })),
  ]
}

interface CodeUse {
  readonly path: string
  readonly line: number
  readonly code: string
}

/** The codes that a file declares or makes, each once. */
function codesIn(path: string, text: string): CodeUse[] {
  const program = parseSource(path, text)
  const useByCode = new Map<string, CodeUse>()
  const add = (code: unknown, node: Node): void => {
    if (typeof code !== 'string' || !codeName.test(code) || otherName.test(code) || useByCode.has(code))
      return
    useByCode.set(code, { path, line: lineAt(text, node.start), code })
  }
  walk(program, (node) => {
    if (node.type === 'Literal' && typeof node.value === 'string' && severalWords.test(node.value))
      add(node.value, node)
    for (const place of codePlaces(node)) {
      literalsIn(place).forEach((literal) => add(literal.value, literal))
      tablesNamedIn(place).forEach((name) =>
        entriesOf(initialValue(program, name)).forEach((entry) => add(entry.name, entry.value)),
      )
    }
  })
  return [...useByCode.values()]
}

/** The parts of a node that hold codes: the type or value of something called `code`, the meaning of a `…Code`. */
function codePlaces(node: Node): Node[] {
  switch (node.type) {
    case 'TSTypeAliasDeclaration':
      return node.id.name.endsWith('Code') ? [node.typeAnnotation] : []
    case 'Identifier':
      return node.name === 'code' && node.typeAnnotation ? [node.typeAnnotation] : []
    case 'Property':
      return isNamedCode(node.key) ? [node.value] : []
    case 'PropertyDefinition':
      return isNamedCode(node.key) ? [node.typeAnnotation, node.value].filter((part) => part != null) : []
    case 'TSPropertySignature':
      return isNamedCode(node.key) && node.typeAnnotation ? [node.typeAnnotation] : []
    case 'CallExpression':
      return node.callee.type === 'Identifier' && node.callee.name === 'fail'
        ? node.arguments.slice(0, 1)
        : []
    default:
      return []
  }
}

function isNamedCode(key: Node): boolean {
  return key.type === 'Identifier' && key.name === 'code'
}

function literalsIn(place: Node): (Node & { type: 'Literal' })[] {
  const literals: (Node & { type: 'Literal' })[] = []
  const visit = (node: Node): void => {
    if (node.type === 'Literal') literals.push(node)
  }
  visit(place)
  walk(place, visit)
  return literals
}

/** The `x` of every `keyof typeof x`. */
function tablesNamedIn(place: Node): string[] {
  const names: string[] = []
  const visit = (node: Node): void => {
    if (node.type !== 'TSTypeOperator' || node.typeAnnotation.type !== 'TSTypeQuery') return
    const { exprName } = node.typeAnnotation
    if (exprName.type === 'Identifier') names.push(exprName.name)
  }
  visit(place)
  walk(place, visit)
  return names
}
