/**
 * `althing tx build`, `show`, `sign`, `combine`, `submit`: transactions whose signatures are made apart, by keys that need
 * not be on a machine with a network (PC-11).
 * @module
 */
import {
  bytesToHex,
  decodeAccountsOperation,
  decodeKvOperation,
  equalBytes,
  MODULE_ACCOUNTS,
  MODULE_KV,
  multisigAccountId,
  sha256,
  TransactionBody,
  TRANSACTION_VERSION,
  transactionSignBytes,
  utf8ToBytes,
} from '@althing/base'
import type { KvOperation, Operation } from '@althing/base'
import { kvDelete, kvPut, transfer } from '@althing/client'
import { Command, InvalidArgumentError } from 'commander'
import { loadSigner, passphraseFrom } from '../keys/index.ts'
import { configOption, tokenFileOption, openClient } from './api-access.ts'
import type { AccessOptions } from './api-access.ts'
import { assertApplied, genesisOption, openChain } from './chain-access.ts'
import type { GenesisOption } from './chain-access.ts'
import { CliError } from './failure.ts'
import { apiOption, jsonOption, keyOption, parseAmount, parseHex32, parseInteger } from './options.ts'
import type { JsonOption, KeyOption } from './options.ts'
import { createOutput } from './output.ts'
import { assemble, keysOf, readPolicy, readTransactionFile, writeTransactionFile } from './tx-file.ts'
import type { UnsentTransaction } from './tx-file.ts'

interface BuildOptions extends AccessOptions, GenesisOption, JsonOption {
  readonly policy?: string
  readonly sender?: Uint8Array
  readonly to?: Uint8Array
  readonly amount?: bigint
  readonly kvPut: readonly (readonly [string, string])[]
  readonly kvDelete: readonly string[]
  readonly nonce?: number
  readonly networkId?: string
  readonly validUntil?: number
  readonly fee?: bigint
}

const VALID_FOR_BLOCKS = 172_800
const VALUE_CHARACTERS_SHOWN = 200
const COUNTER = parseInteger(0, Number.MAX_SAFE_INTEGER)

export function offlineCommands(): Command[] {
  return [
    new Command('build')
      .description('write a transaction to be signed into a file')
      .argument('<file>', 'what to make')
      .option('--policy <file>', 'the sender: a multi-signature account, as "althing multisig new" wrote it')
      .option('--sender <account>', 'the sender: an account of one key', parseHex32)
      .option('--to <account>', 'transfer to this account', parseHex32)
      .option('--amount <amount>', 'how much', parseAmount)
      .option('--kv-put <key=value>', 'write a key; may be repeated', addPut, [])
      .option('--kv-delete <key>', 'delete a key; may be repeated', addText, [])
      .option('--nonce <number>', "the sender's next nonce", COUNTER)
      .option('--network-id <text>', 'name of the network')
      .option('--valid-until <height>', 'the last block that may have it', COUNTER)
      .option('--fee <amount>', 'its fee', parseAmount)
      .addOption(genesisOption())
      .addOption(apiOption())
      .addOption(configOption())
      .addOption(jsonOption())
      .addHelpText(
        'after',
        `
With --nonce, --network-id, --genesis, --valid-until and --fee no network is used; what is not given is asked of a node.
Examples:
  althing multisig new treasury.json --threshold 2 3b6a…29 77c0…1e 90ab…44
  althing tx build pay.json --policy treasury.json --to 3b6a…29 --amount 1000
  althing tx sign pay.json --key alice.key            on Alice's machine
  althing tx sign pay-bob.json --key bob.key          on Bob's, in a copy
  althing tx combine pay.json pay-bob.json
  althing tx submit pay.json`,
      )
      .action(build),
    new Command('show')
      .description('say what a transaction does, and who has signed it')
      .argument('<file>', 'of "tx build"')
      .addOption(jsonOption())
      .action(async (file: string, options: JsonOption) => {
        const transaction = await readTransactionFile(file)
        createOutput(options).result(describe(transaction).join('\n'), resultOf(file, transaction))
      }),
    new Command('sign')
      .description('add the signature of a key; needs no network')
      .argument('<file>', 'of "tx build"')
      .addOption(keyOption())
      .addOption(jsonOption())
      .action(sign),
    new Command('combine')
      .description('put the signatures of copies into the first file')
      .argument('<file>', 'of "tx build"')
      .argument('<copies...>', 'the same transaction, signed by others')
      .addOption(jsonOption())
      .action(combine),
    new Command('submit')
      .description('send a transaction that has its signatures, and wait until it is final')
      .argument('<file>', 'of "tx build"')
      .addOption(apiOption())
      .addOption(configOption())
      .addOption(tokenFileOption())
      .addOption(jsonOption())
      .action(submit),
  ]
}

function addPut(text: string, before: readonly (readonly [string, string])[]): typeof before {
  const [, key, value] = /^([^=]+)=([^]*)$/.exec(text) ?? []
  if (key === undefined || value === undefined)
    throw new InvalidArgumentError(`Found "${text}"; expected key=value.`)
  return [...before, [key, value]]
}

function addText(text: string, before: readonly string[]): readonly string[] {
  return [...before, text]
}

async function build(file: string, options: BuildOptions): Promise<void> {
  const policy = options.policy === undefined ? null : await readPolicy(options.policy)
  const sender = policy === null ? options.sender : multisigAccountId(policy)
  if (sender === undefined) throw new CliError('USAGE', 'name the sender with --policy or --sender')
  const operations = operationsOf(options)
  const { networkId, genesis, nonce, validUntil, fee } = await placeOf(sender, options)
  const body = { version: TRANSACTION_VERSION, genesis, sender, nonce, validUntil, fee, operations }
  const transaction = { networkId, body, policy, signatures: [] }
  await writeTransactionFile(file, transaction, true)
  createOutput(options).result(describe(transaction).join('\n'), resultOf(file, transaction))
}

function operationsOf({ to, amount, kvPut: puts, kvDelete: deletes }: BuildOptions): Operation[] {
  if ((to === undefined) !== (amount === undefined))
    throw new CliError('USAGE', '--to and --amount belong together')
  const operations = [
    ...(to === undefined || amount === undefined ? [] : [transfer({ to, amount })]),
    ...puts.map(([key, value]) => kvPut({ key: utf8ToBytes(key), value: utf8ToBytes(value) })),
    ...deletes.map((key) => kvDelete({ key: utf8ToBytes(key) })),
  ]
  if (operations.length > 0) return operations
  throw new CliError('USAGE', 'say what it does, with --to and --amount, --kv-put or --kv-delete')
}

interface Place {
  readonly networkId: string
  readonly genesis: Uint8Array
  readonly nonce: number
  readonly validUntil: number
  readonly fee: bigint
}

/** Given, or asked of a node. */
async function placeOf(sender: Uint8Array, options: BuildOptions): Promise<Place> {
  const { networkId, genesis, nonce, validUntil, fee } = options
  if (
    networkId !== undefined &&
    genesis !== undefined &&
    nonce !== undefined &&
    validUntil !== undefined &&
    fee !== undefined
  )
    return { networkId, genesis, nonce, validUntil, fee }
  const { client, trusted } = await openChain(options)
  const [account, info] = await Promise.all([client.account(sender), client.info()])
  return {
    networkId: networkId ?? trusted.networkId,
    genesis: trusted.genesisHash,
    nonce: nonce ?? account.pending_nonce,
    validUntil: validUntil ?? info.finalized_height + VALID_FOR_BLOCKS,
    fee: fee ?? trusted.genesis.feeMin,
  }
}

async function sign(file: string, options: KeyOption & JsonOption): Promise<void> {
  const transaction = await readTransactionFile(file)
  const signer = await loadSigner(options.key, passphraseFrom({ environment: process.env }))
  const key = signer.publicKey
  if (!keysOf(transaction).some((one) => equalBytes(one, key))) {
    const whose = keysOf(transaction).map(bytesToHex).join(', ')
    throw new CliError('USAGE', `${bytesToHex(key)} has no say in this account; these have: ${whose}`)
  }
  const signature = signer.sign(transactionSignBytes(transaction.body, transaction.networkId))
  const signed = withSignatures(transaction, [{ key, signature }])
  await writeTransactionFile(file, signed, false)
  createOutput(options).result(describe(signed).join('\n'), resultOf(file, signed))
}

async function combine(file: string, copies: readonly string[], options: JsonOption): Promise<void> {
  let transaction = await readTransactionFile(file)
  for (const copy of copies) {
    const other = await readTransactionFile(copy)
    const isSame =
      other.networkId === transaction.networkId &&
      equalBytes(TransactionBody.serialize(other.body), TransactionBody.serialize(transaction.body))
    if (!isSame) throw new CliError('INPUT_INVALID', `${copy} is another transaction than ${file}`)
    transaction = withSignatures(transaction, other.signatures)
  }
  await writeTransactionFile(file, transaction, false)
  createOutput(options).result(describe(transaction).join('\n'), resultOf(file, transaction))
}

async function submit(file: string, options: AccessOptions & JsonOption): Promise<void> {
  const transaction = await readTransactionFile(file)
  const encoded = assemble(transaction)
  if (!encoded.ok) {
    const advice = `Who has not signed yet: ${missingOf(transaction).map(bytesToHex).join(', ')}. They run: althing tx sign`
    throw new CliError('INPUT_INVALID', `${file}: ${encoded.fault.message}`, advice)
  }
  const client = await openClient(options)
  const { id } = await client.submit(encoded.value)
  const settled = assertApplied(await client.waitForFinal(parseHex32(id)))
  createOutput(options).result(`final in block ${settled.height} (transaction ${settled.id})`, settled)
}

function withSignatures(
  transaction: UnsentTransaction,
  more: UnsentTransaction['signatures'],
): UnsentTransaction {
  const kept = transaction.signatures.filter(({ key }) => !more.some((one) => equalBytes(one.key, key)))
  return { ...transaction, signatures: [...kept, ...more] }
}

function missingOf(transaction: UnsentTransaction): readonly Uint8Array[] {
  return keysOf(transaction).filter((key) => !transaction.signatures.some((one) => equalBytes(one.key, key)))
}

/** What one signs, in words. */
function describe(transaction: UnsentTransaction): string[] {
  const { networkId, body, policy, signatures } = transaction
  const needed = policy?.threshold ?? 1
  return [
    `From ${bytesToHex(body.sender)} on network ${networkId}, nonce ${body.nonce}, fee ${body.fee}, until block ${body.validUntil}:`,
    ...body.operations.map((operation) => `  ${operationText(operation)}`),
    `Signed by ${signatures.length} of ${needed} needed${signatures.map(({ key }) => `\n  ${bytesToHex(key)}`).join('')}`,
  ]
}

function operationText({ module, body }: Operation): string {
  if (module === MODULE_ACCOUNTS) {
    const read = decodeAccountsOperation(body)
    if (read.ok) return `transfer ${read.value.amount} to ${bytesToHex(read.value.to)}`
  }
  if (module === MODULE_KV) {
    const read = decodeKvOperation(body)
    if (read.ok) return kvText(read.value)
  }
  return `an operation of module ${module}, ${body.length} bytes`
}

function kvText(operation: KvOperation): string {
  const { kind } = operation
  const key = JSON.stringify(Buffer.from(operation.key).toString())
  if (operation.kind === 'put') return `write the key ${key}: ${valueText(operation.value)}`
  return operation.kind === 'delete'
    ? `delete the key ${key}`
    : `${kind} the key ${key}: ${bytesToHex(operation.account)}`
}

function valueText(value: Uint8Array): string {
  const text = JSON.stringify(Buffer.from(value).toString())
  if (text.length <= VALUE_CHARACTERS_SHOWN) return text
  return `${text.slice(0, VALUE_CHARACTERS_SHOWN)}… (${value.length} bytes, SHA-256 ${bytesToHex(sha256(value))})`
}

function resultOf(file: string, transaction: UnsentTransaction): object {
  const { networkId, body, policy, signatures } = transaction
  return {
    file,
    network_id: networkId,
    sender: bytesToHex(body.sender),
    nonce: body.nonce,
    fee: body.fee.toString(),
    valid_until: body.validUntil,
    operations: body.operations.map(operationText),
    needed: policy?.threshold ?? 1,
    signed_by: signatures.map(({ key }) => bytesToHex(key)),
    not_signed: missingOf(transaction).map(bytesToHex),
  }
}
