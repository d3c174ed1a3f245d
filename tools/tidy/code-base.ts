/**
 * The repository as the tidy rules see it: paths and texts. Rules take this value, so that their tests can
 * plant violations without files.
 * @module
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Text by path; paths are relative to the root and use `/`. */
export type CodeBase = ReadonlyMap<string, string>

export interface Finding {
  readonly path: string
  /** From 1. */
  readonly line: number
  readonly message: string
}

export type Rule = (codeBase: CodeBase) => readonly Finding[]

const patterns = [
  '*.md',
  'docs/**/*.md',
  'package.json',
  'package-lock.json',
  '{packages/*,simulator,test,bench,examples,tools}/**/*.{ts,mjs,md}',
  '{packages/*,simulator,test,bench,spec}/package.json',
]

export function readCodeBase(root: string): CodeBase {
  const paths = globSync(patterns, { cwd: root, exclude: ['**/node_modules'] })
  const sorted = paths.map((path) => path.replaceAll('\\', '/')).sort()
  return new Map(sorted.map((path) => [path, readFileSync(join(root, path), 'utf8')]))
}

/** The TypeScript files whose path starts with one of `prefixes`. */
export function sourcesIn(codeBase: CodeBase, ...prefixes: readonly string[]): (readonly [string, string])[] {
  return [...codeBase].filter(
    ([path]) => path.endsWith('.ts') && prefixes.some((prefix) => path.startsWith(prefix)),
  )
}

/** The line, from 1, of a character offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
