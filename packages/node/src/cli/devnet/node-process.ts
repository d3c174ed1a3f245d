/**
 * One node as a child process: started, watched, stopped.
 * @module
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../main.ts', import.meta.url))

/** From SIGTERM to SIGKILL. */
const STOP_MS = 10_000
const TAIL_LINES = 15

export interface NodeExit {
  readonly name: string
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface NodeProcess {
  readonly name: string
  readonly logFile: string
  /** Its size before this process: what earlier ones wrote. */
  readonly logBytesBefore: number
  /** Resolves when the process has ended, however that came. Never rejects. */
  readonly exited: Promise<NodeExit>
  /** Asks it to end, and makes it end when it does not within ten seconds. */
  stop(): Promise<NodeExit>
}

/**
 * Runs `althing start --config …`; what it prints is added to `logFile`.
 * The child is no member of the terminal's process group, so that Ctrl-C reaches the devnet alone, which then stops its
 * nodes in order. When the devnet itself is killed, the child sees its channel closed and stops.
 */
export async function startNodeProcess(
  name: string,
  configFile: string,
  logFile: string,
): Promise<NodeProcess> {
  const log = await open(logFile, 'a')
  const { size: logBytesBefore } = await log.stat()
  const child = spawn(process.execPath, [PROGRAM, 'start', '--config', configFile], {
    detached: true,
    env: withoutSettings(process.env),
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  })
  const exited = exitOf(name, child)
  await log.close()
  return { name, logFile, logBytesBefore, exited, stop: () => stop(child, exited) }
}

/** ALTHING_API_PORT and its like would give all nodes the same. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('ALTHING_')))
}

function exitOf(name: string, child: ChildProcess): Promise<NodeExit> {
  return new Promise((resolve) => {
    child.once('error', () => resolve({ name, code: 1, signal: null }))
    child.once('exit', (code, signal) => resolve({ name, code, signal }))
  })
}

async function stop(child: ChildProcess, exited: Promise<NodeExit>): Promise<NodeExit> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  const exit = await exited
  clearTimeout(timer)
  return exit
}

/** The last lines that the process wrote; empty when there are none. */
export async function logTail({ logFile, logBytesBefore }: NodeProcess): Promise<string> {
  const bytes = await readFile(logFile).catch(() => Buffer.alloc(0))
  return bytes.subarray(logBytesBefore).toString().trimEnd().split('\n').slice(-TAIL_LINES).join('\n')
}

export function exitText({ name, code, signal }: NodeExit): string {
  return `${name} ended by itself with ${signal === null ? `exit code ${code}` : `signal ${signal}`}`
}
