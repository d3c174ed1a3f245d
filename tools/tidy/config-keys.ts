/**
 * Every configuration key of the program is described in `docs/configuration.md`, by its path in the file.
 * @module
 */
import { type CodeBase, type Finding, lineAt } from './code-base.ts'
import { entriesOf, initialValue, parseSource } from './syntax.ts'

const schemaPath = 'packages/node/src/config/schema.ts'
const docPath = 'docs/configuration.md'

export function configKeyFindings(codeBase: CodeBase): Finding[] {
  const schema = codeBase.get(schemaPath) ?? ''
  const doc = codeBase.get(docPath) ?? ''
  const sections = entriesOf(initialValue(parseSource(schemaPath, schema), 'configKeys'))
  return sections.flatMap((section) =>
    entriesOf(section.value)
      .map(({ name, value }) => ({ key: `${section.name}.${name}`, line: lineAt(schema, value.start) }))
      .filter(({ key }) => !doc.includes(`\`${key}\``))
      .map(({ key, line }) => ({ path: schemaPath, line, message: `${key} is not in ${docPath}` })),
  )
}
