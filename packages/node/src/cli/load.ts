/**
 * Writes much: several operations to a transaction, several senders, spread over several nodes.
 * @module
 */
import { utf8ToBytes } from '@althing/base'
import { ApiError, kvPut, packOperations, Sender } from '@althing/client'
import type {
  AlthingClient,
  Operation,
  SignedTransaction,
  Signer,
  SubmissionJson,
  Trusted,
} from '@althing/client'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Entry } from './dataset.ts'
import { CliError } from './failure.ts'
import { formatMs } from './output.ts'

export interface LoadOptions {
  /** Senders take turns on them. */
  readonly clients: readonly AlthingClient[]
  /** Accounts that may write; more of them send more at once. */
  readonly signers: readonly Signer[]
  readonly trusted: Trusted
  /** Of each transaction; default: the genesis' least fee. */
  readonly fee?: bigint | undefined
  /** Told again and again: how many keys or statements are final. */
  readonly onFinal?: (units: number) => void
  readonly signal?: AbortSignal | undefined
}

export interface Loaded {
  readonly transactions: number
  /** Of the last block that holds one of them. */
  readonly height: number
  /** From the first hand-in until all are final. */
  readonly elapsedMs: number
}

/** Of the operations of one transaction: small enough that blocks fill well. */
const TRANSACTION_BYTES = 65_536
const POLL_MS = 200
const BUSY_WAIT_MS = 200
/** Without a final block for so long, the load gives up. */
const STALLED_MS = 60_000

/** The pool has no room now; it will when the next block is final. */
const BUSY_CODES: ReadonlySet<string> = new Set(['MEMPOOL_FULL', 'SENDER_FULL'])

/** The operations of one transaction. */
export interface Packed {
  readonly operations: readonly Operation[]
  /** What people count: keys, statements. */
  readonly units: number
}

/** One sender's share, in the order of its nonces. */
interface Share {
  readonly client: AlthingClient
  readonly sender: Sender
  readonly transactions: readonly { readonly signed: SignedTransaction; readonly units: number }[]
}

/** A key each, as many to a transaction as fit well. Else as `loadPacked`. */
export function loadEntries(entries: readonly Entry[], options: LoadOptions): Promise<Loaded> {
  const operations = entries.map(({ key, value }) =>
    kvPut({ key: utf8ToBytes(key), value: utf8ToBytes(value) }),
  )
  const packed = packOperations(operations, TRANSACTION_BYTES)
  return loadPacked(
    packed.map((group) => ({ operations: group, units: group.length })),
    options,
  )
}

/**
 * Signs, hands in, and waits until every transaction is final and applied.
 * @throws {CliError} `TRANSACTION_REJECTED`, `TRANSACTION_FAILED`, `NODE_NOT_READY` (no progress for a minute).
 * @throws {ApiError}
 */
export async function loadPacked(packed: readonly Packed[], options: LoadOptions): Promise<Loaded> {
  const shares = await signShares(packed, options)
  const startMs = performance.now()
  const stop = new AbortController()
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
  try {
    await Promise.all([
      waitUntilFinal(shares, signal, options.onFinal),
      ...shares.map((share) => handIn(share, signal)),
    ])
  } finally {
    stop.abort()
  }
  const elapsedMs = performance.now() - startMs
  const heights = await Promise.all(shares.map((share) => assertApplied(share, options.signal)))
  const transactions = shares.reduce((sum, share) => sum + share.transactions.length, 0)
  return { transactions, height: Math.max(0, ...heights), elapsedMs }
}

async function signShares(packed: readonly Packed[], options: LoadOptions): Promise<Share[]> {
  const { clients, signers, trusted, fee } = options
  const open = signers.slice(0, packed.length).map(async (signer, turn) => {
    const client = clients[turn % clients.length]!
    const sender = await Sender.open(client, signer, trusted, fee === undefined ? {} : { fee })
    const own = packed.filter((_, i) => i % signers.length === turn)
    return {
      client,
      sender,
      transactions: own.map(({ operations, units }) => ({ signed: sender.sign(operations), units })),
    }
  })
  return Promise.all(open)
}

/** In the order of the nonces, and again what the pool had no room for. */
async function handIn({ client, transactions }: Share, signal: AbortSignal): Promise<void> {
  let waiting = transactions.map(({ signed }) => signed.bytes)
  while (waiting.length > 0) {
    const results = await client.submitMany(waiting, { signal })
    waiting = waiting.filter((_, i) => isRefusedForNow(results[i]!))
    if (waiting.length > 0) await sleep(BUSY_WAIT_MS, undefined, { signal })
  }
}

/** @throws {CliError} when it is refused for good. */
function isRefusedForNow({ id, accepted, error }: SubmissionJson): boolean {
  if (accepted || error === null || error.code === 'DUPLICATE') return false
  if (BUSY_CODES.has(error.code)) return true
  throw new CliError('TRANSACTION_REJECTED', `transaction ${id} was refused: ${error.code}, ${error.message}`)
}

/** A transaction is final when its sender's nonce has passed it. */
async function waitUntilFinal(
  shares: readonly Share[],
  signal: AbortSignal,
  onFinal: (units: number) => void = () => {},
): Promise<void> {
  const all = unitsBelow(shares, () => Number.POSITIVE_INFINITY)
  let final = -1
  let changedMs = performance.now()
  while (final < all) {
    const nonces = new Map<Share, number>()
    const ask = async (share: Share): Promise<void> => {
      nonces.set(share, (await share.client.account(share.sender.account, { signal })).nonce)
    }
    await Promise.all(shares.map(ask))
    const reached = unitsBelow(shares, (share) => nonces.get(share) ?? 0)
    if (reached !== final) {
      final = reached
      changedMs = performance.now()
      onFinal(final)
    } else if (performance.now() - changedMs > STALLED_MS) throw await stalled(shares, final, all)
    if (final < all) await sleep(POLL_MS, undefined, { signal })
  }
}

function unitsBelow(shares: readonly Share[], nonceOf: (share: Share) => number): number {
  let below = 0
  for (const share of shares) {
    for (const { signed, units } of share.transactions) if (signed.nonce < nonceOf(share)) below += units
  }
  return below
}

async function stalled(shares: readonly Share[], final: number, all: number): Promise<Error> {
  const client = shares[0]!.client
  const waiting = await client.info().then(
    (info) => info.waiting,
    (error: unknown) => (error instanceof ApiError ? error.message : String(error)),
  )
  const message = `${final} of ${all} are final, and no more since ${formatMs(STALLED_MS)}: ${waiting}`
  return new CliError('NODE_NOT_READY', message, '"althing status" says more.')
}

/** @returns the height of the last one. */
async function assertApplied({ client, transactions }: Share, signal?: AbortSignal): Promise<number> {
  let last = 0
  for (const { signed } of transactions) {
    const { id, status, height, fault } = await client.waitForFinal(
      signed.id,
      signal === undefined ? {} : { signal },
    )
    if (status !== 'final') {
      const why = fault === null ? status : `${fault.code}, ${fault.message}`
      throw new CliError('TRANSACTION_FAILED', `transaction ${id} was not applied: ${why}`)
    }
    last = Math.max(last, height ?? 0)
  }
  return last
}
