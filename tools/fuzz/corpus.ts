/**
 * The targets of the code base, and the inputs kept for each: a text file beside it, one input a line, hexadecimal.
 * @module
 */
import { readFile, writeFile, mkdir, readdir } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Target } from './engine.ts'

export interface FoundTarget {
  /** `<package>/<export>`. */
  readonly name: string
  readonly exportName: string
  readonly file: string
  readonly target: Target
}

const packages = join(import.meta.dirname, '..', '..', 'packages')
/** Of one target; the oldest stay. */
const CORPUS_MAX = 256

export async function targetsOf(): Promise<FoundTarget[]> {
  const found: FoundTarget[] = []
  for (const name of await readdir(packages)) {
    const folder = join(packages, name, 'fuzz')
    if (!existsSync(folder)) continue
    for (const entry of (await readdir(folder)).filter((file) => file.endsWith('.fuzz.ts'))) {
      const file = join(folder, entry)
      const { targets } = (await import(file)) as { readonly targets: Readonly<Record<string, Target>> }
      for (const [exportName, target] of Object.entries(targets)) {
        found.push({ name: `${name}/${exportName}`, exportName, file, target })
      }
    }
  }
  return found
}

export async function readCorpus(target: FoundTarget): Promise<Uint8Array[]> {
  const file = corpusFile(target)
  if (!existsSync(file)) return []
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
  return lines.map((line) => Uint8Array.from(Buffer.from(line, 'hex')))
}

export async function writeCorpus(target: FoundTarget, inputs: readonly Uint8Array[]): Promise<void> {
  if (inputs.length === 0) return
  const file = corpusFile(target)
  await mkdir(dirname(file), { recursive: true })
  const lines = inputs.slice(0, CORPUS_MAX).map((input) => Buffer.from(input).toString('hex'))
  await writeFile(file, lines.join('\n') + '\n')
}

function corpusFile({ file, exportName }: FoundTarget): string {
  return join(dirname(file), 'corpus', `${exportName}.txt`)
}
