/**
 * The command `althing`.
 * @module
 */
import { Command, CommanderError } from 'commander'
import { authoritiesCommand } from './authorities.ts'
import { authorityCommand } from './authority.ts'
import { devnetCommand } from './devnet.ts'
import { evidenceCommand } from './evidence.ts'
import { failureLines, failureOf } from './failure.ts'
import { graphCommand } from './graph.ts'
import { initCommand } from './init.ts'
import { keyCommand } from './key.ts'
import { kvCommand } from './kv.ts'
import { multisigCommand } from './multisig.ts'
import { networkCommand } from './network.ts'
import { peerCommand } from './peer.ts'
import { recoverCommand } from './recover.ts'
import { queryCommand } from './query.ts'
import { signerCommand } from './signer.ts'
import { startCommand } from './start.ts'
import { statusCommand } from './status.ts'
import { entityCommand, traceCommand } from './trace.ts'
import { txCommand } from './tx.ts'
import { SOFTWARE_VERSION } from '../version.ts'

/** Commander has printed what was asked for; `commander.help` is a command without its subcommand. */
const HELP_CODES: ReadonlySet<string> = new Set([
  'commander.help',
  'commander.helpDisplayed',
  'commander.version',
])

const program = new Command('althing')
  .description('A peer-to-peer node for chains that several organisations run together.')
  .version(SOFTWARE_VERSION)
  .showSuggestionAfterError()
  .addHelpText(
    'after',
    `
First steps:
  althing devnet                       four authorities and a full node on this machine, with real data
  althing init --authorities 4 net     genesis, keys and configuration for four machines
  althing start --config net/node-0/config.toml
  althing status                       what a node does, and what it waits for

"althing <command> --help" shows the options of a command, their defaults and examples.
--api and --key can also be given as ALTHING_API and ALTHING_KEY.`,
  )

for (const command of [
  devnetCommand(),
  initCommand(),
  startCommand(),
  keyCommand(),
  txCommand(),
  multisigCommand(),
  kvCommand(),
  graphCommand(),
  queryCommand(),
  traceCommand(),
  entityCommand(),
  peerCommand(),
  networkCommand(),
  signerCommand(),
  recoverCommand(),
  authoritiesCommand(),
  authorityCommand(),
  evidenceCommand(),
  statusCommand(),
]) {
  program.addCommand(command)
}
throwInsteadOfExit(program)
// Whoever reads may have read enough, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = fail(error)
}

/** Commander's way to end is `process.exit`: make it an error, for subcommands too. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} })
  for (const child of command.commands) throwInsteadOfExit(child)
}

function fail(error: unknown): number {
  if (error instanceof CommanderError && HELP_CODES.has(error.code)) return error.exitCode
  const failure = failureOf(error)
  const isJson = process.argv.includes('--json')
  if (isJson) {
    const { code, message, advice } = failure
    process.stderr.write(`${JSON.stringify({ error: { code, message, advice } })}\n`)
  } else process.stderr.write(`${failureLines(failure)}\n`)
  return failure.exitCode
}
