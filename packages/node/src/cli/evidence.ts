/**
 * `althing evidence`: proofs that an authority signed twice.
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises'
import { bytesToHex, decode, Evidence, EVIDENCE_BYTES_MAX, hexToBytes, verifyEvidence } from '@althing/base'
import type { Authority, Epoch } from '@althing/base'
import { base64ToBytes } from '@althing/client'
import { Command } from 'commander'
import { verifyNative } from '../crypto/ed25519.ts'
import { openClient } from './api-access.ts'
import type { AccessOptions } from './api-access.ts'
import { genesisOption, openChain } from './chain-access.ts'
import type { GenesisOption } from './chain-access.ts'
import { CliError } from './failure.ts'
import { readChain } from './genesis-file.ts'
import { apiOption, jsonOption, parseInteger } from './options.ts'
import type { JsonOption } from './options.ts'
import { createOutput } from './output.ts'

interface VerifyOptions extends AccessOptions, GenesisOption, JsonOption {
  readonly genesisFile?: string
  readonly set?: string
}

interface ExportOptions extends AccessOptions, GenesisOption, JsonOption {
  readonly epoch: number
  readonly authority: number
  readonly withSet?: string
}

export function evidenceCommand(): Command {
  const evidence = new Command('evidence').description('proofs that an authority signed twice').addHelpText(
    'after',
    `
A node keeps what it finds in the folder evidence of its data, tells the others, and puts it on the chain by itself.
Examples:
  althing evidence list
  althing evidence export proof --epoch 3 --authority 2 --with-set set.json
  althing evidence verify proof --set set.json              with no network at all
  althing evidence verify proof --genesis-file genesis.json for a proof of epoch 0`,
  )
  evidence
    .command('list')
    .description('the proofs that a node knows')
    .addOption(apiOption())
    .addOption(jsonOption())
    .action(list)
  evidence
    .command('export')
    .description('write a proof into a file')
    .argument('<file>', 'what to write')
    .requiredOption('--epoch <number>', 'of the two votes', parseInteger(0, Number.MAX_SAFE_INTEGER))
    .requiredOption('--authority <index>', 'who signed twice', parseInteger(0, 65_535))
    .option('--with-set <file>', 'also the authority set of that epoch, proved from the genesis')
    .addOption(apiOption())
    .addOption(genesisOption())
    .addOption(jsonOption())
    .action(exportProof)
  evidence
    .command('verify')
    .description('check a proof with nothing but the authority set of its epoch')
    .argument('<file>', 'the proof')
    .option('--set <file>', 'the set, as "export --with-set" wrote it')
    .option('--genesis-file <file>', 'the genesis, for a proof of epoch 0')
    .addOption(apiOption())
    .addOption(genesisOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nWithout --set and --genesis-file the set is asked of a node, which must prove it from the genesis.',
    )
    .action(verify)
  return evidence
}

async function list(options: AccessOptions & JsonOption): Promise<void> {
  const known = await (await openClient(options)).evidence()
  const lines = known.evidence.map(
    ({ epoch, view, authority }) => `authority ${authority} signed twice in epoch ${epoch}, view ${view}`,
  )
  createOutput(options).result(
    lines.join('\n') || 'This node knows of no authority that signed twice.',
    known,
  )
}

async function exportProof(file: string, options: ExportOptions): Promise<void> {
  const { evidence } = await (await openClient(options)).evidence()
  const found = evidence.find(
    ({ epoch, authority }) => epoch === options.epoch && authority === options.authority,
  )
  const bytes = found && base64ToBytes(found.proof)
  if (bytes === undefined || bytes === null) {
    const advice = 'althing evidence list says which there are.'
    const message = `the node knows of no double signature of authority ${options.authority} in epoch ${options.epoch}`
    throw new CliError('INPUT_INVALID', message, advice)
  }
  await write(file, bytes)
  if (options.withSet !== undefined) {
    const epoch = await epochByApi(options.epoch, options)
    await write(options.withSet, `${JSON.stringify(setFileOf(epoch), null, 2)}\n`)
  }
  createOutput(options).result(`${file} has the proof, ${bytes.length} bytes`, { file, ...found })
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const bytes = await read(file)
  const proof = decode(Evidence, bytes, EVIDENCE_BYTES_MAX)
  if (!proof.ok) throw new CliError('INPUT_INVALID', `${file} is no proof: ${proof.fault.message}`)
  const epoch = await epochOf(proof.value.first.epoch, options)
  const guilty = verifyEvidence(proof.value, epoch, verifyNative)
  if (!guilty.ok) throw new CliError('NOT_PROVED', `${file} proves nothing: ${guilty.fault.message}`)
  const { view } = proof.value.first
  const key = bytesToHex(epoch.set[guilty.value]!.key)
  const text = `Proved: authority ${guilty.value} (${key}) signed twice in epoch ${epoch.epoch}, view ${view}.`
  createOutput(options).result(text, {
    proved: true,
    authority: guilty.value,
    public_key: key,
    epoch: epoch.epoch,
    view,
  })
}

async function epochOf(number: number, options: VerifyOptions): Promise<Epoch> {
  if (options.set !== undefined) return readSetFile(options.set)
  if (options.genesisFile === undefined) return epochByApi(number, options)
  const { genesis, hash } = await readChain(options.genesisFile)
  return { epoch: 0, anchor: hash, set: genesis.authorities }
}

/** Proved from the genesis by the node's own links. */
async function epochByApi(number: number, options: AccessOptions & GenesisOption): Promise<Epoch> {
  const { trusted, client } = await openChain(options)
  const found = [...trusted.pastEpochs, trusted.epoch].find(({ epoch }) => epoch === number)
  if (found !== undefined) return found
  throw new CliError(
    'NOT_PROVED',
    `${client.url.origin} proves epochs up to ${trusted.epoch.epoch}, and not ${number}`,
  )
}

function setFileOf({ epoch, anchor, set }: Epoch): object {
  const authorities = set.map(({ key, weight }) => ({ key: bytesToHex(key), weight }))
  return { epoch, anchor: bytesToHex(anchor), authorities }
}

async function readSetFile(file: string): Promise<Epoch> {
  const malformed = (why: string): CliError =>
    new CliError(
      'INPUT_INVALID',
      `${file} is no authority set: ${why}`,
      'althing evidence export --with-set writes one.',
    )
  let content: { epoch?: unknown; anchor?: unknown; authorities?: unknown } | null
  try {
    content = JSON.parse((await read(file)).toString()) as typeof content
  } catch (error) {
    if (error instanceof CliError) throw error
    throw malformed('it is not JSON')
  }
  const anchor = hash32(content?.anchor)
  const { epoch, authorities } = content ?? {}
  if (!Number.isSafeInteger(epoch) || anchor === null || !Array.isArray(authorities))
    throw malformed('it needs "epoch", "anchor" and "authorities"')
  const set = authorities.map((one: { key?: unknown; weight?: unknown } | null, index): Authority => {
    const key = hash32(one?.key)
    if (key === null || !Number.isSafeInteger(one?.weight))
      throw malformed(`authorities[${index}] is not key and weight`)
    return { key, weight: one?.weight as number }
  })
  return { epoch: epoch as number, anchor, set }
}

function hash32(value: unknown): Uint8Array | null {
  const bytes = typeof value === 'string' ? hexToBytes(value) : null
  return bytes?.length === 32 ? bytes : null
}

async function read(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: Error) => {
    throw new CliError('FILE_UNREADABLE', `${file} cannot be read: ${cause.message}`, '', { cause })
  })
}

async function write(file: string, content: Uint8Array | string): Promise<void> {
  await writeFile(file, content, { flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
    const code = cause.code === 'EEXIST' ? 'FILE_EXISTS' : 'FILE_UNREADABLE'
    throw new CliError(code, `${file} cannot be written: ${cause.message}`, '', { cause })
  })
}
