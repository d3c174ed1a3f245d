/**
 * What happened in a run: a hash over all of it, by which two runs of one seed are compared, and the last steps in
 * words.
 * @module
 */

/** Tells a subject, and the host that it came from or what else number goes with it. */
type Describe<Subject> = (subject: Subject, from: number) => string

/** Kept in place of an older one: nothing is allocated for a step. */
interface Step {
  atMs: number
  host: number
  subject: unknown
  from: number
  describe: Describe<never>
}

export class Trace {
  readonly #lastSteps: Step[] = []
  readonly #stepsMax: number
  #next = 0
  #a = 0x811c9dc5
  #b = 0x2545f491

  /** @param stepsMax steps kept for the transcript. */
  constructor(stepsMax: number) {
    this.#stepsMax = stepsMax
  }

  /** @param describe called only when the transcript is asked for. */
  step<Subject>(
    atMs: number,
    host: number,
    subject: Subject,
    from: number,
    describe: Describe<Subject>,
  ): void {
    const step = this.#lastSteps[this.#next]
    if (step === undefined) this.#lastSteps[this.#next] = { atMs, host, subject, from, describe }
    else {
      step.atMs = atMs
      step.host = host
      step.subject = subject
      step.from = from
      step.describe = describe
    }
    this.#next = (this.#next + 1) % this.#stepsMax
  }

  /** Mixes numbers that identify a step into the hash (FNV-1a, twice, with different starts). */
  mix(...values: readonly number[]): void {
    for (const value of values) {
      this.#a = Math.imul(this.#a ^ (value | 0), 0x01000193)
      this.#b = Math.imul(this.#b ^ (value * 16 + (this.#a >>> 28)), 0x01000193)
    }
  }

  /** 16 hexadecimal digits. */
  get hash(): string {
    return [this.#a, this.#b].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  }

  /** The last steps, oldest first, one a line. */
  transcript(): string[] {
    const ordered = [...this.#lastSteps.slice(this.#next), ...this.#lastSteps.slice(0, this.#next)]
    return ordered.map(
      (step) =>
        `${(step.atMs / 1000).toFixed(3).padStart(9)} s  ${nameOf(step.host)}  ${step.describe(step.subject as never, step.from)}`,
    )
  }
}

/** FNV-1a. */
export function digestOf(bytes: Uint8Array): number {
  let digest = 0x811c9dc5
  for (let i = 0; i < bytes.length; i++) digest = Math.imul(digest ^ bytes[i]!, 0x01000193)
  return digest
}

function nameOf(host: number): string {
  return host < 0 ? 'world ' : `host ${host}`
}
