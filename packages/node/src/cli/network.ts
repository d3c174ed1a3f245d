/**
 * `althing network`: the whole network as one node knows it, and how a block went through it (PT-11, PT-15, PO-10).
 * @module
 */
import type { NetworkTopologyJson, PropagationJson } from '@althing/client'
import { Command } from 'commander'
import { configOption, openClient } from './api-access.ts'
import type { AccessOptions } from './api-access.ts'
import { apiOption, jsonOption, parseInteger } from './options.ts'
import type { JsonOption } from './options.ts'
import { counted, createOutput, formatMs, tableLines } from './output.ts'

export function networkCommand(): Command {
  return new Command('network')
    .description('all nodes and links of the network; or when each peer had a block')
    .addOption(apiOption())
    .addOption(configOption())
    .addOption(jsonOption())
    .option('--dot', 'the map as a picture for Graphviz instead')
    .option(
      '--block <height>',
      'when each peer of the node had this block instead; one of the latest 256',
      parseInteger(0, Number.MAX_SAFE_INTEGER),
    )
    .addHelpText(
      'after',
      `
Examples:
  althing network
  althing network --block 1200
  althing network --dot | dot -Tsvg > network.svg
  althing network --json | jq '.links[] | select(.health == "degraded")'`,
    )
    .action(network)
}

async function network(
  options: AccessOptions & JsonOption & { readonly block?: number; readonly dot?: boolean },
): Promise<void> {
  const { network: calls } = await openClient(options)
  const output = createOutput(options)
  if (options.block === undefined) {
    const topology = await calls.topology()
    return output.result(options.dot === true ? dotText(topology) : mapText(topology), topology)
  }
  const propagation = await calls.propagation(options.block)
  output.result(propagationText(propagation), propagation)
}

function mapText(topology: NetworkTopologyJson): string {
  const { nodes, links, average_latency: latencyMs } = topology
  const nameOf = (peer: string) => {
    const label = nodes.find((node) => node.peer_id === peer)?.label
    return label ? `${label} (${peer.slice(-8)})` : peer
  }
  const nodeLines = tableLines(
    [
      { title: 'node' },
      { title: 'is' },
      { title: 'health' },
      { title: 'links', align: 'right' },
      { title: 'version' },
    ],
    nodes.map((node) => [
      node.peer_id,
      (node.label ?? node.node_type ?? '-') + (node.peer_id === topology.peer_id ? ', asked' : ''),
      node.health,
      String(node.links),
      node.software_version ?? '-',
    ]),
  )
  const linkLines = tableLines(
    [{ title: 'link' }, { title: 'to' }, { title: 'latency', align: 'right' }, { title: 'health' }],
    links.map(({ a, b, latency_ms, health }) => [nameOf(a), nameOf(b), latencyText(latency_ms), health]),
  )
  return [
    ...nodeLines,
    '',
    ...linkLines,
    '',
    `${counted(topology.total_nodes, 'node')}: ${topology.healthy_peers} healthy, ` +
      `${topology.degraded_peers} degraded, ${topology.disconnected_peers} disconnected; ` +
      `${counted(links.length, 'link')}, average latency ${latencyText(latencyMs)}`,
  ].join('\n')
}

const dotColors = { healthy: 'green', degraded: 'orange', disconnected: 'red' } as const

/** The language of Graphviz. Labels are the nodes' own words: quotes and backslashes are taken out of them. */
function dotText({ nodes, links }: NetworkTopologyJson): string {
  const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '')}"`
  return [
    'graph althing {',
    ...nodes.map(({ peer_id, label, node_type, health }) => {
      const name = `${label ?? node_type ?? 'unknown'} ${peer_id.slice(-8)}`
      return `  ${quoted(peer_id)} [label=${quoted(name)} color=${dotColors[health]}]`
    }),
    ...links.map(({ a, b, latency_ms: ms, health }) => {
      const label = ms === null ? '' : ` label=${quoted(latencyText(ms))}`
      return `  ${quoted(a)} -- ${quoted(b)} [color=${dotColors[health]}${label}]`
    }),
    '}',
  ].join('\n')
}

function propagationText({ height, here_at, here_final_at, peers, spread_ms }: PropagationJson): string {
  const here = [
    `block ${height}: here ${timeText(here_at)}, final here ${timeText(here_final_at)}`,
    spread_ms === null
      ? 'nobody has said yet to have it'
      : `from the first to the last ${formatMs(spread_ms)}`,
  ]
  if (peers.length === 0) return here.join('\n')
  const rows = peers.map(({ peer_id, label, at, final_at, after_ms }) => [
    peer_id,
    label ?? '-',
    timeText(at),
    `+${formatMs(after_ms)}`,
    timeText(final_at),
  ])
  const columns = [
    { title: 'peer' },
    { title: 'is' },
    { title: 'had it' },
    { title: 'after', align: 'right' as const },
    { title: 'final' },
  ]
  return [...here, '', ...tableLines(columns, rows)].join('\n')
}

function latencyText(ms: number | null): string {
  if (ms === null) return '-'
  return ms < 10 ? `${ms.toFixed(1)} ms` : formatMs(ms)
}

function timeText(atMs: number | null): string {
  return atMs === null ? 'not yet' : new Date(atMs).toISOString().slice(11, 23)
}
