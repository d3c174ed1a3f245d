/**
 * A progress bar on stderr: redrawn in place in a terminal; in a pipe one plain line a quarter.
 * @module
 */
import { formatCount } from './output.ts'

const BAR_CELLS = 30
const PLAIN_STEPS = 4

export interface ProgressBar {
  /** @param done never less than before. */
  show(done: number): void
  /** Ends the line. */
  end(): void
}

export function progressBar(
  total: number,
  unit: string,
  stream: NodeJS.WriteStream = process.stderr,
): ProgressBar {
  let step = 0
  let hasLine = false
  return {
    show(done) {
      if (stream.isTTY) {
        stream.write(`\r${barLine(done, total, unit)}`)
        hasLine = true
        return
      }
      const reached = Math.floor((done / total) * PLAIN_STEPS)
      if (reached > step) stream.write(`${formatCount(done)} of ${formatCount(total)} ${unit}\n`)
      step = Math.max(step, reached)
    },
    end() {
      if (hasLine) stream.write('\n')
      hasLine = false
    },
  }
}

export function barLine(done: number, total: number, unit: string): string {
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.floor(share * BAR_CELLS)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled)
  const percent = `${Math.floor(share * 100)} %`.padStart(5)
  return `${bar} ${percent}  ${formatCount(done)} of ${formatCount(total)} ${unit}`
}
