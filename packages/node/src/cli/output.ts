/**
 * What a command prints: text for people, or one JSON value with `--json`. Results go to stdout; notes and progress
 * to stderr, so that results can be piped.
 * @module
 */
import { styleText } from 'node:util'

export type Style = Parameters<typeof styleText>[0]

export interface Output {
  readonly isJson: boolean
  /** A result: `text` for people (null: nothing), `value` with `--json`. */
  result(text: string | null, value: unknown): void
  /** Said to people only. */
  note(text: string): void
}

export function createOutput(options: { readonly json?: boolean }): Output {
  const isJson = options.json === true
  return {
    isJson,
    result(text, value) {
      const shown = isJson ? JSON.stringify(value, null, 2) : text
      if (shown !== null) process.stdout.write(`${shown}\n`)
    },
    note(text) {
      if (!isJson) process.stderr.write(`${text}\n`)
    },
  }
}

/** Coloured when `stream` is a terminal that shows colours; NO_COLOR and FORCE_COLOR are respected. */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream })
}

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** Lines of a table: the titles, then the rows, in columns two spaces apart. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const titles = columns.map(({ title }) => title)
  const widths = columns.map((_, i) => Math.max(...[titles, ...rows].map((row) => (row[i] ?? '').length)))
  const line = (row: readonly string[]): string =>
    columns
      .map(({ align }, i) => {
        const cell = row[i] ?? ''
        return align === 'right' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
      })
      .join('  ')
      .trimEnd()
  return [titles, ...rows].map(line)
}

export function formatMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`
}

/** Whole numbers, with thousands separated. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}

/** "1 node", "5 nodes". @param plural default: the noun and an s. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`
}
