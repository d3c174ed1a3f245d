/**
 * The rules that a replica applies whenever something was learned or time went by (R3 to R8), until none applies.
 * Each application raises the view or the floor, casts a vote, or uses up a timer or a block, so they come to an end.
 * @module
 */
import { BLOCK_VERSION, FINALIZE, hashToHex, NOTARIZE, NULLIFY, ZERO_HASH } from '@althing/base'
import type { BlockHash } from '@althing/base'
import type { Need } from './catch-up.ts'
import { findParent, isLastOfEpoch, judgeProposal } from './proposal-rules.ts'
import type { TreeBlock } from './block-tree.ts'
import type { Replica } from './replica.ts'
import { atWall } from './timers.ts'
import { NEVER } from './view-clock.ts'

/** While more blocks are unfinalized, leaders propose without transactions (R10). */
const UNFINALIZED_FULL_MAX = 64

/** @returns whether a rule applied. Each raises the view or the floor, casts a vote, or uses up a timer or a block. */
export function applyRule(replica: Replica): boolean {
  return (
    applyFinalization(replica) ||
    advanceView(replica) ||
    followHead(replica) ||
    voteOnProposal(replica) ||
    propose(replica) ||
    expire(replica)
  )
}

/** R7. */
export function applyFinalization(replica: Replica): boolean {
  for (const certificate of replica.certificates.finalizationsAbove(replica.floor)) {
    const connection = replica.connect(certificate.hash)
    switch (connection.state) {
      case 'final':
        replica.raiseFloor(certificate)
        return true
      case 'connected':
        replica.commit(hashToHex(certificate.hash), certificate)
        if (replica.successor === undefined) replica.raiseFloor(certificate)
        return true
      case 'forked':
        replica.haltOnConflict(certificate)
        return true
      case 'invalid':
        replica.haltOnDivergence(connection.reason)
        return true
      case 'missing':
        replica.wantForCertificate(connection.hash, certificate.view)
        break
      case 'versionUnknown': // reported by the search
        break
    }
  }
  return false
}

/** R5, R6: only certificates move views, whatever this node voted (P2). */
function advanceView(replica: Replica): boolean {
  for (const view of replica.certificates.viewsFrom(replica.view)) {
    const notarization = replica.certificates.notarization(view)
    if (notarization !== undefined) {
      const connection = replica.connect(notarization.hash)
      if (connection.state === 'connected' || connection.state === 'final') {
        replica.jumpTo(view)
        replica.cast(FINALIZE, notarization.hash)
        replica.enterView(view + 1)
        return true
      }
      if (connection.state === 'missing') replica.wantForCertificate(connection.hash, view)
    }
    if (replica.certificates.isNullified(view)) {
      replica.enterView(view + 1)
      return true
    }
  }
  return false
}

/** Fork choice: the connected notarized block of the highest view. */
function followHead(replica: Replica): boolean {
  for (const view of replica.certificates.notarizedAbove(replica.headView)) {
    const notarization = replica.certificates.notarization(view)!
    const connection = replica.connect(notarization.hash)
    if (connection.state === 'missing') replica.wantForCertificate(connection.hash, view)
    if (connection.state !== 'connected') continue
    const block = replica.tree.get(hashToHex(notarization.hash))!
    replica.moveHead(block, view)
    return true
  }
  return false
}

/** R4 for the present view's proposal. */
function voteOnProposal(replica: Replica): boolean {
  replica.clock.waitForProposal(NEVER)
  const proposal = replica.proposalByView.get(replica.view)
  const guard = replica.guard
  if (proposal === undefined || proposal.isRefused || guard === null || guard.lockedBecause !== null)
    return false
  const own = guard.votesOf(replica.view)
  if (own.notarize !== undefined || own.nullify !== undefined) return false
  const need: Need = { view: replica.view, by: 'vote' }
  const block = replica.tree.get(proposal.key)?.block
  if (block === undefined) {
    replica.want({ views: [], blocks: [proposal.hash] }, need)
    return false
  }
  const at = { view: replica.view, leader: replica.leader, now: replica.now }
  const connect: typeof replica.connect = (hash) => replica.connect(hash)
  const { epoch, config } = replica
  const rules = { epoch, config, blockVersion: (of: BlockHash) => replica.ports.executor.blockVersion(of) }
  const verdict = judgeProposal(block, proposal.hash, at, rules, replica.held, connect)
  switch (verdict.kind) {
    case 'notarize':
      return replica.cast(NOTARIZE, proposal.hash)
    case 'missing':
      replica.want(verdict.missing, need)
      return false
    case 'early':
      replica.clock.waitForProposal(atWall(replica.now, verdict.wallMs))
      return false
    case 'versionUnknown':
      replica.reportVersion(verdict.height, verdict.version)
      proposal.isRefused = true
      return false
    case 'fault':
      replica.out.event({ kind: 'proposalRefused', view: replica.view, reason: verdict.reason })
      proposal.isRefused = true
      replica.clock.expireNow(replica.now)
      return true
  }
}

/** R3; where the epoch ends, the block that ends it is proposed again until it is final (R11, P6). */
function propose(replica: Replica): boolean {
  const view = replica.view
  const guard = replica.guard
  if (guard === null || replica.isSignerAway || !replica.clock.mayPropose(replica.now)) return false
  const own = guard.votesOf(view)
  if (own.notarize !== undefined || own.nullify !== undefined) {
    replica.clock.proposed()
    return false
  }
  const found = findParent(view, replica.held)
  if (!('hash' in found)) {
    replica.want(found, { view, by: 'vote' })
    return false
  }
  replica.clock.proposed()
  const parent = replica.tree.get(hashToHex(found.hash))!
  const hash = isLastOfEpoch(parent.block.header, replica.epoch) ? parent.hash : build(replica, parent)
  if (hash === null) return false
  replica.holdProposal(view, hash)
  return replica.cast(NOTARIZE, hash)
}

/** @returns null when the chain state asks for a version of blocks that this release does not know. */
function build(replica: Replica, parent: TreeBlock): BlockHash | null {
  const { timestamp, height } = parent.block.header
  const version = replica.ports.executor.blockVersion(parent.hash)
  if (version > BLOCK_VERSION) {
    replica.reportVersion(height + 1, version)
    return null
  }
  const draft = {
    version,
    epoch: replica.epoch.epoch,
    height: height + 1,
    parent: parent.hash,
    view: replica.view,
    proposer: replica.self,
    timestamp: Math.max(Math.floor(replica.now.wallMs), timestamp + replica.config.intervalMs),
  }
  const isEmpty = replica.tree.pathFromTip(parent.key).length > UNFINALIZED_FULL_MAX
  const { block, hash } = replica.ports.executor.build(parent.hash, draft, isEmpty)
  replica.tree.add(block, hash, 'executed')
  replica.out.append({ kind: 'block', block })
  return hash
}

/** R8. */
function expire(replica: Replica): boolean {
  if (!replica.clock.takeExpiry(replica.now)) return false
  if (replica.cast(NULLIFY, ZERO_HASH) || !replica.isSignerAway) return true
  replica.clock.expireNow(replica.now) // tried again when something is heard, or at the next retransmission
  return false
}
