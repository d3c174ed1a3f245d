/**
 * Files stay small enough to read: at most 600 lines, or a reason why not.
 * @module
 */
import type { CodeBase, Finding } from './code-base.ts'

const linesMax = 600

/** Why a file may be longer, by path. */
const reasonByPath: Readonly<Record<string, string>> = {}

export function fileSizeFindings(codeBase: CodeBase): Finding[] {
  return [...codeBase].flatMap(([path, text]) => {
    if (!/\.(ts|mjs)$/.test(path) || path in reasonByPath) return []
    const lines = text.split('\n').length - 1
    return lines <= linesMax ? [] : [{ path, line: linesMax, message: `${lines} lines, at most ${linesMax}` }]
  })
}
