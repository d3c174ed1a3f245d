/**
 * `althing authorities`: who they are, what they vote on, and when the set may change.
 * @module
 */
import type { AuthoritiesJson, ConsensusReport, MemberJson, ProposalJson } from '@althing/client'
import { Command } from 'commander'
import { openClient } from './api-access.ts'
import type { AccessOptions } from './api-access.ts'
import { apiOption, jsonOption } from './options.ts'
import type { JsonOption } from './options.ts'
import { counted, createOutput, formatMs, tableLines } from './output.ts'

export function authoritiesCommand(): Command {
  return new Command('authorities')
    .description('show the authorities, open proposals, candidates, and when the set may change')
    .addOption(apiOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
What the chain says is from the latest final state; "heard" is what the asked node sees.
Examples:
  althing authorities
  althing authorities --api http://127.0.0.1:8546 --json`,
    )
    .action(show)
}

async function show(options: AccessOptions & JsonOption): Promise<void> {
  const client = await openClient(options)
  const [state, report] = await Promise.all([client.authorities(), client.consensus()])
  createOutput(options).result(describe(state, report).join('\n'), state)
}

function describe(state: AuthoritiesJson, report: ConsensusReport): string[] {
  const { next_boundary: boundary, protocol } = state
  const heard = new Map(report.authorities.map((one) => [one.public_key, one]))
  const lines = [
    `Epoch ${state.epoch} since block ${state.first_height}; ${counted(state.authorities.length, 'authority', 'authorities')}, a quorum is ${state.quorum_weight}; state of block ${state.height}`,
    `The set may change from block ${boundary.earliest} on, at the latest the epoch ends with block ${boundary.latest}${reasonText(boundary)}`,
    '',
    ...tableLines(
      [
        { title: '', align: 'right' },
        { title: 'key' },
        { title: 'weight', align: 'right' },
        { title: 'missed', align: 'right' },
        { title: 'heard' },
        { title: '' },
      ],
      state.authorities.map((member) => [
        String(member.index),
        member.public_key,
        String(member.weight),
        String(member.missed_total),
        heardText(heard.get(member.public_key)),
        noteOf(member),
      ]),
    ),
  ]
  if (state.proposals.length > 0) {
    lines.push('', 'Proposals:')
    for (const proposal of state.proposals) lines.push(...proposalLines(proposal, state))
  }
  if (state.candidates.length > 0) lines.push('', 'Candidates:')
  for (const { public_key: key, heartbeat_at: at, stale_at: stale } of state.candidates) {
    const alive = at === null ? 'no sign of life yet' : `sign of life at block ${at}, counts until ${stale}`
    lines.push(`  ${key}  ${alive}`)
  }
  if (state.bonds.length > 0) lines.push('', 'Bonds:')
  for (const { public_key: key, amount } of state.bonds) lines.push(`  ${key}  ${amount}`)
  if (protocol.next !== null)
    lines.push(
      '',
      `Blocks have version ${protocol.version}; from block ${protocol.next.height} on ${protocol.next.version}`,
    )
  return lines
}

function reasonText(boundary: AuthoritiesJson['next_boundary']): string {
  if (boundary.removal_pending) return '; an authority that signed twice has to leave'
  return boundary.rejoin_pending ? '; an authority waits for it to vote again' : ''
}

function heardText(seen: ConsensusReport['authorities'][number] | undefined): string {
  if (seen === undefined) return '-'
  if (seen.self) return 'this node'
  return seen.silent_ms === null ? 'never' : `${formatMs(seen.silent_ms)} ago`
}

function noteOf({ offence, rejoin, bond }: MemberJson): string {
  const notes = []
  if (offence !== null) notes.push(`signed twice in epoch ${offence.epoch}, view ${offence.view}`)
  if (rejoin !== null) notes.push(`lost its votes, rejoined at block ${rejoin.height}`)
  if (bond !== '0') notes.push(`bond ${bond}`)
  return notes.join('; ')
}

function proposalLines(proposal: ProposalJson, { quorum_weight: quorum }: AuthoritiesJson): string[] {
  const state =
    proposal.approved_at === null
      ? `${proposal.weight} of ${quorum} votes, open until block ${proposal.expires}`
      : `approved at block ${proposal.approved_at}, waits for the end of an epoch`
  return [`  ${proposal.id}  ${changeText(proposal.change)}`, `    ${state}; by ${proposal.proposer}`]
}

function changeText(change: ProposalJson['change']): string {
  const { kind, public_key: key, new_key: newKey, weight, version, height } = change
  switch (kind) {
    case 'add':
      return `add ${key} with weight ${weight}`
    case 'remove':
      return `remove ${key}`
    case 'changeKey':
      return `replace ${key} by ${newKey}`
    case 'changeWeight':
      return `give ${key} the weight ${weight}`
    case 'activate':
      return `version ${version} of blocks from block ${height} on`
  }
}
