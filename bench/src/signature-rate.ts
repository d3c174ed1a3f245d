import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

/** Ed25519 checks a second of all cores together, with the verifier of the node and nothing else running. */
export async function measureSignatureRate(seconds: number): Promise<number> {
  const file = new URL('./signature-worker.ts', import.meta.url)
  const workers = Array.from(
    { length: availableParallelism() },
    () => new Worker(file, { workerData: { seconds } }),
  )
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const answers = workers.map(async (worker) => {
    const answer = once(worker, 'message')
    worker.postMessage('begin')
    return (await answer) as [number]
  })
  const rates = await Promise.all(answers)
  return rates.reduce((sum, [rate]) => sum + rate, 0)
}
