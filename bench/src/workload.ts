/**
 * Signed transactions of a benchmark, made before anything is measured: each writes a new key, and key and value have
 * 200 bytes together.
 * @module
 */
import { createHash } from 'node:crypto'
import { signTransaction, TRANSACTION_VERSION, utf8ToBytes } from '@althing/base'
import { kvPut } from '@althing/client'
import type { Signer } from '@althing/client'
import { nativeSigner } from 'althing'

/** Of key and value together. */
const ENTRY_BYTES = 200
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

/** Encoded. @param nonce also tells the account's keys apart. */
export function signPut(signer: Signer, name: string, nonce: number, chain: ChainIdentity): Uint8Array {
  const key = utf8ToBytes(`bench/${name}/${nonce.toString().padStart(8, '0')}`)
  const value = new Uint8Array(ENTRY_BYTES - key.length).fill(nonce)
  const body = {
    version: TRANSACTION_VERSION,
    genesis: chain.genesisHash,
    sender: signer.publicKey,
    nonce,
    validUntil: VALID_UNTIL,
    fee: 1n,
    operations: [kvPut({ key, value })],
  }
  return signTransaction(body, chain.networkId, signer)
}
