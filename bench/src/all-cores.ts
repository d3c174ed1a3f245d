import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

/**
 * What this machine does a second when every core does it.
 * @param file a worker that says it is ready, is told to begin, and answers with its own rate.
 */
export async function rateOfAllCores(file: URL, workerData: object): Promise<number> {
  const workers = Array.from({ length: availableParallelism() }, () => new Worker(file, { workerData }))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const answers = workers.map(async (worker) => {
    const answer = once(worker, 'message')
    worker.postMessage('begin')
    return (await answer) as [number]
  })
  const rates = await Promise.all(answers)
  return rates.reduce((sum, [rate]) => sum + rate, 0)
}
