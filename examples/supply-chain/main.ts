/**
 * Bread from farm to shelf: four organisations write what they did, each with its own key into its own graph; then a harvest
 * turns out to be bad. Run it as `npm run example supply-chain` beside `npm start`.
 * @module
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { AlthingClient, fetchTrusted, graphCreate, parseHash, portableSigner, Sender } from '@althing/client'
import type { SettledTransaction, Signer, Trusted } from '@althing/client'
import { packStatements, readRdf } from '@althing/client/rdf'
import { BAD_HARVEST, organisations, recallQuery } from './story.ts'
import type { Organisation } from './story.ts'

const ACCOUNTS = 'althing-devnet/accounts'

const { values } = parseArgs({
  options: {
    api: { type: 'string', default: 'http://127.0.0.1:8545' },
    key: {
      type: 'string',
      multiple: true,
      default: [0, 1, 2, 3].map((n) => `${ACCOUNTS}/sender-${n}.key`),
    },
  },
})

const client = new AlthingClient({ url: values.api })
const genesisHash = parseHash((await client.genesis()).genesis_hash)!
const trusted = await fetchTrusted(client, genesisHash)

const all = organisations()
await Promise.all(all.map((one, i) => write(one, signerOf(values.key[i % values.key.length]!), trusted)))

const recall = await client.query(recallQuery(BAD_HARVEST), { accept: 'application/sparql-results+json' })
const { results } = JSON.parse(recall.text) as {
  results: { bindings: { store: { value: string }; pallet: { value: string }; since: { value: string } }[] }
}
const stores = new Set(results.bindings.map(({ store }) => store.value))
console.log(
  `\nRecall of ${short(BAD_HARVEST)}: ${results.bindings.length} deliveries in ${stores.size} stores`,
)
for (const { store, pallet, since } of results.bindings.slice(0, 5)) {
  console.log(`  ${short(store.value)}: ${short(pallet.value)}, received ${since.value}`)
}
if (results.bindings.length > 5) console.log(`  … and ${results.bindings.length - 5} more`)

const [first] = results.bindings
if (first !== undefined) {
  const trace = await client.graphs.trace(first.pallet.value)
  const signers = new Set(trace.steps.map(({ signer }) => signer))
  console.log(
    `\n${short(first.pallet.value)} goes back over ${trace.steps.length} steps, signed by ${signers.size} accounts, to`,
  )
  for (const { label, iri, depth } of trace.things) {
    if (!trace.steps.some(({ from }) => from === iri))
      console.log(`  ${label ?? short(iri)} (${depth} steps away)`)
  }
  console.log(`\nalthing trace ${first.pallet.value} --api ${values.api} --svg trace.svg`)
}

async function write(
  { name, graph, turtle, events }: Organisation,
  signer: Signer,
  chain: Trusted,
): Promise<void> {
  const { groups, quads } = await readRdf(turtle, { format: 'text/turtle', graph })
  const sender = await Sender.open(client, signer, chain)
  if ((await client.graphs.find(graph)) === null) assertFinal(await sender.send([graphCreate({ graph })]))
  const packed = packStatements(groups, 'insert')
  const signed = packed.map(({ operations }) => sender.sign(operations))
  const refused = (await client.submitMany(signed.map(({ bytes }) => bytes))).find(
    ({ accepted }) => !accepted,
  )
  if (refused !== undefined) throw new Error(`${name}: ${refused.error?.code}, ${refused.error?.message}`)
  for (const { id } of signed) assertFinal(await client.waitForFinal(id))
  console.log(
    `${name}: ${events} events, ${quads} statements in ${graph}, ${signed.length} transactions, final`,
  )
}

function assertFinal({ id, status, fault }: SettledTransaction): void {
  if (status !== 'final') throw new Error(`transaction ${id} is ${status}: ${fault?.code}, ${fault?.message}`)
}

function signerOf(keyFile: string): Signer {
  const { seed } = JSON.parse(readFileSync(keyFile, 'utf8')) as { seed: string }
  return portableSigner(parseHash(seed)!)
}

function short(iri: string): string {
  return iri.slice(iri.lastIndexOf('/') + 1)
}
