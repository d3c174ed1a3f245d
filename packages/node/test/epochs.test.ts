/** Four real nodes on one machine, with the real ledger: an authority changes its key, another loses its votes (R11, R12). */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { after, before, describe, it } from 'node:test'
import {
  AUTHORITY_RULES_DEFAULT,
  authorityRotateKey,
  bytesToHex,
  GENESIS_VERSION,
  keyRotationSignBytes,
  POLICY_OPEN,
  portableSigner,
  signTransaction,
  silentLog,
  TRANSACTION_VERSION,
  utf8ToBytes,
  ZERO_HASH,
} from '@althing/base'
import type { Genesis, Signer } from '@althing/base'
import { AlthingClient, fetchTrusted, verifyKv } from '@althing/client'
import { loadConfig } from '../src/config/index.ts'
import { voteLogFolder } from '../src/consensus/authority-keys.ts'
import { createVoteLogFiles } from '../src/consensus/vote-log-segments.ts'
import { chainOf } from '../src/genesis-state.ts'
import { startNode } from '../src/node.ts'
import type { RunningNode } from '../src/node.ts'

const NETWORK = 'epochs'
const signerOf = (byte: number): Signer => portableSigner(new Uint8Array(32).fill(byte))
const authorities = [1, 2, 3, 4].map(signerOf)
const newKey = signerOf(5)
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }
const genesis: Genesis = {
  version: GENESIS_VERSION,
  networkId: utf8ToBytes(NETWORK),
  timestamp: Date.now(),
  authorities: authorities.map(({ publicKey }) => ({ key: publicKey, weight: 1 })),
  allocations: [],
  members: [],
  policy: POLICY_OPEN,
  feeSink: ZERO_HASH,
  feeMin: 1n,
  intervalMs: 50,
  idleIntervalMs: 50,
  blockBytesMax: 1_048_576,
  authorityRules: { ...AUTHORITY_RULES_DEFAULT, epochBlocksMin: 2, epochBlocksMax: 6 },
}
const chain = chainOf(genesis)
const folder = mkdtempSync(join(tmpdir(), 'althing-epochs-'))
const dataFolderOf = (index: number): string => join(folder, String(index))
const nodes: RunningNode[] = []

/** @param index 0 to 3: an authority; the first has a second key. */
async function start(index: number): Promise<RunningNode> {
  const config = await loadConfig({ environment: {} })
  const keyOf = (signer: Signer): { signer: Signer; keyFile: null } => ({ signer, keyFile: null })
  const node = await startNode({
    config: {
      ...config,
      node: { ...config.node, dataFolder: dataFolderOf(index), name: `node ${index}` },
      network: {
        ...config.network,
        listen: ['/ip4/127.0.0.1/tcp/0'],
        bootstrap: nodes.flatMap(({ addresses }) => addresses),
        mdns: false,
        dht: false,
      },
      api: { ...config.api, port: 0 },
    },
    genesis,
    identity: new Uint8Array(32).fill(100 + index),
    ...(index < 4 && { authority: keyOf(authorities[index]!) }),
    ...(index === 0 && { nextAuthority: keyOf(newKey) }),
    log: silentLog,
    clock,
  })
  nodes[index] = node
  return node
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 30_000
  while (!condition()) {
    assert.ok(performance.now() < endMs, `not in 30 s: ${what}`)
    await wait(20)
  }
}

const infoOf = (index: number) => nodes[index]!.backend.info()
const keysOf = (index: number): string[] =>
  infoOf(index).consensus.authorities.map(({ public_key: key }) => key)

async function grow(blocks: number, among: readonly number[]): Promise<void> {
  const target = infoOf(among[0]!).finalized_height + blocks
  await until(`${blocks} more blocks`, () => among.every((index) => infoOf(index).finalized_height >= target))
}

describe('epochs of a network of real nodes', () => {
  before(async () => {
    for (const [index, { publicKey: key }] of [...authorities, newKey].entries()) {
      const dataFolder = dataFolderOf(index === 4 ? 0 : index)
      createVoteLogFiles(voteLogFolder(dataFolder, key), { genesis: chain.hash, key })
    }
    for (let index = 0; index < 4; index++) await start(index)
  })
  after(async () => {
    for (const node of nodes) await node.stop()
    rmSync(folder, { recursive: true })
  })

  it('change the key of an authority without a pause; it votes with the new one', async () => {
    await grow(2, [0, 1, 2, 3])
    const [old] = authorities as [Signer]
    const possession = newKey.sign(keyRotationSignBytes(chain.hash, old.publicKey, newKey.publicKey, 0))
    const rotation = {
      version: TRANSACTION_VERSION,
      genesis: chain.hash,
      sender: old.publicKey,
      nonce: 0,
      validUntil: 1_000,
      fee: 0n,
      operations: [authorityRotateKey({ newKey: newKey.publicKey, possession })],
    }
    const [taken] = await nodes[1]!.backend.submit([signTransaction(rotation, NETWORK, old)])
    assert.ok(taken?.ok)
    await until('the new key is in the set', () => keysOf(0).includes(bytesToHex(newKey.publicKey)))
    assert.ok(!keysOf(0).includes(bytesToHex(old.publicKey)))
    assert.equal(infoOf(0).consensus.observer, null)
    await nodes[1]!.stop()
    await grow(4, [0, 2, 3])
    await start(1)
    await grow(3, [0, 1, 2, 3])
  })

  it('give an authority that lost its votes its voice back after one end of an epoch', async () => {
    await nodes[3]!.stop()
    rmSync(join(dataFolderOf(3), 'votes'), { recursive: true })
    await start(3)
    assert.match(infoOf(3).consensus.observer!, /vote log was lost/)
    await until('it votes again', () => infoOf(3).consensus.observer === null)
    await nodes[2]!.stop()
    await grow(4, [0, 1, 3])
    await start(2)
  })

  it('are followed by a node that comes late, and by a light client from genesis alone', async () => {
    await start(4)
    const { epoch } = infoOf(0).consensus
    assert.ok(epoch >= 2)
    await until('it has caught up', () => infoOf(4).consensus.epoch >= epoch)
    const client = new AlthingClient({ url: nodes[4]!.apiUrl })
    const trusted = await fetchTrusted(client, chain.hash)
    assert.ok(trusted.epoch.epoch >= epoch)
    const proved = verifyKv('nobody', await client.kv('nobody'), await fetchTrusted(client, chain.hash))
    assert.ok(proved.ok, JSON.stringify(proved))
  })
})
