/**
 * What happens in the consensus, as lines of the log.
 * @module
 */
import { bytesToHex } from '@althing/base'
import type { Log } from '@althing/base'
import type { ConsensusEvent } from '@althing/chain'

export function logConsensusEvent(log: Log, event: ConsensusEvent): void {
  switch (event.kind) {
    case 'halted':
      return log.error('consensus halted; this node signs nothing any more', { reason: event.reason })
    case 'versionUnknown':
      return log.error('the chain needs a newer release', { height: event.height, version: event.version })
    case 'evidenceFound': {
      const { epoch, signer, view } = event.first
      return log.warn('an authority signed twice', { epoch, signer, view })
    }
    case 'proposalRefused':
      return log.warn('a proposal gets no vote', { view: event.view, reason: event.reason })
    case 'reorg':
      return log.info('the head moved to another branch', { to: bytesToHex(event.to) })
    case 'epochEntered':
      return log.info('a new epoch', {
        epoch: event.epoch,
        after: event.anchorHeight,
        authorities: event.set.length,
      })
    case 'blockNotarized':
      return log.debug(event.kind, { height: event.height, hash: bytesToHex(event.hash), view: event.view })
    case 'viewEntered':
      return log.debug(event.kind, { epoch: event.epoch, view: event.view })
  }
}
