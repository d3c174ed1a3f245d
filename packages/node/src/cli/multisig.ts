/**
 * `althing multisig`: accounts of k of n keys (PC-11).
 * @module
 */
import { bytesToHex, multisigAccountId, MULTISIG_KEYS_MAX, multisigPolicy } from '@althing/base'
import type { MultisigPolicy } from '@althing/base'
import { Command } from 'commander'
import { CliError } from './failure.ts'
import { jsonOption, parseHex32, parseInteger } from './options.ts'
import type { JsonOption } from './options.ts'
import { createOutput } from './output.ts'
import { policyToFile, readPolicy, writeJson } from './tx-file.ts'

export function multisigCommand(): Command {
  const multisig = new Command('multisig')
    .description('accounts that k of n keys sign for together')
    .addHelpText(
      'after',
      `
The account is made by the first money that is sent to it. Its file says keys and threshold; whoever builds a transaction
needs it, and it holds no secret. "althing tx build --help" shows how such an account pays.
Examples:
  althing multisig new treasury.json --threshold 2 3b6a…29 77c0…1e 90ab…44
  althing multisig show treasury.json`,
    )
  multisig
    .command('new')
    .description('say which account k of these keys sign for')
    .argument('<file>', 'what to make')
    .argument('<keys...>', 'public keys: 64 hexadecimal digits each', addKey)
    .requiredOption('--threshold <k>', 'how many have to sign', parseInteger(1, MULTISIG_KEYS_MAX))
    .addOption(jsonOption())
    .action(
      async (file: string, keys: readonly Uint8Array[], options: JsonOption & { threshold: number }) => {
        const policy = multisigPolicy(options.threshold, keys)
        if (!policy.ok) throw new CliError('USAGE', policy.fault.message)
        await writeJson(file, policyToFile(policy.value), true)
        show(policy.value, options)
      },
    )
  multisig
    .command('show')
    .description('print the account of a file, and who signs for it')
    .argument('<file>', 'of "multisig new"')
    .addOption(jsonOption())
    .action(async (file: string, options: JsonOption) => show(await readPolicy(file), options))
  return multisig
}

function addKey(text: string, before: readonly Uint8Array[] | undefined): readonly Uint8Array[] {
  return [...(before ?? []), parseHex32(text)]
}

function show(policy: MultisigPolicy, options: JsonOption): void {
  const output = createOutput(options)
  output.note(`${policy.threshold} of ${policy.keys.length} sign: ${policy.keys.map(bytesToHex).join(', ')}`)
  output.result(bytesToHex(multisigAccountId(policy)), policyToFile(policy))
}
