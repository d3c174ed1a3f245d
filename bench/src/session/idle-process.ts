/**
 * Many peers of one node that do nothing: `<address> <count>`. Says so when all are connected.
 * @module
 */
import { seedOf, startPeer } from './wire.ts'

const [address, count] = [process.argv[2]!, Number(process.argv[3])]
for (let i = 0; i < count; i++) await (await startPeer(seedOf(1_000 + i))).connect(address)
process.send!('connected')
process.on('disconnect', () => process.exit())
