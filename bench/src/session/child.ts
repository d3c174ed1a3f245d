/**
 * A process of a benchmark, which ends with whoever started it.
 * @module
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export class Child implements Disposable {
  readonly #process: ChildProcess
  readonly #name: string
  readonly #ended: Promise<never>

  /**
   * @param file of this folder.
   * @param through what runs it, as `ip netns exec <name>`.
   */
  constructor(file: string, args: readonly string[], through: readonly string[] = []) {
    const [command, ...rest] = [
      ...through,
      process.execPath,
      '--expose-gc',
      join(import.meta.dirname, file),
      ...args,
    ]
    this.#name = file
    this.#process = spawn(command!, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#ended = once(this.#process, 'exit').then(([code]) => {
      throw new Error(`${this.#name} ended with code ${code}`)
    })
    this.#ended.catch(() => {})
  }

  get pid(): number {
    return this.#process.pid!
  }

  /** Its next message. @throws when it ends instead. */
  async said<Said>(): Promise<Said> {
    const [message] = (await Promise.race([once(this.#process, 'message'), this.#ended])) as [Said]
    return message
  }

  ask<Said>(question: string): Promise<Said> {
    const answer = this.said<Said>()
    this.#process.send(question)
    return answer
  }

  [Symbol.dispose](): void {
    if (this.#process.connected) this.#process.disconnect()
  }
}
