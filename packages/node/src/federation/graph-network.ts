/**
 * Graphs over the network: tells peers what is held here, knows what they hold, asks them and answers them.
 * @module
 */
import {
  AnswerReceipt,
  bytesToUtf8,
  decodeAnswerReceipt,
  decodeCheckQuestion,
  decodeMatchQuestion,
  encodeCheckQuestion,
  MatchQuestion,
  utf8ToBytes,
} from '@althing/base'
import type { AskedQuery, Fault } from '@althing/base'
import type { Message, Network } from '@althing/network'
import { QueryFault } from '../sparql/fault.ts'
import type { GraphMatches } from './graph-matches.ts'
import { GRAPH_KINDS } from './graph-kinds.ts'
import { decodeHolding, encodeHolding, Holdings } from './holdings.ts'
import { decodePatterns, encodePatterns } from './pattern.ts'
import type { Pattern } from './pattern.ts'
import type { Holders } from './remote-matches.ts'

export interface GraphNetworkPorts {
  /** IRIs; none: all graphs. */
  readonly hold: readonly string[]
  readonly matches: GraphMatches
  /** Of a query at a height, by this node. @throws {QueryFault} */
  receiptOf(asked: AskedQuery, height: number, client: string): Promise<AnswerReceipt>
  /** For a receipt. */
  readonly timeoutMs: number
}

/** Questions of peers that are being answered at a time. */
const ANSWERING_MAX = 16
const RETRY_MS = 1_000
const TELL_EVERY_MS = 30_000

export class GraphNetwork implements Holders {
  readonly #holdings = new Holdings()
  readonly #ports: GraphNetworkPorts
  readonly #network: Network
  readonly #told: Uint8Array
  readonly #unsubscribe: () => void
  readonly #timer: NodeJS.Timeout
  #answering = 0

  constructor(network: Network, ports: GraphNetworkPorts) {
    this.#ports = ports
    this.#network = network
    this.#told = encodeHolding(ports.hold)
    network.handle('graph.held', ({ from, body }) => {
      const holding = decodeHolding(body)
      if (holding === undefined)
        network.penalise(from, 'invalidMessage', 'a list of held graphs that is none')
      else if (network.peers().some(({ id }) => id === from)) this.#holdings.tell(from, holding)
    })
    network.handleRequest('graph.match', (message) => this.#bounded(() => this.#match(message)))
    network.handleRequest('graph.check', (message) => this.#bounded(() => this.#check(message)))
    this.#unsubscribe = network.subscribe((event) => {
      if (event.kind === 'peerConnected') this.#tell(event.peer.id)
      else if (event.kind === 'peerDisconnected') this.#holdings.forget(event.peer)
    })
    this.#tellAll()
    // One that opened a session before it listened for this has missed it.
    this.#timer = setInterval(() => this.#tellAll(), TELL_EVERY_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#unsubscribe()
  }

  holdersOf(graph: string): readonly string[] {
    return this.#holdings.holdersOf(graph)
  }

  /** @throws {NetworkError} */
  async ask(
    peer: string,
    graph: string,
    patterns: readonly Pattern[],
    height: number,
    timeoutMs: number,
  ): Promise<readonly string[]> {
    const question = { height, graph: utf8ToBytes(graph), patterns: encodePatterns(patterns) }
    const answer = await this.#network.request(peer, 'graph.match', MatchQuestion.serialize(question), {
      timeoutMs,
    })
    const text = bytesToUtf8(answer)
    if (text === null) this.#network.penalise(peer, 'wrongAnswer', 'statements that are not UTF-8')
    return text === null || text === '' ? [] : text.split('\n')
  }

  lied(peer: string, graph: string, text: string): void {
    this.#network.penalise(peer, 'wrongAnswer', `not a statement of <${graph}>: ${text.slice(0, 200)}`)
  }

  /** @returns null for what is no receipt. @throws {NetworkError} */
  async askReceipt(peer: string, asked: AskedQuery, height: number): Promise<AnswerReceipt | null> {
    const { timeoutMs } = this.#ports
    const question = encodeCheckQuestion(height, asked)
    const receipt = decodeAnswerReceipt(
      await this.#network.request(peer, 'graph.check', question, { timeoutMs }),
    )
    return receipt.ok ? receipt.value : null
  }

  /** Those that said what they hold. */
  peers(): readonly string[] {
    return this.#holdings.all().map(({ peer }) => peer)
  }

  peersHolding(): ReturnType<Holdings['all']> {
    return this.#holdings.all()
  }

  async #match({ from, body }: Message): Promise<Uint8Array> {
    const question = decodeMatchQuestion(body)
    if (!question.ok) throw this.#malformed(from, question.fault)
    const graph = bytesToUtf8(question.value.graph)
    const patterns = decodePatterns(question.value.patterns)
    if (!patterns.ok) throw this.#malformed(from, patterns.fault)
    const { texts } = await this.#ports.matches.of(graph ?? '', patterns.value, question.value.height, from)
    const answer = utf8ToBytes(texts.join('\n'))
    const { maxBytes } = GRAPH_KINDS['graph.match']
    if (answer.length > maxBytes) {
      throw new QueryFault('QUERY_TOO_LARGE', `${answer.length} bytes of statements; at most ${maxBytes}`)
    }
    return answer
  }

  async #check({ from, body }: Message): Promise<Uint8Array> {
    const question = decodeCheckQuestion(body)
    if (!question.ok) throw this.#malformed(from, question.fault)
    const { asked, height } = question.value
    return AnswerReceipt.serialize(await this.#ports.receiptOf(asked, height, from))
  }

  async #bounded(answer: () => Promise<Uint8Array>): Promise<Uint8Array> {
    if (this.#answering >= ANSWERING_MAX) {
      throw new QueryFault(
        'QUERY_QUEUE_FULL',
        `${ANSWERING_MAX} questions of peers are being answered`,
        RETRY_MS,
      )
    }
    this.#answering++
    try {
      return await answer()
    } finally {
      this.#answering--
    }
  }

  #malformed(from: string, { code, message }: Fault): Error {
    this.#network.penalise(from, 'invalidMessage', `${code}: ${message}`)
    return new Error(message)
  }

  #tellAll(): void {
    for (const { id } of this.#network.peers()) this.#tell(id)
  }

  #tell(peer: string): void {
    this.#network.send(peer, 'graph.held', this.#told)
  }
}
