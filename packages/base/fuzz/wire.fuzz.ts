/**
 * Wire objects: what decodes encodes to the same bytes, so that there is one encoding of each.
 * @module
 */
import assert from 'node:assert/strict'
import type { Type } from '@chainsafe/ssz'
import { Certificate, Proposal, Vote } from '../src/schema/consensus.ts'
import { decodeFinalHeader, FinalHeader } from '../src/schema/final-header.ts'
import { decodeAccountsOperation, decodeKvOperation, kvPut, transfer } from '../src/schema/operations.ts'
import { Block, decodeBlock, Genesis } from '../src/schema/block.ts'
import { decodeTransaction, Transaction } from '../src/schema/transaction.ts'
import { decode } from '../src/schema/types.ts'

function canonical<T>(type: Type<T>) {
  return {
    seeds: () => [type.serialize(type.defaultValue())],
    run(bytes: Uint8Array): void {
      const decoded = decode(type, bytes, 1 << 20)
      if (decoded.ok) assert.deepEqual(type.serialize(decoded.value), bytes)
    },
  }
}

const put = kvPut({ key: Uint8Array.of(1, 2), value: Uint8Array.of(3) })
const pay = transfer({ to: new Uint8Array(32), amount: 7n })
const transaction: Transaction = {
  body: { ...Transaction.defaultValue().body, operations: [put, pay] },
  witness: new Uint8Array(65),
}
const encoded = Transaction.serialize(transaction)
const block: Block = { ...Block.defaultValue(), transactions: [encoded, encoded] }

export const targets = {
  transaction: {
    ...canonical(Transaction),
    seeds: () => [encoded],
    run(bytes: Uint8Array): void {
      const decoded = decodeTransaction(bytes)
      if (decoded.ok) assert.deepEqual(Transaction.serialize(decoded.value), bytes)
    },
  },
  block: {
    seeds: () => [Block.serialize(block)],
    run(bytes: Uint8Array): void {
      const decoded = decodeBlock(bytes)
      if (decoded.ok) assert.deepEqual(Block.serialize(decoded.value), bytes)
    },
  },
  operation: {
    seeds: () => [put.body, pay.body],
    run(bytes: Uint8Array): void {
      decodeKvOperation(bytes)
      decodeAccountsOperation(bytes)
    },
  },
  finalHeader: {
    seeds: () => [
      FinalHeader.serialize({ ...FinalHeader.defaultValue(), path: [FinalHeader.defaultValue().header] }),
    ],
    run(bytes: Uint8Array): void {
      const decoded = decodeFinalHeader(bytes)
      if (decoded.ok) assert.deepEqual(FinalHeader.serialize(decoded.value), bytes)
    },
  },
  vote: canonical(Vote),
  certificate: canonical(Certificate),
  proposal: { ...canonical(Proposal), bytesMax: 8_192 },
  genesis: canonical(Genesis),
}
