/**
 * The store after a loss of power, at every point of a recorded run: whatever of the writes since the last flush
 * reached the disk, in any order and torn at sectors, the store opens and holds exactly a prefix of the commits that
 * has at least all that were called durable (S1, S2).
 */
import { strict as assert } from 'node:assert'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openLmdbStore } from '../src/store/lmdb.ts'
import { unevenOptions, unevenPages } from './uneven-commits.ts'

const COMMITS = 24
const SECTOR_BYTES = 512
/** Disks that are drawn for each point, besides the one that has nothing and the one that has all. */
const DRAWN = 2
/** Of the writes between two flushes. */
const LOOK_EVERY = 4

type Operation =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Buffer; readonly isDurable: boolean }
  | { readonly kind: 'flush' }
  | { readonly kind: 'resize'; readonly length: number }
  /** The program called the commits up to this height durable. */
  | { readonly kind: 'said'; readonly height: number }

const skip =
  process.platform !== 'linux'
    ? 'needs LD_PRELOAD'
    : spawnSync('gcc', ['--version']).status !== 0 && 'needs gcc, to build the recorder of writes'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'althing-power-'))
})
after(() => rmSync(folder, { recursive: true }))

test('a store is whole after a loss of power at any point', { skip, timeout: 120_000 }, async () => {
  const operations = await record()
  const kinds = Map.groupBy(operations, ({ kind }) => kind)
  assert.equal(kinds.get('said')?.length, COMMITS)
  assert.ok(kinds.get('flush')!.length > COMMITS, 'each commit is flushed')
  assert.ok(kinds.has('resize'), 'the file is made longer than what is in it')

  const random = lcg(1)
  let durable: Disk = { bytes: Buffer.alloc(0), length: 0 }
  let pending: Operation[] = []
  let said = -1
  let looked = 0
  for (const operation of operations) {
    if (operation.kind === 'said') said = operation.height
    else if (operation.kind === 'flush') {
      durable = changed(durable, pending)
      pending = []
    } else if (operation.kind === 'write' && operation.isDurable) durable = changed(durable, [operation])
    else pending.push(operation)
    // Before its first flush a new file may be empty; it says that it cannot be used, and is made anew.
    if (durable.length === 0 || (pending.length % LOOK_EVERY !== 0 && operation === pending.at(-1))) continue
    const disks = [durable, changed(durable, pending)]
    while (pending.length > 0 && disks.length < 2 + DRAWN) disks.push(drawDisk(durable, pending, random))
    for (const disk of pending.length === 0 ? [durable] : disks) {
      await assertWhole(disk, said, `operation ${operations.indexOf(operation)}, ${operation.kind}`)
      looked += 1
    }
  }
  assert.ok(looked > 200, `${looked} disks`)
})

/** Runs the program under the recorder. */
async function record(): Promise<Operation[]> {
  const recorder = join(folder, 'record-writes.so')
  const source = fileURLToPath(new URL('record-writes.c', import.meta.url))
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', recorder, source, '-ldl', '-lpthread'])
  const program = fileURLToPath(new URL('uneven-commits.ts', import.meta.url))
  const data = join(folder, 'recorded')
  const log = join(folder, 'log')
  mkdirSync(data)
  const environment = { RECORD_FILE: join(data, 'chain.mdb'), RECORD_LOG: log, LD_PRELOAD: recorder }
  const child = spawn(process.execPath, [program, data, `${COMMITS}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
  child.stdout.resume()
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  assert.equal(signal, 'SIGKILL', 'it ends itself without closing the store')
  return operationsIn(readFileSync(log))
}

function operationsIn(log: Buffer): Operation[] {
  const operations: Operation[] = []
  for (let at = 0; at < log.length;) {
    const kind = String.fromCharCode(log[at]!)
    const offset = Number(log.readBigUInt64LE(at + 1))
    const end = at + 17 + Number(log.readBigUInt64LE(at + 9))
    const bytes = log.subarray(at + 17, end)
    at = end
    if (kind === 'w' || kind === 'd')
      operations.push({ kind: 'write', offset, bytes, isDurable: kind === 'd' })
    else if (kind === 's') operations.push({ kind: 'flush' })
    else if (kind === 't') operations.push({ kind: 'resize', length: offset })
    else operations.push({ kind: 'said', height: Number(bytes.toString().trim().split('\n').at(-1)) })
  }
  return operations
}

/** What a file has: bytes as far as any were written, and zeros from there to its length. */
interface Disk {
  readonly bytes: Buffer
  readonly length: number
}

/** The disk after these operations, in this order. */
function changed(disk: Disk, operations: readonly Operation[]): Disk {
  let { length } = disk
  let written = disk.bytes.length
  for (const operation of operations) {
    if (operation.kind === 'resize') length = operation.length
    if (operation.kind !== 'write') continue
    written = Math.max(written, operation.offset + operation.bytes.length)
    length = Math.max(length, written)
  }
  const bytes = Buffer.alloc(written)
  disk.bytes.copy(bytes)
  for (const operation of operations)
    if (operation.kind === 'write') operation.bytes.copy(bytes, operation.offset)
  return { bytes, length }
}

/** Some of the pending operations happened, in some order, and of writes some sectors. */
function drawDisk(durable: Disk, pending: readonly Operation[], random: () => number): Disk {
  const happened = pending.flatMap((operation) =>
    operation.kind === 'write' ? sectorsOf(operation) : [operation],
  )
  const drawn = happened.filter(() => random() < 0.5).map((operation) => ({ operation, key: random() }))
  drawn.sort((a, b) => a.key - b.key)
  return changed(
    durable,
    drawn.map(({ operation }) => operation),
  )
}

function sectorsOf(write: Extract<Operation, { kind: 'write' }>): Operation[] {
  const count = Math.ceil(write.bytes.length / SECTOR_BYTES)
  return Array.from({ length: count }, (_, index) => ({
    ...write,
    offset: write.offset + index * SECTOR_BYTES,
    bytes: write.bytes.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES),
  }))
}

async function assertWhole(disk: Disk, said: number, where: string): Promise<void> {
  const path = mkdtempSync(join(folder, 'disk-'))
  const file = join(path, 'chain.mdb')
  writeFileSync(file, disk.bytes)
  truncateSync(file, disk.length)
  const store = await openLmdbStore(path, unevenOptions).catch((error: Error) =>
    assert.fail(`after ${where}: ${error.message}`),
  )
  try {
    const { height } = store
    assert.ok(height >= said, `${where}: said ${said}, found ${height}`)
    for (let each = 0; each <= height; each++)
      assert.equal(store.byHeight(each)?.block.header.height, each, where)
    assert.equal(store.byHeight(height + 1), undefined, where)
    const pages = height < 0 ? [] : unevenPages(height)
    for (const [id, content] of pages) assert.ok(Buffer.from(content).equals(store.readPage(id)!), where)
  } finally {
    await store.close()
    rmSync(path, { recursive: true })
  }
}

/** A small generator: what is drawn is the same each time. */
function lcg(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
}
