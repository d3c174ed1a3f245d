/**
 * A graph in a folder: `statements.nq` for everybody, `provenance.tsv` with the height and the signer of each line of it,
 * and `mirror.json`, which says what they are a copy of. Whatever of them is lost or damaged costs as much to make good
 * as it differs: nothing here is believed by the next synchronisation.
 * @module
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesToHex, hexToBytes, readCanonicalQuad } from '@althing/base'
import { entryOfStatement, EntrySet, statementOfEntry } from '@althing/client'
import type { ProvedEntry } from '@althing/base'
import { CliError } from './failure.ts'

export interface MirrorInfo {
  /** IRI. */
  readonly graph: string
  /** Hash of block 0, in hexadecimal digits. */
  readonly genesis: string
  /** Of the block after which the graph was this. */
  readonly height: number
  /** Of the graph, in hexadecimal digits; it was proved when this was written. */
  readonly root: string
  readonly statements: number
}

export class MirrorFolder {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** @returns null when there is none yet. @throws {CliError} `FILE_UNREADABLE`. */
  async info(): Promise<MirrorInfo | null> {
    const text = await this.#read('mirror.json')
    if (text === null) return null
    try {
      return JSON.parse(text) as MirrorInfo
    } catch (cause) {
      throw new CliError('FILE_UNREADABLE', `${join(this.#folder, 'mirror.json')} is no JSON`, 'Remove it.', {
        cause,
      })
    }
  }

  /** What the lines say that can be read. */
  async entries(graph: string): Promise<EntrySet> {
    const statements = linesOf(await this.#read('statements.nq'))
    const provenance = linesOf(await this.#read('provenance.tsv'))
    const byKey = new Map<string, ProvedEntry>()
    for (const [index, line] of statements.entries()) {
      const entry = entryOf(graph, line, provenance[index] ?? '')
      if (entry !== null) byKey.set(bytesToHex(entry.key), entry)
    }
    return new EntrySet(byKey.values())
  }

  async write(info: MirrorInfo, { entries }: EntrySet): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const statements: string[] = []
    const provenance: string[] = []
    for (const entry of entries) {
      const { text, height, sender } = statementOfEntry(entry)
      statements.push(`${text} <${info.graph}> .\n`)
      provenance.push(`${height}\t${bytesToHex(sender)}\n`)
    }
    await this.#write('statements.nq', statements.join(''))
    await this.#write('provenance.tsv', provenance.join(''))
    await this.#write('mirror.json', `${JSON.stringify(info, null, 2)}\n`)
  }

  async #read(name: string): Promise<string | null> {
    const file = join(this.#folder, name)
    try {
      return await readFile(file, 'utf8')
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw new CliError('FILE_UNREADABLE', `${file} cannot be read: ${(cause as Error).message}`, '', {
        cause,
      })
    }
  }

  async #write(name: string, text: string): Promise<void> {
    const file = join(this.#folder, name)
    await writeFile(`${file}.new`, text)
    await rename(`${file}.new`, file)
  }
}

/** Of another graph, or without who signed it and when, a line counts as missing. */
function entryOf(graph: string, line: string, provenance: string): ProvedEntry | null {
  const quad = readCanonicalQuad(line)
  const [height = '', digits = ''] = provenance.split('\t')
  const sender = hexToBytes(digits)
  const isWhole =
    quad.ok && quad.value.graph === `<${graph}>` && /^\d{1,15}$/.test(height) && sender?.length === 32
  if (!isWhole) return null
  const { subject, predicate, object } = quad.value
  return entryOfStatement(graph, {
    text: `${subject} ${predicate} ${object}`,
    height: Number(height),
    sender,
  })
}

function linesOf(text: string | null): string[] {
  const lines = text?.split('\n') ?? []
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}
