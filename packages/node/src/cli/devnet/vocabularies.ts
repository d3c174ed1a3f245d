/**
 * The real data of a devnet: every resource that three published vocabularies describe (GS1 Web Vocabulary, PROV-O,
 * schema.org), from their npm packages.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { CliError } from '../failure.ts'
import { resourcesOf } from '../dataset.ts'
import type { Resources } from '../dataset.ts'

const NAMES = ['gs1', 'prov', 'schema'] as const

/** @throws {CliError} `FILE_UNREADABLE` when a package is not installed. */
export function vocabularyFiles(): string[] {
  const require = createRequire(import.meta.url)
  return NAMES.map((name) => {
    try {
      return join(dirname(require.resolve(`@vocabulary/${name}`)), `${name}.nq`)
    } catch (cause) {
      const advice = `npm install @vocabulary/${name}, or leave the data out with --no-data.`
      throw new CliError('FILE_UNREADABLE', `the package @vocabulary/${name} is not installed`, advice, {
        cause,
      })
    }
  })
}

export async function readVocabularies(files: readonly string[]): Promise<Resources> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  return resourcesOf(texts.map((text, i) => ({ name: NAMES[i]!, text })))
}
