/**
 * Prints the seeds and the hashes of their traces, as JSON. Arguments: the first seed, how many.
 * @module
 */
import * as chain from '@althing/chain'
import { runSeed } from '../src/index.ts'

const [from, seeds] = process.argv.slice(2).map(Number) as [number, number]
const hashes = Array.from({ length: seeds }, (_, index) => {
  const { seed, traceHash, events } = runSeed(from + index, chain)
  return { seed, traceHash, events }
})
console.log(JSON.stringify(hashes))
