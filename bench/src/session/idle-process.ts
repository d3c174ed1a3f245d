/**
 * Many peers of one node that do nothing: `<address> <count>`. Says so when all are connected.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { seedOf, startPeer } from './wire.ts'

/** At a time: a handshake takes milliseconds of both processes, and has its own time limit. */
const GROUP = 4
const ATTEMPTS = 5
const PAUSE_MS = 1_000

const [address, count] = [process.argv[2]!, Number(process.argv[3])]
for (let i = 0; i < count; i += GROUP) {
  await Promise.all(Array.from({ length: Math.min(GROUP, count - i) }, (_, at) => connectPeer(i + at)))
}
process.send!('connected')
process.on('disconnect', () => process.exit())

/** On a machine with other work a handshake may be too late: what is measured comes after it. */
async function connectPeer(number: number): Promise<void> {
  const network = await startPeer(seedOf(1_000 + number))
  for (let attempt = 1; network.peers().length === 0; attempt++) {
    try {
      await network.connect(address)
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      await sleep(PAUSE_MS)
    }
  }
}
