/**
 * The worker thread that talks to the signer, so that the main thread can wait for an answer without an event loop
 * (decision 013). It connects, says hello, connects again after a moment; what it hears is told to the main thread.
 * @module
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { assert, bytesToHex } from '@althing/base'
import { ANSWERED, CAN_ASK } from './connection-messages.ts'
import type { ConnectionNews, ConnectionOrder, ConnectionSetup, SignAnswer } from './connection-messages.ts'
import { lineOf, LineReader, readLine, SIGNER_PROTOCOL_VERSION } from './protocol.ts'

const RECONNECT_MS = 500
const HELLO_WITHIN_MS = 2_000
const HELLO_ID = 1

const { address, genesis, token, shared, answers } = workerData as ConnectionSetup
const port = parentPort
assert(port !== null, 'the connection to a signer runs in a worker thread')

let socket: Socket | null = null
port.on('message', (order: ConnectionOrder) => {
  if (order.kind === 'giveUp') socket?.destroy(new Error(order.because))
  else socket?.write(lineOf({ id: order.id, method: 'sign', message: bytesToHex(order.message) }))
})
open()

function open(): void {
  let because = 'the signer closed the connection'
  let isGreeted = false
  const opened = (address.kind === 'unix' ? connect(address.path) : connect(address.port, address.host))
    .setEncoding('utf8')
    .setNoDelay(true)
    .setTimeout(HELLO_WITHIN_MS, () => opened.destroy(new Error('it does not say hello')))
  socket = opened
  const onLine = (line: string): void => {
    if (isGreeted) return takeAnswer(line)
    const fault = takeGreeting(line)
    if (fault !== null) return void opened.destroy(new Error(fault))
    isGreeted = true
    opened.setTimeout(0)
  }
  const lines = new LineReader(onLine, () => opened.destroy())
  opened.on('data', (text: unknown) => lines.take(String(text)))
  opened.once('connect', () => {
    const question = { id: HELLO_ID, method: 'hello', version: SIGNER_PROTOCOL_VERSION, genesis } as const
    opened.write(lineOf(token === null ? question : { ...question, token }))
  })
  opened.once('error', (error) => (because = error.message))
  opened.once('close', () => {
    Atomics.store(shared, CAN_ASK, 0)
    tell({ kind: 'lost', because })
    wake() // whoever waits need not wait any longer
    setTimeout(open, RECONNECT_MS)
  })
}

/** @returns why the signer will not serve this node; null when it does. */
function takeGreeting(line: string): string | null {
  const said = readLine(line)
  const refusal = refusalIn(said)
  if (refusal !== null) return refusal
  if (typeof said?.public_key !== 'string') return 'it does not speak the protocol of signers'
  Atomics.store(shared, CAN_ASK, 1)
  tell({ kind: 'connected', publicKey: said.public_key })
  return null
}

function takeAnswer(line: string): void {
  const said = readLine(line)
  const id = Number(said?.id)
  const answer: SignAnswer =
    typeof said?.signature === 'string'
      ? { id, signature: said.signature }
      : { id, refusal: refusalIn(said) ?? 'it answered something else' }
  answers.postMessage(answer)
  wake()
}

function refusalIn(said: Readonly<Record<string, unknown>> | null): string | null {
  const fault = said?.error as { readonly code?: unknown; readonly message?: unknown } | undefined
  return fault === undefined ? null : `${String(fault.code)}: ${String(fault.message)}`
}

function wake(): void {
  Atomics.add(shared, ANSWERED, 1)
  Atomics.notify(shared, ANSWERED)
}

function tell(news: ConnectionNews): void {
  port!.postMessage(news)
}
