/**
 * What another process uses, as the operating system tells it: all its threads together.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Linux counts in hundredths of a second, whatever the kernel's own clock. */
const LINUX_TICK_MS = 10

/** CPU time since the process began, user and system. Resolution: 10 ms on Linux, down to a second elsewhere. */
export function cpuMsOf(pid: number): number {
  if (process.platform !== 'linux') return parseCpuTime(ps('cputime', pid))
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // After the name in parentheses, which may hold spaces: state is field 3, utime 14, stime 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * LINUX_TICK_MS
}

/** Memory of its own: `RssAnon` on Linux, so without mapped files; elsewhere the resident size, which has those too. */
export function memoryBytesOf(pid: number): number {
  if (process.platform !== 'linux') return Number(ps('rss', pid)) * 1024
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const found = /^RssAnon:\s+(\d+) kB$/m.exec(status)
  if (found === null) throw new Error(`/proc/${pid}/status has no RssAnon: the kernel is older than 4.5`)
  return Number(found[1]) * 1024
}

function ps(field: 'cputime' | 'rss', pid: number): string {
  return execFileSync('ps', ['-o', `${field}=`, '-p', `${pid}`], { encoding: 'utf8' }).trim()
}

/** `[[days-]hours:]minutes:seconds[.hundredths]`, as `ps` of POSIX and of macOS write it. */
function parseCpuTime(text: string): number {
  const [time = '', days = '0'] = text.split('-').reverse()
  const seconds = time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  return (Number(days) * 86_400 + seconds) * 1000
}
