/**
 * Relative links in the documentation lead to files and headings that exist.
 * @module
 */
import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import { type CodeBase, type Finding, lineAt } from './code-base.ts'

const link = /\[[^\]]*\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g
const code = /```.*?```|`[^`\n]*`/gs

/** @param exists Whether a path outside the code base's texts (a picture, a folder) exists. */
export function docLinkFindings(
  codeBase: CodeBase,
  exists: (path: string) => boolean = existsSync,
): Finding[] {
  return [...codeBase].flatMap(([path, text]) => {
    if (!path.endsWith('.md')) return []
    const prose = withoutCode(text)
    return [...prose.matchAll(link)].flatMap((match) => {
      const target = match[1] ?? ''
      const line = lineAt(text, match.index)
      if (/^[a-z]+:/.test(target)) return []
      const [file = '', heading] = target.split('#')
      const resolved = file === '' ? path : posix.join(posix.dirname(path), file)
      if (!codeBase.has(resolved) && !exists(resolved))
        return [{ path, line, message: `${target} does not exist` }]
      if (heading === undefined || headingsOf(codeBase.get(resolved) ?? '').has(heading)) return []
      return [{ path, line, message: `${resolved} has no heading #${heading}` }]
    })
  })
}

/** The text with code blanked out, every other character where it was. */
function withoutCode(text: string): string {
  return text.replace(code, (part) => part.replace(/[^\n]/g, ' '))
}

/** The anchors that GitHub gives to the headings of a page. */
function headingsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map((match) => match[1] ?? '')
  return new Set(
    headings.map((title) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}
