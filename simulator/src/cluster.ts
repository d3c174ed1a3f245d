/**
 * The machines of a run: power on and off, sessions between processes, and the way of a message from one core to
 * another, past the judge, through the character of its sender, the codec and the network.
 * @module
 */
import { assert } from '@althing/base'
import type { ConsensusMessage } from '@althing/chain'
import type { Agenda } from './agenda.ts'
import { createLogs } from './boot.ts'
import { castCharacter } from './characters/cast.ts'
import type { Character, Seat } from './characters/character.ts'
import { Equivocator } from './characters/equivocator.ts'
import { Violation } from './violation.ts'
import { describeDeath, describeStart } from './describe.ts'
import { DiskFull, PowerFailure } from './disk.ts'
import { simulatedSigner } from './keys.ts'
import type { Machine } from './machine.ts'
import { SimulatedNetwork } from './network.ts'
import type { Packet } from './network.ts'
import type { Death, Process, Surroundings } from './process.ts'
import type { Prng } from './prng.ts'
import { digestOf } from './trace.ts'

export type ProcessClass = new (...args: ConstructorParameters<typeof Process>) => Process

/** What the cluster needs of its world; the rest of `Surroundings` it gives to its processes itself. */
export type ClusterWorld = Omit<Surroundings, 'transmit' | 'charged'>

export interface ClusterPrngs {
  readonly network: Prng
  readonly byzantine: Prng
}

/** A message that somebody sends, to one host or to many. */
interface Letter extends Packet {
  readonly digest: number
  /** What it was decoded to; null while nobody got it. */
  read: ConsensusMessage | null
  isJudged: boolean
}

/** Of one host; a fifth of it was the most that was seen when nothing was wrong. */
const MESSAGES_PER_SECOND_MAX = 1_500

export class Cluster {
  readonly machines: readonly Machine[]
  readonly network: SimulatedNetwork<Letter>
  readonly equivocators: readonly Equivocator[]
  readonly #world: Surroundings
  readonly #agenda: Agenda
  readonly #processClass: ProcessClass
  readonly #processes: (Process | null)[]
  readonly #characters: readonly (Character | null)[]
  readonly #sentInSecond: { second: number; count: number }[]
  readonly #letters = new WeakMap<ConsensusMessage, Letter>()

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
    this.#characters = machines.map(({ keys, character }) => {
      const [key] = keys
      if (key === undefined) return null
      return castCharacter(character, { signer: simulatedSigner(key.index), prng: prngs.byzantine })
    })
    this.equivocators = this.#characters.filter((character) => character instanceof Equivocator)
    const deliver = (from: number, to: number, letter: Letter): void => this.#deliver(from, to, letter)
    this.network = new SimulatedNetwork(world.agenda, prngs.network, world.tally, machines.length, deliver)
    this.#world = {
      ...world,
      transmit: (from, to, message) => this.#transmit(from, to, message),
      charged: (by, host, reason) => this.#charged(by, host, reason),
    }
    for (const machine of machines) createLogs(machine, world.chain)
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

  /** The others notice after a while. */
  kill(host: number, by: Death): void {
    const process = this.#processes[host]!
    if (process === null) return
    const { agenda, prng, trace } = this.#world
    trace.step(agenda.nowMs, host, by, host, describeDeath)
    process.kill(by)
    this.#processes[host] = null
    for (const other of this.live()) agenda.after(prng.between(10, 3_000), () => other.disconnect(process))
  }

  killAll(): void {
    for (const { host } of this.machines) this.kill(host, 'powerLoss')
    this.#world.tally.reached('wholeNetworkLost')
  }

  #boot(host: number): void {
    if (this.#processes[host] !== null) return
    const machine = this.machines[host]!
    const { agenda, prng, trace } = this.#world
    trace.step(agenda.nowMs, host, machine.store.height, host, describeStart)
    const process = this.#start(machine)
    if (process === null) return
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

  /** @returns null when its disk fails it: then it is tried again later. */
  #start(machine: Machine): Process | null {
    const { prng, tally } = this.#world
    try {
      return new this.#processClass(machine, this.#world)
    } catch (error) {
      if (error instanceof PowerFailure) machine.disk.losePower()
      else if (!(error instanceof DiskFull)) throw error
      tally.reached(error instanceof DiskFull ? 'diskWasFull' : 'crashedInRecovery')
      this.bootAfter(prng.between(50, 500), machine.host)
      return null
    }
  }

  #transmit(from: Process, to: number, message: ConsensusMessage): void {
    const { host, isHonest } = from.machine
    if (isHonest) this.#countMessage(host)
    const letter = this.#letterOf(message)
    if (!letter.isJudged) {
      letter.isJudged = true
      if (isHonest) this.#world.judge.messageLeft(from.key, message)
      this.#world.witness?.see(message, (view) => from.leaderOf(view))
    }
    const character = this.#characters[host]!
    if (character === null) return this.network.send(host, to, letter)
    for (const { message: sent, delayMs = 0 } of character.outgoing(seatOf(from), to, message)) {
      const own = this.#letterOf(sent)
      if (delayMs === 0) this.network.send(host, to, own)
      else this.#agenda.after(delayMs, () => this.network.send(host, to, own))
    }
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

  #deliver(from: number, to: number, letter: Letter): void {
    const process = this.#processes[to]!
    if (process === null) return
    this.#world.trace.mix(this.#agenda.nowMs, from, to, letter.digest)
    const message = this.#read(letter)
    const character = this.#characters[to]!
    const own = character?.incoming(seatOf(process), message, this.machines.length) ?? []
    process.receive(this.machines[from]!, message)
    for (const each of own) if (each.to !== to) this.network.send(to, each.to, this.#letterOf(each.message))
  }

  #letterOf(message: ConsensusMessage): Letter {
    let letter = this.#letters.get(message)
    if (letter === undefined) {
      const bytes = this.#world.chain.encodeMessage(message)
      letter = { bytes, digest: digestOf(bytes), read: null, isJudged: false }
      this.#letters.set(message, letter)
    }
    return letter
  }

  /** Decoded once, too: nobody changes a message. */
  #read(letter: Letter): ConsensusMessage {
    if (letter.read === null) {
      const decoded = this.#world.chain.decodeMessage(letter.bytes)
      assert(decoded.ok, 'what was encoded is decoded')
      letter.read = decoded.value
    }
    return letter.read
  }

  #charged(by: Process, host: number, reason: string): void {
    const charged = this.machines[host]!
    if (by.machine.isHonest && charged.isHonest) {
      throw new Violation(`O6: host ${by.machine.host} charges honest host ${host}: ${reason}`)
    }
  }
}

function seatOf(process: Process): Seat {
  return { process, index: process.index }
}
