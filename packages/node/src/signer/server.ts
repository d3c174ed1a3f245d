/**
 * The reference signer: holds an authority's key, and signs for one node at a time what its guard allows (PC-3).
 * S1  a vote is signed only after the guard is durable
 * S2  besides votes only these are signed: proofs of the authority on a link, and transactions of signs of life,
 *     rejoining and evidence. Whoever takes the node over can neither pay with the key nor give its seat away
 * @module
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { chmodSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import {
  bytesToHex,
  decodeAuthorityOperation,
  equalBytes,
  fail,
  hexToBytes,
  isAuthorityLinkMessage,
  MODULE_AUTHORITIES,
  ok,
  readTransactionMessage,
  readVoteMessage,
} from '@althing/base'
import type { Hash, Log, Result, Signer } from '@althing/base'
import type { SignerAddress } from './address.ts'
import { judgeVote } from './guard.ts'
import type { GuardFile } from './guard-file.ts'
import { lineOf, LineReader, readLine, SIGNER_PROTOCOL_VERSION } from './protocol.ts'
import type { SignerAnswer } from './protocol.ts'

export interface SignerOptions {
  readonly address: SignerAddress
  /** What a node must say first; null on a unix socket, which only its owner may open. */
  readonly token: string | null
  readonly genesis: Hash
  readonly key: Signer
  readonly guard: GuardFile
  readonly log: Log
}

export interface RunningSigner {
  /** Rejects when the guard cannot be written: nothing is signed any more, and the process must end. */
  readonly failed: Promise<never>
  /** The port that was taken; null on a unix socket. */
  readonly port: number | null
  stop(): Promise<void>
}

const HELLO_WITHIN_MS = 5_000

/** Resolves when it listens. @throws an error of the system when the address is taken. */
export async function startSigner(options: SignerOptions): Promise<RunningSigner> {
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {}) // looked at by whoever runs it
  let current: Socket | null = null
  const server = createServer((socket) => {
    if (current !== null) {
      const message = 'another node is connected; a signer serves one'
      socket.end(lineOf({ id: 0, error: { code: 'SIGNER_BUSY', message } }))
      return
    }
    current = socket
    socket.once('close', () => (current = null))
    serve(socket, options, failure.reject)
  })
  await listen(server, options.address)
  const address = server.address()
  return {
    failed: failure.promise,
    port: typeof address === 'object' && address !== null ? address.port : null,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        current?.destroy()
      }),
  }
}

async function listen(server: Server, address: SignerAddress): Promise<void> {
  const listening = Promise.withResolvers<void>()
  server.once('error', listening.reject).once('listening', listening.resolve)
  if (address.kind === 'tcp') server.listen(address.port, address.host)
  else {
    // A socket that a dead process left; the lock of the key keeps a live one away.
    rmSync(address.path, { force: true })
    const before = process.umask(0o177)
    server.listen(address.path)
    process.umask(before)
  }
  await listening.promise
  if (address.kind === 'unix' && process.platform !== 'win32') chmodSync(address.path, 0o600)
}

function serve(socket: Socket, options: SignerOptions, onFailure: (error: unknown) => void): void {
  const { log, key } = options
  let isKnown = false
  socket.setEncoding('utf8').setNoDelay(true)
  const slow = setTimeout(() => socket.destroy(), HELLO_WITHIN_MS)
  const answer = (value: SignerAnswer): void => void socket.write(lineOf(value))
  const refuse = (id: number, code: string, message: string): void => {
    log.warn('refused', { code, message })
    answer({ id, error: { code, message } })
  }
  const onLine = (line: string): void => {
    const question = readLine(line)
    const id = Number.isSafeInteger(question?.id) ? (question!.id as number) : 0
    if (question?.method === 'hello') {
      const fault = helloFault(question, options)
      if (fault !== null) {
        refuse(id, fault.code, fault.message)
        return void socket.end()
      }
      isKnown = true
      clearTimeout(slow)
      return answer({ id, public_key: bytesToHex(key.publicKey), version: SIGNER_PROTOCOL_VERSION })
    }
    if (!isKnown || question?.method !== 'sign')
      return refuse(id, 'QUESTION_UNKNOWN', 'after "hello", only "sign" is answered')
    const message = typeof question.message === 'string' ? hexToBytes(question.message) : null
    const judged =
      message === null ? fail('QUESTION_UNKNOWN', '"message" is not hexadecimal') : judge(message, options)
    if (!judged.ok) return refuse(id, judged.fault.code, judged.fault.message)
    try {
      judged.value()
    } catch (error) {
      socket.destroy()
      return onFailure(error)
    }
    answer({ id, signature: bytesToHex(key.sign(message!)) })
  }
  const lines = new LineReader(onLine, () => socket.destroy())
  socket.on('data', (text: string) => lines.take(text))
  socket.on('error', () => socket.destroy())
  socket.once('close', () => {
    clearTimeout(slow)
    log.info('the node is gone')
  })
  log.info('a node is connected')
}

function helloFault(
  { version, genesis, token }: Readonly<Record<string, unknown>>,
  options: SignerOptions,
): { readonly code: string; readonly message: string } | null {
  if (version !== SIGNER_PROTOCOL_VERSION) {
    const message = `this signer speaks version ${SIGNER_PROTOCOL_VERSION} of the protocol, asked was for ${String(version)}`
    return { code: 'VERSION_UNKNOWN', message }
  }
  if (options.token !== null && !isSame(typeof token === 'string' ? token : '', options.token))
    return { code: 'TOKEN_REQUIRED', message: 'the token is not that of this signer' }
  if (genesis !== bytesToHex(options.genesis)) {
    const message = `this signer signs for the chain ${bytesToHex(options.genesis)} only`
    return { code: 'VOTE_OTHER_CHAIN', message }
  }
  return null
}

/** @returns what must be done before it is signed. */
function judge(message: Uint8Array, { guard, genesis, key }: SignerOptions): Result<() => void> {
  const vote = readVoteMessage(message)
  if (vote !== null) {
    const state = judgeVote(guard.state, vote)
    return state.ok ? ok(() => guard.keep(state.value)) : state
  }
  if (isAuthorityLinkMessage(message, genesis)) return ok(() => {})
  const transaction = readTransactionMessage(message)
  if (!transaction.ok)
    return fail('MESSAGE_UNKNOWN', 'these are not the bytes of anything that is signed here')
  const { body } = transaction.value
  if (!equalBytes(body.genesis, genesis) || !equalBytes(body.sender, key.publicKey))
    return fail('TRANSACTION_REFUSED', 'a transaction of another chain, or of another sender')
  if (!body.operations.every(isAutomatic))
    return fail('TRANSACTION_REFUSED', 'only signs of life, rejoining and evidence are signed here')
  return ok(() => {})
}

const AUTOMATIC: ReadonlySet<string> = new Set(['heartbeat', 'rejoin', 'evidence'])

function isAutomatic({ module, body }: { readonly module: number; readonly body: Uint8Array }): boolean {
  if (module !== MODULE_AUTHORITIES) return false
  const operation = decodeAuthorityOperation(body)
  return operation.ok && AUTOMATIC.has(operation.value.kind)
}

function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', expected, 'buffer'))
}
