/**
 * A thread in a child that ends the process when its parent has gone.
 * @module
 */
import { parentPort } from 'node:worker_threads'

const LOOK_MS = 1_000
const parent = process.ppid

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
}, LOOK_MS)
// From now on orders may be taken.
parentPort!.postMessage('watching')
