/**
 * `althing status`: what one or several nodes do, and what they wait for.
 * @module
 */
import { AlthingClient, ApiError } from '@althing/client'
import type { ExternalGraphsJson, ConsensusReport, NodeInfo, ReachabilityJson } from '@althing/client'
import { Command, Option } from 'commander'
import { CliError } from './failure.ts'
import { API_DEFAULT, jsonOption, parseUrl } from './options.ts'
import type { JsonOption } from './options.ts'
import { counted, createOutput, formatMs } from './output.ts'

type Answer =
  | { readonly url: string; readonly info: NodeInfo; readonly report: ConsensusReport }
  | { readonly url: string; readonly error: ApiError }

export function statusCommand(): Command {
  return new Command('status')
    .description('say what nodes do, and in words what the next block waits for')
    .addOption(
      new Option('--api <url...>', "addresses of nodes' APIs")
        .env('ALTHING_API')
        .default([API_DEFAULT])
        .argParser((text, before: string[]) => [
          ...(before.length === 1 && before[0] === API_DEFAULT ? [] : before),
          ...text.split(',').map(parseUrl),
        ]),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Exit code 0 when every node answers and none has halted; 3 when one has halted, else 1.
Examples:
  althing status
  althing status --api http://127.0.0.1:8545 http://127.0.0.1:8546
  ALTHING_API=http://10.0.0.7:8545 althing status --json`,
    )
    .action(status)
}

async function status(options: JsonOption & { readonly api: readonly string[] }): Promise<void> {
  const answers = await Promise.all(options.api.map(ask))
  const text = answers.map(describe).join('\n\n')
  createOutput(options).result(
    text,
    answers.map((answer) =>
      'info' in answer
        ? { api: answer.url, ...answer.info, consensus: answer.report }
        : { api: answer.url, error: { code: answer.error.code, message: answer.error.message } },
    ),
  )
  const silent = answers.filter((answer) => 'error' in answer)
  if (silent.length > 0) {
    const urls = silent.map(({ url }) => url).join(', ')
    throw new CliError(
      'NODE_UNREACHABLE',
      `no answer from ${urls}`,
      'Start the node with "althing start", or name others with --api.',
    )
  }
  const halted = answers.find((answer) => 'info' in answer && answer.info.consensus.halted !== null)
  if (halted !== undefined) throw new CliError('NODE_HALTED', `${halted.url} has halted; it says why above`)
}

async function ask(url: string): Promise<Answer> {
  try {
    const client = new AlthingClient({ url, timeoutMs: 5_000, retries: 1 })
    const [info, report] = await Promise.all([client.info(), client.consensus()])
    return { url, info, report }
  } catch (error) {
    if (error instanceof ApiError) return { url, error }
    throw error
  }
}

function describe(answer: Answer): string {
  if ('error' in answer) return `${answer.url}\n  ${answer.error.code}: ${answer.error.message}`
  const { info, report } = answer
  const latency = info.finality_latency_ms
  return [
    `${info.name}  ${answer.url}`,
    `  ${roleOf(info)} of network ${info.network_id}, up ${formatMs(info.uptime_ms)}`,
    `  final at height ${info.finalized_height}, head ${info.head_height}, view ${info.consensus.view}`,
    `  ${counted(info.peer_count, 'peer')}, ${counted(info.mempool.count, 'transaction')} waiting`,
    `  ${reachText(info.reachability)}`,
    `  ${counted(info.transactions_total, 'transaction')} final, ${info.transactions_per_second.toFixed(1)} a second` +
      (latency === null ? '' : `, final after ${formatMs(latency.p50)} (p99 ${formatMs(latency.p99)})`),
    ...(info.external_graphs === null ? [] : [`  ${externalText(info.external_graphs)}`]),
    `  ${report.text}`,
    ...(report.observer === null ? [] : [`  It signs no votes: ${report.observer}.`]),
    ...report.advice.map((sentence) => `  → ${sentence}`),
  ].join('\n')
}

function reachText({ reach, why, relays }: ReachabilityJson): string {
  switch (reach) {
    case 'public':
      return `others can dial it: ${why}`
    case 'private':
      return `others cannot dial it: ${why}; reached over ${counted(relays.length, 'relay')}`
    case 'unknown':
      return `whether others can dial it is not known: ${why}`
  }
}

function externalText({ state, height, problem }: ExternalGraphsJson): string {
  const where = height === null ? '' : `, at height ${height}`
  const words = {
    starting: 'being asked',
    filling: 'being filled',
    following: 'catching up',
    in_step: 'in step',
  }
  return `the SPARQL server of its graphs is ${state === 'away' ? `away: ${problem}` : words[state]}${where}`
}

/** As tables and status lines name it. */
export function roleOf(info: NodeInfo): string {
  if (info.authority === null) return 'full node'
  return info.consensus.observer === null
    ? `authority ${info.authority.index}`
    : `observer ${info.authority.index}`
}
