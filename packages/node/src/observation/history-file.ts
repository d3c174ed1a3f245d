/**
 * The history on disk: one file in the data folder, replaced as a whole. It is of use, not of need: a file that cannot be read is
 * said in the log, and the history begins anew.
 *
 *     a line of JSON   { version, figures }
 *     for each resolution: stamps; for each figure: means, maxima, counts. Numbers as in memory, little-endian
 * @module
 */
import { open, readFile, rename } from 'node:fs/promises'
import type { Log } from '@althing/base'
import { History, RESOLUTIONS } from './history.ts'
import type { ResolutionName } from './history.ts'

const VERSION = 1
const RESOLUTION_NAMES = Object.keys(RESOLUTIONS) as ResolutionName[]
const NEWLINE = 0x0a

/** Fills the history with what the file has; figures that it does not have stay empty. */
export async function readHistory(file: string, history: History<string>, log: Log): Promise<void> {
  try {
    copyFigures(decode(await readFile(file)), history)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    log.warn('the history cannot be read and begins anew', { file, error: (error as Error).message })
  }
}

/** Samples that come while it writes may or may not be in it. */
export async function writeHistory(file: string, history: History<string>): Promise<void> {
  const unfinished = `${file}.new`
  const header = `${JSON.stringify({ version: VERSION, figures: history.figures })}\n`
  const handle = await open(unfinished, 'w')
  try {
    await handle.writev([Buffer.from(header), ...arraysOf(history)])
  } finally {
    await handle.close()
  }
  await rename(unfinished, file)
}

function decode(bytes: Buffer): History<string> {
  const end = bytes.indexOf(NEWLINE)
  const { version, figures } = JSON.parse(bytes.toString('utf8', 0, Math.max(0, end))) as {
    version: number
    figures: string[]
  }
  if (version !== VERSION) throw new Error(`it has version ${version}, not ${VERSION}`)
  const stored = new History(figures)
  let offset = end + 1
  const length = offset + arraysOf(stored).reduce((sum, { byteLength }) => sum + byteLength, 0)
  if (bytes.length !== length) throw new Error(`it has ${bytes.length} bytes, not ${length}`)
  for (const array of arraysOf(stored)) {
    array.set(bytes.subarray(offset, offset + array.length))
    offset += array.length
  }
  return stored
}

/** All numbers, in the order of the file. */
function arraysOf({ rings }: History<string>): Uint8Array[] {
  return RESOLUTION_NAMES.flatMap((name) => {
    const { stamps, seriesByFigure } = rings[name]
    const series = [...seriesByFigure.values()].flatMap(({ mean, max, counts }) => [mean, max, counts])
    return [stamps, ...series].map(({ buffer }) => new Uint8Array(buffer))
  })
}

function copyFigures(from: History<string>, to: History<string>): void {
  for (const name of RESOLUTION_NAMES) {
    const [source, target] = [from.rings[name], to.rings[name]]
    target.stamps.set(source.stamps)
    for (const [figure, { mean, max, counts }] of target.seriesByFigure) {
      const stored = source.seriesByFigure.get(figure)
      if (stored === undefined) continue
      mean.set(stored.mean)
      max.set(stored.max)
      counts.set(stored.counts)
    }
  }
}
