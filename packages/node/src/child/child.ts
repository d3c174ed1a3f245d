/**
 * Work that may have to be stopped in the middle, in a process of its own. Threads will not do for WebAssembly: ending one
 * while it compiles brings the whole process down now and then (V8: `jit_page_->allocations_.erase`).
 * C1  a child can be ended at any moment, and nothing else is harmed
 * C2  a child ends when its parent has ended, however that came, and whatever it is doing
 * C3  a child does not keep its parent running
 * @module
 */
import { execFile, fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

export class Child<Order, Answer> {
  readonly #process: ChildProcess
  readonly #ended: Promise<string>
  #endReason = ''

  /** @param file a module that calls `serveParent`. @param heapMb of JavaScript, in MiB. */
  constructor(file: URL, heapMb: number, onAnswer: (answer: Answer) => void) {
    const environment = { ...process.env }
    delete environment.NODE_TEST_CONTEXT // a child of a test is no test
    const child = fork(file, {
      serialization: 'advanced',
      execArgv: [`--max-old-space-size=${heapMb}`],
      env: environment,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    child.unref()
    child.channel?.unref()
    child.on('message', (answer) => onAnswer(answer as Answer))
    child.on('error', (error) => (this.#endReason ||= error.message))
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#endReason ||= signal === null ? `exit code ${code}` : `ended by ${signal}`
        resolve(this.#endReason)
      })
      child.once('error', () => resolve(this.#endReason))
    })
    this.#process = child
  }

  /** Resolves with the reason. */
  get ended(): Promise<string> {
    return this.#ended
  }

  /** Empty while it runs. */
  get endReason(): string {
    return this.#endReason
  }

  /** Orders are taken one after the other. Without effect when it has ended. */
  send(order: Order): void {
    if (this.#endReason !== '' || !this.#process.connected) return
    this.#process.send(order as Parameters<ChildProcess['send']>[0], () => {})
  }

  /** In memory now; null when it has ended, or the system does not tell. */
  async memoryBytes(): Promise<number | null> {
    const { pid } = this.#process
    return pid === undefined || this.#endReason !== '' ? null : memoryBytesOf(pid)
  }

  /** Resolves when it is gone. */
  async end(reason: string): Promise<void> {
    this.#endReason ||= reason
    this.#process.kill('SIGKILL')
    await this.#ended
  }
}

const PAGE_BYTES = 4_096
const KIB = 1_024
const run = promisify(execFile)

async function memoryBytesOf(pid: number): Promise<number | null> {
  try {
    if (process.platform === 'linux') {
      const [, residentPages] = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')
      return Number(residentPages) * PAGE_BYTES
    }
    const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)])
    return Number(stdout) * KIB
  } catch {
    return null
  }
}
