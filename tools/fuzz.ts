/**
 * `npm run fuzz`: every decoder under mutated inputs, guided by what they reach. What reached something new is kept beside
 * the target, in `<target>.corpus`, and `npm test` runs it.
 * @module
 */
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { readCorpus, targetsOf, writeCorpus } from './fuzz/corpus.ts'
import type { FoundTarget } from './fuzz/corpus.ts'
import type { FuzzAnswer, FuzzJob } from './fuzz/worker.ts'

const usage = `Usage: npm run fuzz -- [options]

  --target <text>     only targets whose name contains it
  --seconds <count>   for each target                       (60)
  --seed <number>     of the mutations                      (1)
  --replay <hex>      runs one input of the one --target
  --list              names the targets

A failure prints the input as hexadecimal; --replay runs it again.`

/** An input that runs longer hangs. */
const HANG_MS = 10_000
const CURRENT_BYTES_MAX = 1024 * 1024

type Outcome = { readonly failure: string | null; readonly line: string }

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', default: '' },
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      replay: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const found = (await targetsOf()).filter(({ name }) => name.includes(values.target))
  if (found.length === 0) throw new Error(`no target's name contains "${values.target}"; --list names them`)
  if (values.list) {
    for (const { name } of found) console.log(name)
    return 0
  }
  if (values.replay !== undefined) {
    if (found.length !== 1) throw new Error(`--replay needs one target; ${found.length} match`)
    found[0]!.target.run(Buffer.from(values.replay, 'hex'))
    console.log('holds')
    return 0
  }
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)]
  if (!(seconds > 0) || !Number.isInteger(seed))
    throw new Error(`--seconds and --seed are numbers\n\n${usage}`)
  let failures = 0
  for (const target of found) {
    const { line, failure } = await fuzzOne(target, seconds, seed)
    console.log(line)
    if (failure === null) continue
    failures++
    console.log(failure)
  }
  return failures === 0 ? 0 : 1
}

async function fuzzOne(target: FoundTarget, seconds: number, seed: number): Promise<Outcome> {
  const current = new SharedArrayBuffer(8 + CURRENT_BYTES_MAX)
  const corpus = await readCorpus(target)
  const job: FuzzJob = { file: target.file, name: target.exportName, seed, seconds, corpus, current }
  const worker = new Worker(new URL('fuzz/worker.ts', import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
  })
  const answer = await answerOf(worker, current)
  await worker.terminate()
  if (typeof answer === 'string') {
    return { line: `✖ ${target.name}`, failure: `${answer}\n${replayOf(target, currentInput(current))}` }
  }
  await writeCorpus(target, [...corpus, ...answer.found])
  const { executions, functions, wholeFunctions, found, failure } = answer
  const reached = `${functions} functions reached, ${wholeFunctions} wholly`
  const line = `${failure === null ? '✔' : '✖'} ${target.name}  ${executions} runs, ${reached}, ${found.length} inputs kept`
  return { line, failure: failure && `${failure.message}\n${replayOf(target, failure.input)}` }
}

/** @returns text when it hung or died. */
async function answerOf(worker: Worker, current: SharedArrayBuffer): Promise<FuzzAnswer | string> {
  const runs = new Int32Array(current, 0, 1)
  let before = -1
  const { promise, resolve } = Promise.withResolvers<FuzzAnswer | string>()
  worker.once('message', resolve)
  worker.once('error', (error) => resolve(`died: ${String(error)}`))
  const watch = setInterval(() => {
    const now = Atomics.load(runs, 0)
    if (now === before) resolve(`an input runs for more than ${HANG_MS / 1000} s`)
    before = now
  }, HANG_MS)
  return promise.finally(() => clearInterval(watch))
}

function currentInput(current: SharedArrayBuffer): Uint8Array {
  return new Uint8Array(current, 8, new Int32Array(current, 4, 1)[0])
}

function replayOf({ name }: FoundTarget, input: Uint8Array): string {
  return `npm run fuzz -- --target ${name} --replay ${Buffer.from(input).toString('hex')}`
}

process.exitCode = await main()
