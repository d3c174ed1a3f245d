/**
 * The examples do what their READMEs say: real processes, driven by their terminals.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { transfer } from '@althing/client'
import { signerOf, TestNetwork, until } from './support/network.ts'

/** Three processes start at once, on a machine that may be busy with other tests. */
const WITHIN_MS = 60_000

/** An example in a terminal of its own. */
class Terminal {
  readonly lines: string[] = []
  readonly #child: ChildProcess

  constructor(example: string, ...args: readonly string[]) {
    const main = fileURLToPath(new URL(`../examples/${example}/main.ts`, import.meta.url))
    this.#child = spawn(process.execPath, [main, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.lines.push(line))
  }

  type(line: string): void {
    this.#child.stdin!.write(`${line}\n`)
  }

  /** Waits for a line. @returns the groups of the match. */
  async see(pattern: RegExp): Promise<readonly string[]> {
    const find = () => this.lines.findLast((line) => pattern.test(line))
    await until(`a line like ${pattern}`, find, WITHIN_MS).catch((error: unknown) => {
      throw new Error(`the terminal has\n${this.lines.join('\n')}`, { cause: error })
    })
    return pattern.exec(find()!)!.slice(1)
  }

  /** Ctrl-D. @returns the exit code. */
  async leave(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode
    const exited = once(this.#child, 'exit')
    this.#child.stdin!.end()
    const [code] = await exited
    return code
  }
}

let terminals: Terminal[] = []

function open(example: string, ...args: readonly string[]): Terminal {
  const terminal = new Terminal(example, ...args)
  terminals.push(terminal)
  return terminal
}

afterEach(async () => {
  const codes = await Promise.all(terminals.map((terminal) => terminal.leave()))
  terminals = []
  assert.deepEqual(
    codes.filter((code) => code !== 0),
    [],
    'every example ends by itself',
  )
})

test('chat: a line reaches those too whom its writer is not connected to', async () => {
  const ada = open('chat', '--name', 'Ada')
  const [address = ''] = await ada.see(/--join (\S+)/)
  const bjarni = open('chat', '--name', 'Bjarni', '--join', address)
  const carol = open('chat', '--name', 'Carol', '--join', address)
  const other = open('chat', '--name', 'Dan', '--join', address, '--room', 'elsewhere')
  await Promise.all([bjarni.see(/connected/), carol.see(/connected/)])
  bjarni.type('good day')
  await Promise.all([ada.see(/^Bjarni: good day$/), carol.see(/^Bjarni: good day$/)])
  await other.see(/refused/)
})

test('proof-of-work: three processes, a fork made and resolved', async () => {
  const start = () => open('proof-of-work', '--bits', '12') // little work: it is not the miner that is tested
  const [ada, bjarni, carol] = [start(), start(), start()]
  const [address = ''] = await ada.see(/listening on (\S+)/)
  await bjarni.see(/listening/)
  bjarni.type(`join ${address}`)
  await ada.see(/connected/)
  ada.type('claim althing=ada')
  ada.type('claim bridge=ada')
  ada.type('mine 3')
  await bjarni.see(/new tip 3/)
  await carol.see(/listening/)
  carol.type('claim althing=carol')
  carol.type('mine 5')
  const [tip] = await carol.see(/^tip 5 (\S+)/)

  carol.type(`join ${address}`)
  for (const node of [ada, bjarni]) {
    await node.see(/fork resolved: 3 blocks out, 4 in, new tip 4/)
    assert.deepEqual(await node.see(/new tip 5 (\S+)/), [tip])
  }
  for (const node of [ada, bjarni, carol]) {
    node.type('who althing')
    assert.deepEqual(await node.see(/althing belongs to (\S+)/), ['carol'])
  }

  bjarni.type('mine 1')
  for (const node of [ada, bjarni, carol]) await node.see(/tip 6/)
  ada.type('who bridge')
  assert.deepEqual(await ada.see(/bridge belongs to (\S+)/), ['ada'], 'what harms nobody comes back')
})

test('supply chain: a season of bread is loaded, a bad harvest is found in the stores (PC-6)', async () => {
  await using network = await TestNetwork.create({ authorities: 1, policy: 'open', intervalMs: 50 })
  await network.start()
  const keys = Array.from({ length: 4 }, (_, i) => {
    const file = join(network.folder, `organisation-${i}.key`)
    writeFileSync(file, JSON.stringify({ seed: `${i + 1}`.repeat(64) }))
    return file
  })
  // For the fees.
  const sender = await network.sender()
  await sender.send(keys.map((file) => transfer({ to: signerOf(file).publicKey, amount: 1_000n })))
  const [node] = network.nodes
  const example = open(
    'supply-chain',
    '--api',
    node!.client.url.href,
    ...keys.flatMap((file) => ['--key', file]),
  )
  const [deliveries, stores] = await example.see(/^Recall of wheat-17: (\d+) deliveries in (\d+) stores$/)
  assert.deepEqual([deliveries, stores], ['12', '10'])
  const [steps, signers] = await example.see(
    /^pallet-\d+ goes back over (\d+) steps, signed by (\d+) accounts/,
  )
  assert.ok(Number(steps) >= 9)
  assert.equal(signers, '3', 'farm, mill and bakery each signed their own')
  const { graphs } = await node!.client.graphs.list()
  const counts = graphs.map(({ name, statements }) => [name.split('/').at(-1), statements] as const)
  assert.deepEqual(Object.fromEntries(counts), { bakery: 8_752, farm: 2_002, mill: 2_069, retailer: 4_202 })
})
