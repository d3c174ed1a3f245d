/**
 * Brings the vocabularies into a devnet's chain, and has an independent process check that they are there.
 * @module
 */
import { spawn } from 'node:child_process'
import { text as readText } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { bytesToHex, utf8ToBytes } from '@althing/base'
import { bytesToBase64, fetchTrusted } from '@althing/client'
import { loadSigner } from '../../keys/index.ts'
import type { Entry } from '../dataset.ts'
import type { CheckReport } from '../devnet-check.ts'
import { CliError } from '../failure.ts'
import { loadEntries } from '../load.ts'
import type { Loaded } from '../load.ts'
import { accountKeyFile } from '../network-files.ts'
import { SENDERS } from './folder.ts'
import type { Devnet } from './folder.ts'
import type { RunningDevnet } from './network.ts'

const GETS_AT_ONCE = 16
const CHECK = fileURLToPath(new URL('../devnet-check.ts', import.meta.url))

/** The entries that the chain does not have, or not like this. */
export async function missingEntries(
  entries: readonly Entry[],
  network: RunningDevnet,
  onDone: (keys: number) => void,
  signal: AbortSignal,
): Promise<Entry[]> {
  const missing: Entry[] = []
  const waiting = entries.values()
  let done = 0
  const work = async (turn: number): Promise<void> => {
    const { client } = network.nodes[turn % network.nodes.length]!
    for (const entry of waiting) {
      const { value } = await client.kv(entry.key, { proof: false, signal })
      if (value !== bytesToBase64(utf8ToBytes(entry.value))) missing.push(entry)
      onDone(++done)
    }
  }
  await Promise.all(Array.from({ length: GETS_AT_ONCE }, (_, turn) => work(turn)))
  return missing
}

/** Resolves when all are final on all nodes; the time says so. @throws {CliError} */
export async function loadData(
  entries: readonly Entry[],
  devnet: Devnet,
  network: RunningDevnet,
  onFinal: (keys: number) => void,
  signal: AbortSignal,
): Promise<Loaded> {
  const startMs = performance.now()
  const signers = await Promise.all(SENDERS.map((name) => loadSigner(accountKeyFile(devnet.folder, name))))
  const trusted = await fetchTrusted(network.clients[0]!, devnet.genesisHash)
  const loaded = await loadEntries(entries, { clients: network.clients, signers, trusted, onFinal, signal })
  await network.waitForHeight(loaded.height, signal)
  return { ...loaded, elapsedMs: performance.now() - startMs }
}

/**
 * Runs the check as a process that is told addresses, genesis hash and files, and nothing else.
 * @throws {CliError} `CHECK_FAILED` when something does not hold, or the check could not be made.
 */
export async function checkData(
  files: readonly string[],
  devnet: Devnet,
  network: RunningDevnet,
  signal: AbortSignal,
): Promise<CheckReport> {
  const args = [
    '--genesis',
    bytesToHex(devnet.genesisHash),
    ...files.flatMap((file) => ['--file', file]),
    ...network.clients.flatMap((client) => ['--api', client.url.origin]),
  ]
  const child = spawn(process.execPath, [CHECK, ...args], { signal, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', () => resolve())
  })
  const [stdout, stderr] = await Promise.all([readText(child.stdout), readText(child.stderr), ended])
  if (stdout === '') throw new CliError('CHECK_FAILED', 'the check could not be made', stderr.trim())
  const report = JSON.parse(stdout) as CheckReport
  if (report.ok) return report
  throw new CliError(
    'CHECK_FAILED',
    report.problems.join('\n'),
    'Keep the data folder, and report what it says.',
  )
}
