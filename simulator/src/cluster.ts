/**
 * The machines of a run: power on and off, sessions between processes, and the way of a message from one core to
 * another, past the judge, through the character of its sender, the codec and the network.
 * @module
 */
import type { ConsensusMessage } from '@althing/chain'
import type { Agenda } from './agenda.ts'
import { Equivocator, Malleator, mute } from './byzantine.ts'
import type { ByzantineCharacter } from './byzantine.ts'
import { Violation } from './judge.ts'
import { simulatedSigner } from './keys.ts'
import type { Machine } from './machine.ts'
import { SimulatedNetwork } from './network.ts'
import type { Process, Surroundings } from './process.ts'
import type { Prng } from './prng.ts'

export type ProcessClass = new (...args: ConstructorParameters<typeof Process>) => Process

/** What the cluster needs of its world; the rest of `Surroundings` it gives to its processes itself. */
export type ClusterWorld = Omit<Surroundings, 'transmit' | 'charged'>

export interface ClusterPrngs {
  readonly network: Prng
  readonly byzantine: Prng
}

/** Of one host; a fifth of it was the most that was seen when nothing was wrong. */
const MESSAGES_PER_SECOND_MAX = 1_500

export class Cluster {
  readonly machines: readonly Machine[]
  readonly network: SimulatedNetwork
  readonly equivocators: readonly Equivocator[]
  readonly #world: Surroundings
  readonly #agenda: Agenda
  readonly #processClass: ProcessClass
  readonly #processes: (Process | null)[]
  readonly #byzantine: readonly (ByzantineCharacter | null)[]
  readonly #sentInSecond: { second: number; count: number }[]
  readonly #judged = new WeakSet<ConsensusMessage>()
  readonly #encoded = new WeakMap<ConsensusMessage, Uint8Array>()

  constructor(
    machines: readonly Machine[],
    world: ClusterWorld,
    processClass: ProcessClass,
    prngs: ClusterPrngs,
  ) {
    this.machines = machines
    this.#processClass = processClass
    this.#agenda = world.agenda
    this.#processes = machines.map(() => null)
    this.#sentInSecond = machines.map(() => ({ second: 0, count: 0 }))
    this.#byzantine = machines.map((machine) => characterOf(machine, world, prngs.byzantine))
    this.equivocators = this.#byzantine.filter((character) => character instanceof Equivocator)
    const deliver = (from: number, to: number, bytes: Uint8Array): void => this.#deliver(from, to, bytes)
    this.network = new SimulatedNetwork(world.agenda, prngs.network, machines.length, deliver)
    this.#world = {
      ...world,
      transmit: (from, to, message) => this.#transmit(from, to, message),
      charged: (by, host, reason) => this.#charged(by, host, reason),
    }
    for (const machine of machines) this.#createVoteLog(machine)
  }

  /** Null while it is down. */
  processOn(host: number): Process | null {
    return this.#processes[host]!
  }

  live(): Process[] {
    return this.#processes.filter((process) => process !== null)
  }

  bootAfter(delayMs: number, host: number): void {
    this.#agenda.after(delayMs, () => this.#boot(host))
  }

  /** Cuts the power. The others notice after a while. */
  kill(host: number): void {
    const process = this.#processes[host]!
    if (process === null) return
    const { agenda, prng, trace } = this.#world
    trace.step(agenda.nowMs, host, () => 'loses power')
    process.kill()
    this.#processes[host] = null
    for (const other of this.live()) agenda.after(prng.between(10, 3_000), () => other.disconnect(process))
  }

  killAll(): void {
    for (const { host } of this.machines) this.kill(host)
    this.#world.tally.reached('wholeNetworkLost')
  }

  /** The authority's keys are in one process that follows the rules. */
  isHonest(authority: number): boolean {
    return this.machines[authority]!.isHonest
  }

  #createVoteLog({ authority, genesis, log }: Machine): void {
    if (authority === null) return
    const key = simulatedSigner(authority).publicKey
    log.startSegment(1, this.#world.chain.createVoteLog({ genesis: genesis.hash, key }))
    log.sync(log.writtenBytes)
  }

  #boot(host: number): void {
    if (this.#processes[host] !== null) return
    const machine = this.machines[host]!
    const { agenda, prng, trace } = this.#world
    trace.step(agenda.nowMs, host, () => `starts with ${machine.store.height} final blocks`)
    const signer = machine.authority === null ? null : simulatedSigner(machine.authority)
    const process = new this.#processClass(machine, signer, this.#world)
    this.#processes[host] = process
    process.start()
    for (const other of this.live()) {
      if (other === process) continue
      agenda.after(prng.between(5, 200), () => {
        if (!process.isAlive || !other.isAlive) return
        process.connect(other)
        other.connect(process)
      })
    }
  }

  #transmit(from: Process, to: number, message: ConsensusMessage): void {
    const { host, authority, isHonest } = from.machine
    if (isHonest) this.#countMessage(host)
    if (isHonest && !this.#judged.has(message)) {
      this.#judged.add(message)
      this.#world.judge.messageLeft(authority, message)
    }
    const character = this.#byzantine[host]!
    const sent = character === null ? [message] : character.outgoing(from, to, message)
    for (const each of sent) this.network.send(host, to, this.#encode(each))
  }

  /** A request that is repeated to everybody grows into a storm (R10). */
  #countMessage(host: number): void {
    const second = Math.floor(this.#agenda.nowMs / 1_000)
    const sent = this.#sentInSecond[host]!
    sent.count = sent.second === second ? sent.count + 1 : 1
    sent.second = second
    if (sent.count > MESSAGES_PER_SECOND_MAX) {
      throw new Violation(
        `O7: host ${host} sends more than ${MESSAGES_PER_SECOND_MAX} messages in one second`,
      )
    }
  }

  #deliver(from: number, to: number, bytes: Uint8Array): void {
    const process = this.#processes[to]!
    if (process === null) return
    this.#world.trace.mix(this.#agenda.nowMs, from, to)
    this.#world.trace.mixBytes(bytes)
    process.receive(from, this.machines[from]!.authority, bytes)
    const character = this.#byzantine[to]!
    if (character === null || character === mute) return
    const decoded = this.#world.chain.decodeMessage(bytes)
    if (!decoded.ok) return
    for (const own of character.incoming(decoded.value, this.machines.length)) {
      if (own.to !== to) this.network.send(to, own.to, this.#encode(own.message))
    }
  }

  /** A broadcast is encoded once. */
  #encode(message: ConsensusMessage): Uint8Array {
    let bytes = this.#encoded.get(message)
    if (bytes === undefined) this.#encoded.set(message, (bytes = this.#world.chain.encodeMessage(message)))
    return bytes
  }

  #charged(by: Process, host: number, reason: string): void {
    const charged = this.machines[host]!
    if (by.machine.isHonest && charged.isHonest) {
      throw new Violation(`O6: host ${by.machine.host} charges honest host ${host}: ${reason}`)
    }
  }
}

function characterOf(machine: Machine, world: ClusterWorld, prng: Prng): ByzantineCharacter | null {
  const { authority, character } = machine
  if (authority === null) return null
  switch (character) {
    case 'equivocator':
      return new Equivocator(world.config.epoch, authority, simulatedSigner(authority), prng)
    case 'malleator':
      return new Malleator(prng, world.tally)
    case 'mute':
      return mute
    default:
      return null
  }
}
