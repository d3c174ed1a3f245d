/**
 * Messages and effects as people read them in a transcript.
 * @module
 */
import { FINALIZE, hashToHex, headerHash, NOTARIZE } from '@althing/base'
import type { Hash } from '@althing/base'
import type { ConsensusMessage, Effect } from '@althing/chain'
import type { Death } from './process.ts'

export function describeStart(finalBlocks: number): string {
  return `starts with ${finalBlocks} final blocks`
}

export function describeDeath(by: Death): string {
  return by === 'powerLoss' ? 'loses power' : 'ends'
}

export function describeReceipt(message: ConsensusMessage, from: number): string {
  return `gets from ${from}: ${describeMessage(message)}`
}

function describeMessage(message: ConsensusMessage): string {
  switch (message.kind) {
    case 'proposal': {
      const { view, block, parentCertificate, nullCertificates } = message.proposal
      const parent = parentCertificate[0] === undefined ? 'the anchor' : `view ${parentCertificate[0].view}`
      const skipped = nullCertificates.map((certificate) => certificate.view).join(',')
      const hash = short(headerHash(block.header))
      return `proposal of view ${view}: block ${hash} at ${block.header.height}, on ${parent}, nullified [${skipped}]`
    }
    case 'vote':
      return `${kindName(message.vote.kind)} vote of ${message.vote.signer} in view ${message.vote.view} ${short(message.vote.hash)}`
    case 'certificate': {
      const { kind, view, hash } = message.certificate
      return `${kindName(kind)} certificate of view ${view} ${short(hash)}`
    }
    case 'status': {
      const { view, height, observer } = message.status
      return `status: view ${view}, height ${height}${observer ? ', observer' : ''}`
    }
    case 'getCertificate':
      return `request for certificates of view ${message.view}`
    case 'getBlock':
      return `request for block ${short(message.hash)}`
    case 'block':
      return `block ${short(headerHash(message.block.header))} at ${message.block.header.height}`
    case 'getChain':
      return `request for the chain from ${message.fromHeight}`
    case 'chain': {
      const { blocks, path, finalization } = message.reply
      const heights = blocks.map((block) => block.header.height)
      return `chain of heights [${heights.join(',')}], path of ${path.length}, finalization of view ${finalization.view}`
    }
    case 'evidence': {
      const { signer, view, epoch } = message.evidence.first
      return `evidence against ${signer} in view ${view} of epoch ${epoch}`
    }
    default:
      return message satisfies never
  }
}

export function describeEffect(effect: Effect): string {
  switch (effect.kind) {
    case 'append':
      return `appends ${effect.record.length} bytes to the vote log`
    case 'startSegment':
      return `starts segment ${effect.sequence} of the vote log`
    case 'forget':
      return `needs no segment of the vote log below ${effect.belowSequence}`
    case 'broadcast':
      return `broadcasts ${describeMessage(effect.message)}`
    case 'send':
      return `sends to ${effect.to}: ${describeMessage(effect.message)}`
    case 'commit':
      return `commits heights ${effect.blocks.map(({ block }) => block.header.height).join(',')}`
    case 'charge':
      return `charges ${effect.peer}: ${effect.reason}`
    case 'event':
      return describeEvent(effect.event)
    case 'submitRejoin':
      return 'asks for its rejoin'
    default:
      return effect satisfies never
  }
}

function describeEvent(event: Extract<Effect, { kind: 'event' }>['event']): string {
  switch (event.kind) {
    case 'viewEntered':
      return `enters view ${event.view}`
    case 'blockNotarized':
      return `has block ${short(event.hash)} at ${event.height} notarized in view ${event.view}`
    case 'reorg':
      return `moves its head from ${short(event.from)} to ${short(event.to)}`
    case 'evidenceFound':
      return `holds evidence against ${event.first.signer} in view ${event.first.view}`
    case 'proposalRefused':
      return `refuses the proposal of view ${event.view}: ${event.reason}`
    case 'halted':
      return `halts: ${event.reason}`
    case 'versionUnknown':
      return `does not know version ${event.version} at height ${event.height}`
    case 'epochEntered':
      return `enters epoch ${event.epoch} on height ${event.anchorHeight}`
    default:
      return event satisfies never
  }
}

function kindName(kind: number): string {
  return kind === NOTARIZE ? 'notarize' : kind === FINALIZE ? 'finalize' : 'nullify'
}

function short(hash: Hash): string {
  return hashToHex(hash).slice(0, 8)
}
