/**
 * Every configuration key of the program is described in `docs/configuration.md`: as a row below the heading of
 * its section.
 * @module
 */
import { type CodeBase, type Finding, lineAt } from './code-base.ts'
import { entriesOf, initialValue, parseSource } from './syntax.ts'

const schemaPath = 'packages/node/src/config/schema.ts'
const docPath = 'docs/configuration.md'

export function configKeyFindings(codeBase: CodeBase): Finding[] {
  const schema = codeBase.get(schemaPath) ?? ''
  const documented = documentedKeys(codeBase.get(docPath) ?? '')
  const sections = entriesOf(initialValue(parseSource(schemaPath, schema), 'configKeys'))
  if (sections.length === 0) return [{ path: schemaPath, line: 1, message: 'has no table configKeys' }]
  return sections.flatMap((section) =>
    entriesOf(section.value)
      .map(({ name, value }) => ({ key: `${section.name}.${name}`, line: lineAt(schema, value.start) }))
      .filter(({ key }) => !documented.has(key))
      .map(({ key, line }) => ({ path: schemaPath, line, message: `${key} is not in ${docPath}` })),
  )
}

/** `network.id` for the row of `id` below the heading `## [network]`. */
function documentedKeys(doc: string): Set<string> {
  const sections = doc.split(/^## /m).map((section) => ({
    name: /^\[(\w+)\]/.exec(section)?.[1],
    keys: [...section.matchAll(/^\| `(\w+)` \|/gm)].map((row) => row[1]),
  }))
  return new Set(sections.flatMap(({ name, keys }) => keys.map((key) => `${name}.${key}`)))
}
