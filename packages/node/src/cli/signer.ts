/**
 * `althing signer`: a process that holds an authority's key, and signs for a node (docs/signer.md).
 * @module
 */
import { bytesToHex } from '@althing/base'
import type { Hash, Signer } from '@althing/base'
import { Command, InvalidArgumentError, Option } from 'commander'
import { loadSigner, passphraseFrom } from '../keys/index.ts'
import { readToken } from '../keys/token.ts'
import { createLog } from '../log.ts'
import { parseSignerAddress, SIGNER_ADDRESS_FORM } from '../signer/address.ts'
import type { SignerAddress } from '../signer/address.ts'
import { createGuardFile, openGuardFile } from '../signer/guard-file.ts'
import { startSigner } from '../signer/server.ts'
import { lockKey } from '../store/folder-lock.ts'
import { CliError } from './failure.ts'
import { readChain } from './genesis-file.ts'
import { jsonOption } from './options.ts'
import type { JsonOption } from './options.ts'
import { createOutput } from './output.ts'
import { stopRequested } from './stop-requested.ts'

interface SignerOptions extends JsonOption {
  readonly key: string
  readonly guard: string
  readonly genesisFile: string
  readonly passphraseFile?: string
}

interface StartOptions extends SignerOptions {
  readonly listen: SignerAddress
  readonly tokenFile?: string
}

export function signerCommand(): Command {
  const signer = new Command('signer')
    .description("hold an authority's key apart from its node, and sign for it")
    .addHelpText(
      'after',
      `
The signer keeps a guard, a file that says what the key has signed: it does not sign twice, whatever its node asks.
Examples:
  althing signer init --key authority.key --guard authority.guard --genesis-file genesis.json
  althing signer start --key authority.key --guard authority.guard --genesis-file genesis.json --listen unix:/run/althing/signer.sock
and in the node's configuration, in place of consensus.authority_key_file:
  [consensus]
  signer = "unix:/run/althing/signer.sock"`,
    )
  signer.addCommand(
    withKey(new Command('init'))
      .description('make the guard of a key that has never signed votes')
      .addOption(jsonOption())
      .action(init),
  )
  signer.addCommand(
    withKey(new Command('start'))
      .description('sign for one node, until Ctrl-C or SIGTERM')
      .addOption(
        new Option('--listen <address>', SIGNER_ADDRESS_FORM).argParser(parseAddress).makeOptionMandatory(),
      )
      .option(
        '--token-file <file>',
        'a secret of at least 16 characters that the node must know; needed over TCP',
      )
      .addOption(jsonOption())
      .action(start),
  )
  return signer
}

function withKey(command: Command): Command {
  return command
    .requiredOption('--key <file>', 'key file of the authority')
    .requiredOption('--guard <file>', 'what the key has signed')
    .requiredOption('--genesis-file <file>', 'genesis of the network')
    .option('--passphrase-file <file>', 'a file with the passphrase of the key, which only you may read')
}

function parseAddress(text: string): SignerAddress {
  const address = parseSignerAddress(text)
  if (address === null) throw new InvalidArgumentError(`Found "${text}"; expected ${SIGNER_ADDRESS_FORM}.`)
  return address
}

async function init(options: SignerOptions): Promise<void> {
  const { key, genesis } = await open(options)
  createGuardFile(options.guard, genesis, key.publicKey)
  const text = `${options.guard} is the guard of ${bytesToHex(key.publicKey)}. Keep it: without it nothing is signed.`
  createOutput(options).result(text, { guard: options.guard, public_key: bytesToHex(key.publicKey) })
}

async function start(options: StartOptions): Promise<void> {
  const { listen: address, tokenFile, key: keyFile } = options
  if (address.kind === 'tcp' && tokenFile === undefined) {
    const advice =
      'Name a secret with --token-file, or listen on a unix socket, which only its owner may open.'
    throw new CliError('USAGE', 'over TCP whoever uses this machine could ask for signatures', advice)
  }
  const token = tokenFile === undefined ? null : await readToken('--token-file', tokenFile)
  const { key, genesis } = await open(options)
  const log = createLog({ level: 'info', format: 'text' })
  using stack = new DisposableStack()
  const lock = lockKey(keyFile, key.publicKey)
  stack.defer(() => lock.release())
  const guard = openGuardFile(options.guard, genesis, key.publicKey)
  stack.defer(() => guard.close())
  const signer = await startSigner({ address, token, genesis, key, guard, log })
  const where = address.kind === 'unix' ? address.path : `${address.host}:${signer.port}`
  createOutput(options).result(`signs for one node at ${where}; stop with Ctrl-C`, {
    listen: where,
    public_key: bytesToHex(key.publicKey),
  })
  try {
    await Promise.race([stopRequested(), signer.failed])
  } finally {
    await signer.stop()
  }
}

async function open(options: SignerOptions): Promise<{ readonly key: Signer; readonly genesis: Hash }> {
  const ask = passphraseFrom({ file: options.passphraseFile, environment: process.env })
  const genesis = (await readChain(options.genesisFile)).hash
  return { key: await loadSigner(options.key, ask), genesis }
}
