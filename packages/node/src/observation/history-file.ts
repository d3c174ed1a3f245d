/**
 * The history on disk: one file in the data folder, replaced as a whole. It is of use, not of need: a file that cannot be read is
 * said in the log, and the history begins anew.
 * @module
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import type { Log } from '@althing/base'
import { RESOLUTIONS } from './history.ts'
import type { History, ResolutionName, Ring, Series } from './history.ts'

const VERSION = 1

interface StoredRing {
  /** Base64 of the little-endian numbers, as of all here. */
  readonly stamps: string
  readonly figures: Readonly<Record<string, Readonly<Record<keyof Series, string>>>>
}

/** Fills the history with what the file has; figures that it does not have stay empty. */
export async function readHistory(file: string, history: History<string>, log: Log): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT')
      log.warn('the history cannot be read and begins anew', { file, error: error.message })
    return null
  })
  if (text === null) return
  try {
    const { version, rings } = JSON.parse(text) as { version: number; rings: Record<string, StoredRing> }
    if (version !== VERSION) throw new Error(`version ${version}, not ${VERSION}`)
    for (const name of Object.keys(RESOLUTIONS)) fill(history.rings[name as ResolutionName], rings[name]!)
  } catch (error) {
    log.warn('the history cannot be read and begins anew', { file, error: (error as Error).message })
  }
}

export async function writeHistory(file: string, history: History<string>): Promise<void> {
  const rings = Object.fromEntries(
    Object.entries(history.rings).map(([name, ring]: [string, Ring]): [string, StoredRing] => [
      name,
      {
        stamps: toBase64(ring.stamps),
        figures: Object.fromEntries(
          [...ring.seriesByFigure].map(([figure, { mean, max, counts }]) => [
            figure,
            { mean: toBase64(mean), max: toBase64(max), counts: toBase64(counts) },
          ]),
        ),
      },
    ]),
  )
  const unfinished = `${file}.new`
  await writeFile(unfinished, JSON.stringify({ version: VERSION, rings }))
  await rename(unfinished, file)
}

function fill(ring: Ring, stored: StoredRing): void {
  copy(stored.stamps, ring.stamps)
  for (const [figure, { mean, max, counts }] of ring.seriesByFigure) {
    const found = stored.figures[figure]
    if (found === undefined) continue
    copy(found.mean, mean)
    copy(found.max, max)
    copy(found.counts, counts)
  }
}

function toBase64({ buffer }: Float32Array | Float64Array | Uint32Array): string {
  return Buffer.from(buffer).toString('base64')
}

function copy(base64: string, into: Float32Array | Float64Array | Uint32Array): void {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length !== into.byteLength) throw new Error(`${bytes.length} bytes, not ${into.byteLength}`)
  new Uint8Array(into.buffer).set(bytes)
}
