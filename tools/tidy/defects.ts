/**
 * The tests that `docs/defects.md` names exist: each is a link to a file and, in quotes, words of the test's
 * title as they stand there.
 * @module
 */
import { posix } from 'node:path'
import { type CodeBase, type Finding, lineAt } from './code-base.ts'

const docPath = 'docs/defects.md'
const namedTest = /\]\(([^)]+\.ts)\) "([^"]+)"/g

export function defectFindings(codeBase: CodeBase): Finding[] {
  const doc = codeBase.get(docPath) ?? ''
  return [...doc.matchAll(namedTest)].flatMap((match) => {
    const [, link = '', title = ''] = match
    const file = posix.join(posix.dirname(docPath), link)
    if (codeBase.get(file)?.includes(title)) return []
    return [{ path: docPath, line: lineAt(doc, match.index), message: `${file} has no test "${title}"` }]
  })
}
