/**
 * The text of a configuration file, as the table that it says: TOML, or YAML where the name ends so (PO-7).
 * @module
 */
import { extname } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { LineCounter, parseDocument } from 'yaml'
import { ConfigError } from './errors.ts'

type Table = Readonly<Record<string, unknown>>

const YAML_ENDINGS: ReadonlySet<string> = new Set(['.yaml', '.yml'])
/** A file of aliases that name aliases would grow without bound. */
const YAML_ALIASES_MAX = 100

/** @param name of the file. @throws {ConfigError} `CONFIG_SYNTAX`. */
export function parseFileText(text: string, name: string): Table {
  return YAML_ENDINGS.has(extname(name).toLowerCase()) ? parseYaml(text, name) : parseToml(text, name)
}

function parseToml(text: string, name: string): Table {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [what] = error.message.split('\n')
    throw syntaxError(name, error.line, error.column, what!, error)
  }
}

function parseYaml(text: string, name: string): Table {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const [error] = document.errors
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0])
    throw syntaxError(name, line, col, error.message, error)
  }
  let table: unknown
  try {
    table = document.toJS({ maxAliasCount: YAML_ALIASES_MAX })
  } catch (cause) {
    throw syntaxError(name, 1, 1, (cause as Error).message, cause)
  }
  if (table === null) return {}
  if (typeof table === 'object' && !Array.isArray(table)) return table as Table
  throw syntaxError(
    name,
    1,
    1,
    `found ${Array.isArray(table) ? 'a list' : typeof table}, expected sections with keys`,
  )
}

function syntaxError(name: string, line: number, column: number, what: string, cause?: unknown): ConfigError {
  const message = `line ${line}, column ${column}: ${what}`
  return new ConfigError('CONFIG_SYNTAX', name, [{ path: '', message }], { cause })
}
