/**
 * TypeScript source as a syntax tree, so that no rule trips over comments and strings.
 * @module
 */
import { type Node, type Program, parseSync, visitorKeys } from 'oxc-parser'

export type { Node }

/** The place of a node: the node above it and that node's property which holds it. */
export interface Place {
  readonly parent: Node
  readonly key: string
}

/** @throws when the file is not valid TypeScript. */
export function parseSource(path: string, text: string): Program {
  const { program, errors } = parseSync(path, text, { sourceType: 'module' })
  const [error] = errors
  if (error !== undefined) throw new Error(`${path}: ${error.message}`)
  return program
}

/** Visits every node below `node`, parents before children. */
export function walk(node: Node, visit: (node: Node, place: Place) => void): void {
  for (const key of visitorKeys[node.type] ?? []) {
    for (const child of childrenOf(node, key)) {
      visit(child, { parent: node, key })
      walk(child, visit)
    }
  }
}

function childrenOf(node: Node, key: string): Node[] {
  const value = (node as unknown as Record<string, Node | (Node | null)[] | null | undefined>)[key]
  if (Array.isArray(value)) return value.filter((child) => child !== null)
  return value === null || value === undefined ? [] : [value]
}

export interface ImportedModule {
  readonly specifier: string
  readonly offset: number
}

/** What a file imports, statically, dynamically, by re-export or as a type. */
export function importsOf(program: Program): ImportedModule[] {
  const found: ImportedModule[] = []
  walk(program, (node) => {
    if (!('source' in node)) return
    const { source } = node
    if (
      source !== null &&
      typeof source === 'object' &&
      source.type === 'Literal' &&
      typeof source.value === 'string'
    ) {
      found.push({ specifier: source.value, offset: node.start })
    }
  })
  return found
}

/** What the variable `name` of a file is first set to. */
export function initialValue(program: Program, name: string): Node | undefined {
  let value: Node | undefined
  walk(program, (node) => {
    if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier' && node.id.name === name) {
      value = node.init ?? undefined
    }
  })
  return value
}

export interface Entry {
  readonly name: string
  readonly value: Node
}

/** The entries of an object literal, also of `{…} as const satisfies X`; none for anything else. */
export function entriesOf(node: Node | undefined): Entry[] {
  if (node?.type === 'TSAsExpression' || node?.type === 'TSSatisfiesExpression')
    return entriesOf(node.expression)
  if (node?.type !== 'ObjectExpression') return []
  return node.properties.flatMap((property) => {
    if (property.type !== 'Property' || property.computed) return []
    const { key, value } = property
    if (key.type === 'Identifier') return [{ name: key.name, value }]
    return key.type === 'Literal' ? [{ name: String(key.value), value }] : []
  })
}

/** The names a file declares itself, in whatever scope: variables, parameters, functions, classes, imports. */
export function declaredNames(program: Program): Set<string> {
  const names = new Set<string>()
  const declare = (pattern: Node): void => {
    if (pattern.type === 'Identifier') names.add(pattern.name)
    else if (pattern.type === 'AssignmentPattern') declare(pattern.left)
    else if (pattern.type === 'RestElement') declare(pattern.argument)
    else if (pattern.type === 'ArrayPattern') childrenOf(pattern, 'elements').forEach(declare)
    else if (pattern.type === 'ObjectPattern') {
      pattern.properties.forEach((property) =>
        declare(property.type === 'Property' ? property.value : property),
      )
    }
  }
  walk(program, (node, { key }) => {
    if (key === 'params') declare(node)
    else if (node.type === 'VariableDeclarator') declare(node.id)
    else if (node.type === 'CatchClause' && node.param !== null) declare(node.param)
    else if ((node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') && node.id !== null) {
      declare(node.id)
    } else if ('local' in node && node.type !== 'ExportSpecifier') declare(node.local)
  })
  return names
}

const namingKeys = new Set(['key', 'property', 'label', 'imported', 'exported', 'right'])

/** Whether an identifier stands for a value or type in scope, and is not merely the name of a member. */
export function isReference({ parent, key }: Place): boolean {
  if (!namingKeys.has(key)) return true
  if (key === 'right') return parent.type !== 'TSQualifiedName'
  return 'computed' in parent && parent.computed
}
