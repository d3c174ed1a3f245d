/**
 * `althing kv`: read and write the key-value state.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { bytesToHex, bytesToUtf8, utf8ToBytes } from '@althing/base'
import { base64ToBytes, followEpochs, kvDelete, kvGrant, kvPut, kvRevoke, verifyKv } from '@althing/client'
import type { KvJson, Operation, ProvedKv, Trusted } from '@althing/client'
import { Command } from 'commander'
import { loadSigner, passphraseFrom } from '../keys/index.ts'
import { configOption, tokenFileOption } from './api-access.ts'
import { genesisOption, openChain, sendOperations } from './chain-access.ts'
import type { GenesisOption, SendOptions } from './chain-access.ts'
import { resourcesOf } from './dataset.ts'
import type { Entry } from './dataset.ts'
import { CliError } from './failure.ts'
import { loadEntries } from './load.ts'
import { apiOption, jsonOption, keyOption, parseAmount, parseHex32 } from './options.ts'
import type { ApiOption, JsonOption } from './options.ts'
import { counted, createOutput, formatMs } from './output.ts'
import { progressBar } from './progress.ts'

export function kvCommand(): Command {
  const kv = new Command('kv').description('read and write the key-value state').addHelpText(
    'after',
    `
Who writes a key first owns it; nobody else may write it until its owner grants that.
Examples:
  althing kv put greeting "hello" --key alice.key
  althing kv get greeting
  althing kv grant greeting 3b6a…29 --key alice.key
  althing kv load vocabulary.nq --key alice.key`,
  )
  writing(kv.command('put'))
    .description('write a value, and wait until it is final')
    .argument('<key>', 'text of 1 to 256 bytes')
    .argument('[value]', 'text; "-" or nothing reads standard input')
    .action((key: string, value: string | undefined, options: WriteOptions) => put(key, value, options))
  kv.command('get')
    .description("read a value; its proof is checked against the authorities' signatures")
    .argument('<key>', 'text of 1 to 256 bytes')
    .option('--no-proof', 'believe the node')
    .addOption(apiOption())
    .addOption(genesisOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nThe value goes to standard output, what was proved to standard error; of a key that nobody holds only the latter.',
    )
    .action(get)
  writing(kv.command('delete'))
    .description('free a key that you own')
    .argument('<key>', 'text')
    .action((key: string, options: WriteOptions) =>
      write(`deleted ${key}`, kvDelete({ key: utf8ToBytes(key) }), options),
    )
  writing(kv.command('grant'))
    .description('let another account write a key that you own')
    .argument('<key>', 'text')
    .argument('<account>', '64 hexadecimal digits', parseHex32)
    .action((key: string, account: Uint8Array, options: WriteOptions) =>
      write(`${bytesToHex(account)} may write ${key}`, kvGrant({ key: utf8ToBytes(key), account }), options),
    )
  writing(kv.command('revoke'))
    .description('take a grant back')
    .argument('<key>', 'text')
    .argument('<account>', '64 hexadecimal digits', parseHex32)
    .action((key: string, account: Uint8Array, options: WriteOptions) =>
      write(
        `${bytesToHex(account)} may no longer write ${key}`,
        kvRevoke({ key: utf8ToBytes(key), account }),
        options,
      ),
    )
  writing(kv.command('load'))
    .description('write many keys from files, several to a transaction')
    .argument(
      '<file...>',
      '.nq: one key per resource, its statements as the value; .json: an object of texts',
    )
    .action((files: string[], options: WriteOptions) => load(files, options))
  return kv
}

type WriteOptions = SendOptions & JsonOption

function writing(command: Command): Command {
  return command
    .option('--fee <amount>', "fee of a transaction (default: the genesis' least fee)", parseAmount)
    .addOption(keyOption())
    .addOption(apiOption())
    .addOption(configOption())
    .addOption(tokenFileOption())
    .addOption(genesisOption())
    .addOption(jsonOption())
}

async function put(key: string, value: string | undefined, options: WriteOptions): Promise<void> {
  const text = value === undefined || value === '-' ? await readText(process.stdin) : value
  await write(`wrote ${key}`, kvPut({ key: utf8ToBytes(key), value: utf8ToBytes(text) }), options)
}

async function write(done: string, operation: Operation, options: WriteOptions): Promise<void> {
  const transaction = await sendOperations([operation], options)
  createOutput(options).result(`${done}: final in block ${transaction.height}`, transaction)
}

async function get(
  key: string,
  options: ApiOption & GenesisOption & JsonOption & { readonly proof: boolean },
): Promise<void> {
  const output = createOutput(options)
  const { client, trusted } = await openChain(options)
  const answer = await client.kv(key, { proof: options.proof })
  if (!options.proof) {
    const what = answer.exists ? '' : 'nobody holds this key: '
    output.note(`${what}not proved; ${client.url.origin} says so at height ${answer.height}`)
    output.result(valueText(answer), { ...answer, proved: false })
    return
  }
  const proved = verifyKv(key, answer, await followEpochs(client, trusted)) // an epoch may have ended since
  if (!proved.ok) {
    const { code, message } = proved.fault
    const advice = 'Do not use the answer. Ask another node with --api URL.'
    throw new CliError(
      'NOT_PROVED',
      `${client.url.origin}'s answer is not proved: ${code}, ${message}`,
      advice,
    )
  }
  output.note(provedText(proved.value, trusted, options.genesis !== undefined))
  output.result(valueText(answer), { ...answer, proved: true, signers: proved.value.at.signers })
}

/** Text as it is, other bytes in hexadecimal; null when nobody holds the key. */
function valueText(answer: KvJson): string | null {
  if (answer.value === null) return null
  const bytes = base64ToBytes(answer.value) ?? new Uint8Array()
  return bytesToUtf8(bytes) ?? `0x${bytesToHex(bytes)}`
}

function provedText({ entry, at }: ProvedKv, { epoch, genesisHash }: Trusted, isPinned: boolean): string {
  const what = entry === null ? 'nobody holds this key: proved' : 'proved'
  const by =
    at.signers.length === 0 ? 'the genesis' : `${at.signers.length} of ${epoch.set.length} authorities`
  const chain = bytesToHex(genesisHash)
  const trust = isPinned
    ? ''
    : `; the node says it is chain ${chain.slice(0, 16)}…, pin it with --genesis ${chain}`
  return `${what} at height ${at.header.height} by ${by}${trust}`
}

async function load(files: readonly string[], options: WriteOptions): Promise<void> {
  const output = createOutput(options)
  const entries = (await Promise.all(files.map(readEntries))).flat()
  const signer = await loadSigner(options.key, passphraseFrom({ environment: process.env }))
  const { client, trusted } = await openChain(options)
  const bar = progressBar(entries.length, 'keys')
  const loaded = await loadEntries(entries, {
    clients: [client],
    signers: [signer],
    trusted,
    fee: options.fee,
    onFinal: (keys) => options.json !== true && bar.show(keys),
  })
  bar.end()
  const text =
    `${counted(entries.length, 'key')} in ${counted(loaded.transactions, 'transaction')}, ` +
    `final in ${formatMs(loaded.elapsedMs)}`
  output.result(text, {
    keys: entries.length,
    transactions: loaded.transactions,
    elapsed_ms: loaded.elapsedMs,
  })
}

async function readEntries(path: string): Promise<readonly Entry[]> {
  let text
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new CliError('FILE_UNREADABLE', `${path} cannot be read: ${(cause as Error).message}`, '', {
      cause,
    })
  }
  const kind = extname(path)
  if (kind === '.nq')
    return resourcesOf([{ name: basename(path, kind).replaceAll(/[^A-Za-z0-9]/g, ''), text }]).entries
  if (kind === '.json') return entriesOfJson(path, text)
  throw new CliError(
    'INPUT_INVALID',
    `${path}: files of kind "${kind}" cannot be loaded`,
    'Known kinds: .nq and .json.',
  )
}

function entriesOfJson(path: string, text: string): Entry[] {
  const expected = 'expected an object of texts, as in {"key": "value"}'
  let object: unknown
  try {
    object = JSON.parse(text)
  } catch (cause) {
    throw new CliError('INPUT_INVALID', `${path} is not JSON: ${(cause as Error).message}; ${expected}`)
  }
  if (typeof object !== 'object' || object === null || Array.isArray(object)) {
    throw new CliError(
      'INPUT_INVALID',
      `${path}: found ${Array.isArray(object) ? 'a list' : typeof object}; ${expected}`,
    )
  }
  return Object.entries(object).map(([key, value]) => {
    if (typeof value === 'string') return { key, value }
    throw new CliError(
      'INPUT_INVALID',
      `${path}, key ${JSON.stringify(key)}: found ${JSON.stringify(value)}; ${expected}`,
    )
  })
}
