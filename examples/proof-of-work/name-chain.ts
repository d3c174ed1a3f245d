/**
 * A register of names, secured by work: whoever claims a name first has it. The chain with the most work counts, which need not be the
 * longest. Nothing here knows of peers.
 * @module
 */
import { createMemoryBlockStore, createMemoryMempool, createMemoryTransactionStore } from '@althing/network'
import type { Block, BlockInfo, Consensus, Judgement } from '@althing/network'
import { bodyHash, decodeHeader, encodeHeader, idOf, infoOf, leadingZeroBits, sha256 } from './header.ts'

/** Less work is no block. */
export const BITS_MIN = 8

const genesisHeader = encodeHeader({
  parent: new Uint8Array(32),
  body: bodyHash([]),
  height: 0,
  bits: 0,
  timeMs: 0,
  nonce: 0,
})
export const genesis: Block = { header: genesisHeader, transactions: [] }
export const genesisHash = sha256(genesisHeader)

/** What a block added, on top of its parent. */
interface Entry {
  readonly info: BlockInfo
  readonly work: bigint
  readonly ownerByName: ReadonlyMap<string, string>
}

interface Claim {
  readonly name: string
  readonly owner: string
}

const VALID: Judgement = { verdict: 'valid' }

export function createNameChain() {
  const entryById = new Map<string, Entry>()
  const genesisInfo = infoOf(genesisHeader, decodeHeader(genesisHeader)!)
  let best: Entry = { info: genesisInfo, work: 0n, ownerByName: new Map() }
  entryById.set(genesisInfo.id, best)

  const ownerAt = (name: string, id: string): string | undefined => {
    for (let entry = entryById.get(id); entry !== undefined; entry = entryById.get(entry.info.parentId)) {
      const owner = entry.ownerByName.get(name)
      if (owner !== undefined) return owner
    }
    return undefined
  }

  const judgeClaim = (bytes: Uint8Array): Judgement => {
    const claim = decodeClaim(bytes)
    if (claim === null) return invalid('no claim')
    // Nobody is to blame: it may have been free when the sender passed it on.
    if (ownerAt(claim.name, best.info.id) === undefined) return VALID
    return { verdict: 'notNow', reason: `${claim.name} is claimed already` }
  }

  const consensus: Consensus = {
    readHeader(bytes) {
      const header = decodeHeader(bytes)
      if (header === null) return { ok: false, fault: { code: 'MALFORMED', message: 'no header' } }
      return { ok: true, value: infoOf(bytes, header) }
    },
    transactionId: (bytes) => ({ ok: true, value: idOf(sha256(bytes)) }),
    judgeHeader(info, bytes) {
      const { bits } = decodeHeader(bytes)!
      const parent = entryById.get(info.parentId)
      if (info.height !== (parent?.info.height ?? -1) + 1) return invalid(`height ${info.height}`)
      if (bits < BITS_MIN) return invalid(`${bits} bits of work; ${BITS_MIN} are asked for`)
      if (leadingZeroBits(sha256(bytes)) < bits) return invalid(`not the ${bits} bits of work that it says`)
      return VALID
    },
    judgeBlock(info, { header, transactions }) {
      if (idOf(bodyHash(transactions)) !== idOf(decodeHeader(header)!.body))
        return invalid('other transactions')
      const names = new Set<string>()
      for (const transaction of transactions) {
        const claim = decodeClaim(transaction)
        if (claim === null) return invalid('a transaction that is no claim')
        if (names.has(claim.name) || ownerAt(claim.name, info.parentId) !== undefined) {
          return invalid(`${claim.name} is claimed already`)
        }
        names.add(claim.name)
      }
      return VALID
    },
    judgeTransactions: (transactions) => transactions.map(({ bytes }) => judgeClaim(bytes)),
    blockStored(info, { header, transactions }) {
      const claims = transactions.map((bytes) => decodeClaim(bytes)!)
      const entry: Entry = {
        info,
        work: entryById.get(info.parentId)!.work + 2n ** BigInt(decodeHeader(header)!.bits),
        ownerByName: new Map(claims.map(({ name, owner }) => [name, owner])),
      }
      entryById.set(info.id, entry)
      if (entry.work > best.work) best = entry // of two equal ones the first that came
      return best.info
    },
    tip: () => best.info,
    finalizedHeight: () => 0, // work is never final, only more and more unlikely to be undone
  }

  return {
    consensus,
    blockStore: createMemoryBlockStore(genesisInfo, genesis),
    txStore: createMemoryTransactionStore(),
    mempool: createMemoryMempool(),
    /** On the best chain. */
    owner: (name: string): string | undefined => ownerAt(name, best.info.id),
  }
}

export type NameChain = ReturnType<typeof createNameChain>

export function encodeClaim({ name, owner }: Claim): Uint8Array {
  return Buffer.from(`${name}=${owner}`)
}

/** @returns null for anything else. */
export function decodeClaim(bytes: Uint8Array): Claim | null {
  const [, name, owner] =
    /^([a-z0-9-]{1,64})=([a-z0-9-]{1,64})$/.exec(Buffer.from(bytes).toString('latin1')) ?? []
  return name === undefined || owner === undefined ? null : { name, owner }
}

function invalid(reason: string): Judgement {
  return { verdict: 'invalid', reason }
}
