/**
 * `althing peer`: see and administer the peers of a node (PC-13).
 * @module
 */
import type { BlacklistEntryJson, KnownPeerJson, PeerDetailsJson } from '@althing/client'
import { Command } from 'commander'
import { configOption, openClient, tokenFileOption } from './api-access.ts'
import type { AccessOptions } from './api-access.ts'
import { apiOption, jsonOption, parseLongDuration } from './options.ts'
import type { JsonOption } from './options.ts'
import { counted, createOutput, formatCount, formatMs, tableLines } from './output.ts'

type PeerOptions = AccessOptions & JsonOption

export function peerCommand(): Command {
  const peer = new Command('peer').description('see and administer the peers of a node').addHelpText(
    'after',
    `
Changing peers needs the secret of the node's api.token_file, unless its API listens on loopback only.
Examples:
  althing peer list
  althing peer show 12D3KooW…
  althing peer connect /ip4/192.0.2.7/tcp/9000
  althing peer ban 12D3KooW… --reason "sends nonsense" --for 1d
  althing peer ban 198.51.100.0/24 --config node-0/config.toml
  althing peer unban 198.51.100.0/24`,
  )
  asking(peer.command('list'))
    .description('the peers that the node knows, those that are gone last')
    .option('--connected', 'only those with a session')
    .option('--banned', 'the blacklist instead')
    .action(list)
  asking(peer.command('show'))
    .description('all that the node knows of one peer')
    .argument('<peer>', 'peer id, as "althing peer list" shows it')
    .action(show)
  changing(peer.command('connect'))
    .description('connect to a peer, and wait until the session is open')
    .argument('<address>', 'multiaddr or host:port')
    .action(connect)
  changing(peer.command('disconnect'))
    .description('end the session with a peer; it may come back')
    .argument('<peer>', 'peer id')
    .action(disconnect)
  changing(peer.command('ban'))
    .description('end the sessions with a peer or address, and keep it out, also after a restart')
    .argument('<target>', 'peer id, IP address, or a block such as 198.51.100.0/24')
    .option('--for <time>', 'such as 30m, 12h or 7d (default: for good)', parseLongDuration)
    .option('--reason <text>', 'shown with the ban, and told to the peer')
    .option('--by <name>', 'who decided')
    .action(ban)
  changing(peer.command('unban'))
    .description('lift a ban')
    .argument('<target>', 'as it was banned')
    .action(unban)
  changing(peer.command('reserve'))
    .description('keep a slot for a peer, and redial it at once when it is gone; until the node stops')
    .argument('<peer>', 'peer id')
    .option('--release', 'treat it as any other again')
    .addHelpText('after', '\nnetwork.reserved of the node’s configuration does the same for good.')
    .action(reserve)
  return peer
}

function asking(command: Command): Command {
  return command.addOption(apiOption()).addOption(configOption()).addOption(jsonOption())
}

function changing(command: Command): Command {
  return asking(command.addOption(tokenFileOption()))
}

async function list(
  options: PeerOptions & { readonly connected?: boolean; readonly banned?: boolean },
): Promise<void> {
  const { network } = await openClient(options)
  const output = createOutput(options)
  if (options.banned === true) {
    const { entries } = await network.blacklist()
    return output.result(entries.length === 0 ? 'nobody is banned' : blacklistTable(entries), entries)
  }
  const answer = await network.peers(options.connected === true ? { connected: true } : {})
  output.result(answer.peer_count === 0 ? 'no peers' : peersTable(answer.peers), answer)
}

function peersTable(peers: readonly KnownPeerJson[]): string {
  const connectedFirst = peers.toSorted((a, b) => Number(isGone(a)) - Number(isGone(b)))
  const table = tableLines(
    [
      { title: 'peer' },
      { title: 'is' },
      { title: 'health' },
      { title: 'quality', align: 'right' },
      { title: 'reputation', align: 'right' },
      { title: 'latency', align: 'right' },
      { title: 'way' },
      { title: 'address' },
    ],
    connectedFirst.map((peer) => [
      peer.peer_id,
      peer.label ?? peer.node_type,
      peer.ban === null ? peer.health : 'banned',
      isGone(peer) ? '-' : String(peer.quality),
      String(peer.reputation),
      peer.latency_ms === null ? '-' : formatMs(peer.latency_ms),
      peer.direction === 'inbound' ? 'in' : 'out',
      peer.address,
    ]),
  )
  const connected = peers.filter((peer) => !isGone(peer)).length
  return [
    ...table,
    `${counted(connected, 'peer')} connected, ${formatCount(peers.length - connected)} gone`,
  ].join('\n')
}

function blacklistTable(entries: readonly BlacklistEntryJson[]): string {
  return tableLines(
    [{ title: 'target' }, { title: 'until' }, { title: 'by' }, { title: 'reason' }],
    entries.map(({ target, until, by, reason }) => [
      target,
      until === null ? 'for good' : timeText(until),
      by,
      reason,
    ]),
  ).join('\n')
}

async function show(id: string, options: PeerOptions): Promise<void> {
  const { network } = await openClient(options)
  const peer = await network.peer(id)
  createOutput(options).result(describe(peer), peer)
}

function describe(peer: PeerDetailsJson): string {
  const { requests, last_end: end } = peer
  const offences = Object.entries(peer.offences).filter(([, times]) => times > 0)
  return [
    peer.peer_id,
    `  ${peer.label ?? peer.node_type}${peer.reserved ? ', reserved' : ''}, ${peer.direction} at ${peer.address}`,
    `  ${peer.health}, quality ${peer.quality} of 100, reputation ${peer.reputation}` +
      (peer.latency_ms === null ? '' : `, round trip ${formatMs(peer.latency_ms)}`),
    ...(peer.ban === null ? [] : [`  banned ${untilText(peer.ban)} by ${peer.ban.by}: ${peer.ban.reason}`]),
    ...(peer.height === null
      ? []
      : [`  says it is at height ${peer.height}, final ${peer.finalized_height}`]),
    `  ${counted(peer.sessions, 'session')}, first seen ${timeText(peer.first_seen)}, last ${timeText(peer.last_seen)}`,
    ...(end === null ? [] : [`  last session ended ${timeText(end.at)}, ${endedBy(end.by)}: ${end.reason}`]),
    `  received ${counted(peer.messages_in, 'message')} (${formatCount(peer.bytes_in)} bytes), ` +
      `sent ${counted(peer.messages_out, 'message')} (${formatCount(peer.bytes_out)} bytes)`,
    ...Object.entries(peer.by_kind).map(
      ([kind, { messages_in, messages_out }]) =>
        `    ${kind}: ${formatCount(messages_in)} in, ${formatCount(messages_out)} out`,
    ),
    `  our requests: ${formatCount(requests.answered)} answered` +
      (requests.response_ms === null ? '' : ` in ${formatMs(requests.response_ms)}`) +
      `, ${formatCount(requests.timed_out)} timed out, ${formatCount(requests.lost)} lost`,
    `  offences: ${offences.length === 0 ? 'none' : offences.map(([offence, times]) => `${times} ${offence}`).join(', ')}`,
    ...peer.health_history.map(({ at, to, cause }) => `  ${timeText(at)} ${to}: ${cause}`),
  ].join('\n')
}

async function connect(address: string, options: PeerOptions): Promise<void> {
  const { network } = await openClient(options)
  const connected = await network.connect(address)
  createOutput(options).result(`connected to ${connected.peer_id}`, connected)
}

async function disconnect(id: string, options: PeerOptions): Promise<void> {
  const { network } = await openClient(options)
  createOutput(options).result(`disconnected ${id}`, await network.disconnect(id))
}

async function ban(
  target: string,
  options: PeerOptions & { readonly for?: number; readonly reason?: string; readonly by?: string },
): Promise<void> {
  const { network } = await openClient(options)
  const entry = await network.ban({
    target,
    ...(options.for !== undefined && { duration_ms: options.for }),
    ...(options.reason !== undefined && { reason: options.reason }),
    ...(options.by !== undefined && { by: options.by }),
  })
  createOutput(options).result(`banned ${entry.target} ${untilText(entry)}`, entry)
}

async function unban(target: string, options: PeerOptions): Promise<void> {
  const { network } = await openClient(options)
  const entry = await network.unban(target)
  createOutput(options).result(`${entry.target} is no longer banned`, entry)
}

async function reserve(id: string, options: PeerOptions & { readonly release?: boolean }): Promise<void> {
  const { network } = await openClient(options)
  if (options.release === true) {
    return createOutput(options).result(`${id} has no slot of its own any more`, await network.release(id))
  }
  createOutput(options).result(`a slot is kept for ${id} until the node stops`, await network.reserve(id))
}

function isGone({ connected_at }: KnownPeerJson): boolean {
  return connected_at === null
}

function untilText({ until }: BlacklistEntryJson): string {
  return until === null ? 'for good' : `until ${timeText(until)}`
}

function endedBy(by: 'local' | 'remote'): string {
  return by === 'local' ? 'by us' : 'by it'
}

function timeText(atMs: number): string {
  return new Date(atMs).toISOString().replace('T', ' ').slice(0, 19)
}
