/**
 * Signed transactions of a benchmark, made before anything is measured. Entries: each writes a new key, and key and value
 * have 200 bytes together. Statements: each inserts 100 into a graph of the account.
 * @module
 */
import { createHash } from 'node:crypto'
import { signTransaction, TRANSACTION_VERSION, utf8ToBytes } from '@althing/base'
import { graphCreate, graphInsert, kvPut } from '@althing/client'
import type { Operation, Signer } from '@althing/client'
import { nativeSigner } from 'althing'

/** Of key and value together. */
const ENTRY_BYTES = 200
/** Of a transaction of the workload of statements. */
export const TRANSACTION_STATEMENTS = 100
/** Blocks until which the transactions are valid: longer than any benchmark. */
const VALID_UNTIL = 1_000_000

export interface ChainIdentity {
  readonly networkId: string
  readonly genesisHash: Uint8Array
}

/** The same accounts each time. */
export function benchAccounts(count: number): Signer[] {
  return Array.from({ length: count }, (_, i) =>
    nativeSigner(createHash('sha256').update(`althing bench account ${i}`).digest()),
  )
}

export type Workload = 'entries' | 'statements'

/** @param name tells accounts apart. @returns the transaction, encoded. */
export type Sign = (signer: Signer, name: string, nonce: number, chain: ChainIdentity) => Uint8Array

/** @param nonce also tells the account's keys apart. */
export const signPut: Sign = (signer, name, nonce, chain) => {
  const key = utf8ToBytes(`bench/${name}/${nonce.toString().padStart(8, '0')}`)
  const value = new Uint8Array(ENTRY_BYTES - key.length).fill(nonce)
  return signOperations([kvPut({ key, value })], signer, nonce, chain)
}

/**
 * An account makes a graph, inserts all statements, 100 at a time, and goes on with another graph.
 * @param statements distinct ones, without graph and full stop.
 */
export function statementsSign(statements: readonly string[]): Sign {
  const inserts = Math.floor(statements.length / TRANSACTION_STATEMENTS)
  return (signer, name, nonce, chain) => {
    const graph = `urn:bench:${name}/${Math.floor(nonce / (inserts + 1))}`
    const turn = nonce % (inserts + 1)
    const from = (turn - 1) * TRANSACTION_STATEMENTS
    const operation =
      turn === 0
        ? graphCreate({ graph })
        : graphInsert({ graph, statements: statements.slice(from, from + TRANSACTION_STATEMENTS) })
    return signOperations([operation], signer, nonce, chain)
  }
}

/** @returns the transaction, encoded. */
export function signOperations(
  operations: readonly Operation[],
  signer: Signer,
  nonce: number,
  chain: ChainIdentity,
): Uint8Array {
  const body = {
    version: TRANSACTION_VERSION,
    genesis: chain.genesisHash,
    sender: signer.publicKey,
    nonce,
    validUntil: VALID_UNTIL,
    fee: 1n,
    operations: [...operations],
  }
  return signTransaction(body, chain.networkId, signer)
}
