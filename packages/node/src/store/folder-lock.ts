/**
 * Keeps a second process out of a data folder, or away from a key.
 *
 * Lock files are numbered, `<name>.lock.<n>`; the greatest number holds. They are made by linking a written file, which
 * fails when the number is taken, so one process only can follow a dead holder. A holder that finishes leaves its file
 * behind, emptied: were the greatest number ever deleted, a process that had seen it could count on from there and
 * hold beside one that had started anew.
 * Processes of other machines and of other pid namespaces are not seen: one data folder belongs to one machine.
 * @module
 */
import { randomUUID } from 'node:crypto'
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { bytesToHex } from '@althing/base'
import { storeErrorOf, StoreError } from './errors.ts'

export interface Lock {
  /** May be called twice. */
  release(): void
}

interface Holder {
  readonly pid: number
  /** When that process started and on which boot of the machine, so that a pid given again is not taken for it. */
  readonly started: string
}

/** @throws {StoreError} `STORE_LOCKED` names the process; `STORE_UNREADABLE`, `STORE_FULL`. */
export function lockFolder(folder: string): Lock {
  return lockAs(join(folder, 'node'), `The data folder ${folder}`)
}

/**
 * Two nodes that sign with one key would break the chain's safety. Both the file is locked, for whoever shares it, and
 * the key itself, in this user's folder of locks on this machine: so a copy of the file is kept out too. Copies that
 * other users or other machines use are not seen; an external signer with its guard is for those.
 * @throws {StoreError} as `lockFolder`.
 */
export function lockKey(file: string, publicKey: Uint8Array): Lock {
  const ofFile = lockAs(file, `The key file ${file}`)
  try {
    const digits = bytesToHex(publicKey)
    const ofKey = lockAs(join(locksFolder(), digits), `The key ${digits} (in ${file}, or in a copy of it)`)
    const release = (): void => {
      ofKey.release()
      ofFile.release()
    }
    return { release }
  } catch (error) {
    ofFile.release()
    throw error
  }
}

/** Of this user, on this machine. @throws {StoreError} `STORE_UNREADABLE` when somebody else made it. */
function locksFolder(): string {
  const user = process.getuid?.()
  const folder = join(tmpdir(), user === undefined ? 'althing-keys' : `althing-keys-${user}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { uid, mode } = lstatSync(folder)
  if (user !== undefined && (uid !== user || (mode & 0o077) !== 0)) {
    throw new StoreError(
      'STORE_UNREADABLE',
      `${folder}, where locks of keys are kept, is open to other users. Run: chmod 700 '${folder}', or remove it if it is not yours.`,
    )
  }
  return folder
}

function lockAs(path: string, what: string): Lock {
  const prefix = `${basename(path)}.lock.`
  const folder = dirname(resolve(path))
  try {
    mkdirSync(folder, { recursive: true })
    for (;;) {
      const top = greatest(folder, prefix)
      const holder = top === 0 ? undefined : readHolder(join(folder, prefix + top))
      if (holder !== undefined && isRunning(holder)) {
        throw new StoreError(
          'STORE_LOCKED',
          `${what} is in use by process ${holder.pid}. Stop that process first, or use another one.`,
        )
      }
      const file = join(folder, prefix + (top + 1))
      if (!linkHolder(file)) continue
      if (greatest(folder, prefix) === top + 1) {
        removeBelow(folder, prefix, top + 1)
        return { release: () => release(file) }
      }
      rmSync(file, { force: true })
    }
  } catch (error) {
    throw storeErrorOf(folder, error)
  }
}

/** 0 when there is none. */
function greatest(folder: string, prefix: string): number {
  return Math.max(0, ...numbersOf(folder, prefix))
}

function numbersOf(folder: string, prefix: string): number[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && /^[1-9]\d*$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
}

/** @returns false when the number was taken meanwhile. */
function linkHolder(file: string): boolean {
  const draft = `${file}.${randomUUID()}`
  writeFileSync(draft, JSON.stringify(holderOf(process.pid)), { mode: 0o600 })
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft)
  }
}

function release(file: string): void {
  if (existsSync(file)) truncateSync(file)
}

function removeBelow(folder: string, prefix: string, number: number): void {
  for (const lower of numbersOf(folder, prefix)) {
    if (lower < number) rmSync(join(folder, prefix + lower), { force: true })
  }
}

/** Undefined when nobody holds: released, deleted meanwhile, or not written by us. */
function readHolder(file: string): Holder | undefined {
  try {
    const { pid, started } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Holder>
    if (!Number.isSafeInteger(pid) || pid! < 1 || typeof started !== 'string') return undefined
    return { pid: pid!, started }
  } catch {
    return undefined
  }
}

function holderOf(pid: number): Holder {
  return { pid, started: startOf(pid) }
}

function isRunning(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    // EPERM: it runs, as another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return startOf(holder.pid) === holder.started
}

/** Boot id and start time where the system tells (Linux); else the empty string, and the pid alone decides. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field, the program's name in parentheses, may hold anything; the start time is the 22nd.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return 'ended'
    const ticks = fields[19]
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}:${ticks}`
  } catch {
    return ''
  }
}
