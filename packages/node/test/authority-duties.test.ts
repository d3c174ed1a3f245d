import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  decodeAuthorityOperation,
  decodeTransaction,
  fail,
  FINALIZE,
  hashToHex,
  makeEvidence,
  NULLIFY,
  ok,
  portableSigner,
  silentLog,
  transactionId,
  ZERO_HASH,
} from '@althing/base'
import type { Evidence, Result, VoteSigner } from '@althing/base'
import { AuthorityDuties } from '../src/consensus/authority-duties.ts'
import type { DutyPorts } from '../src/consensus/authority-duties.ts'

const signer = portableSigner(new Uint8Array(32).fill(1))
const other = portableSigner(new Uint8Array(32).fill(2))
const vote = { epoch: 3, anchor: ZERO_HASH, view: 5, signer: 2, signature: new Uint8Array(64) }
const evidence: Evidence = makeEvidence(
  { ...vote, kind: NULLIFY, hash: ZERO_HASH },
  { ...vote, kind: FINALIZE, hash: new Uint8Array(32).fill(1) },
)

/** Duties with a pool that holds what the test says it holds. */
class World {
  readonly said: string[] = []
  readonly pool = new Set<string>()
  answer: Result<unknown> = ok(undefined)
  readonly executor = { final: { state: null, height: 100 }, admission: { height: 101 } }
  set = [{ key: signer.publicKey, weight: 1 }]
  candidates: { key: Uint8Array; heartbeatAt: number | null; staleAt: number | null }[] = []
  readonly duties: AuthorityDuties

  constructor(signers: readonly VoteSigner[] = [signer]) {
    const ports = {
      signers,
      networkId: 'test',
      genesisHash: ZERO_HASH,
      executor: this.executor,
      ledger: {
        authorities: () => ({ set: this.set, candidates: this.candidates, rules: { heartbeatBlocks: 30 } }),
      },
      mempool: { nextNonce: () => this.pool.size },
      intake: {
        submit: ([encoded]: readonly Uint8Array[]) => {
          this.#note(encoded!)
          return Promise.resolve([this.answer])
        },
        isKnown: (id: string) => this.pool.has(id),
      },
      log: silentLog,
    }
    this.duties = new AuthorityDuties(ports as unknown as DutyPorts)
  }

  #note(encoded: Uint8Array): void {
    const decoded = decodeTransaction(encoded)
    assert.ok(decoded.ok)
    const operation = decodeAuthorityOperation(decoded.value.body.operations[0]!.body)
    assert.ok(operation.ok)
    assert.equal(decoded.value.body.fee, 0n)
    this.said.push(operation.value.kind)
    if (this.answer.ok) this.pool.add(hashToHex(transactionId(encoded)))
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('what an authority says by itself', () => {
  it('a rejoin is said once while it waits, and again when it was lost; only by the key that it is for (R12)', () => {
    const world = new World()
    const nonce = new Uint8Array(32).fill(7)
    for (let i = 0; i < 3; i++) world.duties.rejoin(signer.publicKey, nonce)
    world.duties.rejoin(other.publicKey, nonce)
    assert.deepEqual(world.said, ['rejoin'])
    world.pool.clear()
    world.duties.rejoin(signer.publicKey, nonce)
    assert.deepEqual(world.said, ['rejoin', 'rejoin'])
  })

  it('an accusation is brought forward, also one of former times, until the chain knows of it', async () => {
    const world = new World()
    world.duties.recall([evidence])
    world.duties.beat()
    assert.deepEqual(world.said, ['evidence'])
    world.pool.clear()
    world.answer = fail('EVIDENCE_KNOWN', 'known')
    world.duties.beat()
    await turn()
    world.duties.beat()
    assert.deepEqual(world.said, ['evidence', 'evidence'])
  })

  it('nobody outside the set accuses: it would have to pay', () => {
    const world = new World()
    world.set = [{ key: other.publicKey, weight: 1 }]
    world.duties.accuse(evidence)
    assert.deepEqual(world.said, [])
  })

  it('a key that is about to enter the set shows that it lives, now and then (R11)', () => {
    const world = new World()
    world.candidates = [{ key: signer.publicKey, heartbeatAt: null, staleAt: null }]
    world.duties.beat()
    assert.deepEqual(world.said, ['heartbeat'])
    world.pool.clear()
    world.candidates = [{ key: signer.publicKey, heartbeatAt: 101, staleAt: 131 }]
    const { final } = world.executor
    for (final.height = 101; final.height < 110; final.height++) world.duties.beat()
    assert.deepEqual(world.said, ['heartbeat'])
    final.height = 110
    world.duties.beat()
    assert.deepEqual(world.said, ['heartbeat', 'heartbeat'])
  })

  it('what a signer elsewhere does not sign is not said', () => {
    const world = new World([{ publicKey: signer.publicKey, sign: () => null }])
    world.duties.accuse(evidence)
    assert.deepEqual(world.said, [])
  })
})
