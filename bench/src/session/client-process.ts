/**
 * The asking side of what urgent messages wait, where it has to be a process of its own: `<address> <seconds>`.
 * @module
 */
import { measureUrgent } from './urgent.ts'
import { seedOf, startPeer } from './wire.ts'

const [address, seconds] = [process.argv[2]!, Number(process.argv[3])]
const network = await startPeer(seedOf(2))
process.send!(await measureUrgent(network, await network.connect(address), seconds))
process.on('disconnect', () => process.exit())
