/**
 * What peers say: bounds and membership are looked at before signatures, signatures before anything is stored (R13).
 * Nothing here acts on what was learned; the rules do.
 * @module
 */
import {
  checkVoteForm,
  equalBytes,
  FINALIZE,
  hashToHex,
  headerHash,
  isVoteKind,
  leaderOf,
  NOTARIZE,
  unreachable,
  verifyCertificate,
  verifyEvidence,
  verifyVote,
} from '@althing/base'
import type { Block, Certificate, Evidence, Proposal, Vote } from '@althing/base'
import { checkChainReply } from './chain-reply.ts'
import type { Replica } from './replica.ts'
import { applyFinalization } from './rules.ts'
import { answersTo, isRequest } from './serving.ts'
import type { Request } from './serving.ts'
import type { ChainReply, ConsensusMessage, PeerRef, Status } from './types.ts'

/** After a halt only requests are answered. @param authority that the link's other end proved to be, or null. */
export function receive(
  replica: Replica,
  message: ConsensusMessage,
  from: PeerRef,
  authority: number | null,
): void {
  if (isRequest(message)) return serve(replica, from, message)
  if (replica.halted !== null) return
  switch (message.kind) {
    case 'proposal':
      return onProposal(replica, message.proposal, from)
    case 'vote':
      return void onVote(replica, message.vote, from, authority)
    case 'certificate':
      return onCertificate(replica, message.certificate, from)
    case 'status':
      return onStatus(replica, message.status, from, authority)
    case 'block':
      return onBlock(replica, message.block, from)
    case 'chain':
      return onChain(replica, message.reply, from)
    case 'evidence':
      return onEvidence(replica, message.evidence, from)
    default:
      return unreachable(message)
  }
}

/** R4. The leader's signature covers the block hash only; everything else in the message is a hint. */
function onProposal(replica: Replica, proposal: Proposal, from: PeerRef): void {
  const { epoch, view, block, signature } = proposal
  const { anchor, set } = replica.epoch
  if (epoch !== replica.epoch.epoch || !replica.isInWindow(view)) return
  const hash = headerHash(block.header)
  const vote: Vote = { kind: NOTARIZE, epoch, anchor, view, hash, signer: leaderOf(view, set), signature }
  if (!onVote(replica, vote, from, null)) return
  for (const certificate of [...proposal.parentCertificate, ...proposal.nullCertificates]) {
    onCertificate(replica, certificate, from)
  }
  if (!replica.isInWindow(view)) return
  const key = hashToHex(hash)
  if (replica.holdProposal(view, hash) === key || replica.wanted.has(key))
    replica.learn(block, hash, view, from)
}

/** @returns false when the vote is not of its signer. */
function onVote(replica: Replica, vote: Vote, from: PeerRef, authority: number | null): boolean {
  const { epoch } = replica
  if (vote.epoch !== epoch.epoch || !replica.isInWindow(vote.view)) return true
  const formed = checkVoteForm(vote, epoch)
  if (!formed.ok) {
    replica.out.charge(from, formed.fault.message)
    return false
  }
  const { signer } = vote
  if (authority === signer) replica.heard.heard(signer, replica.now.monotonicMs)
  if (replica.votes.check(vote) === 'held') return true
  const verified = verifyVote(vote, epoch, replica.ports.verify)
  if (!verified.ok) {
    replica.out.charge(from, verified.fault.message)
    return false
  }
  replica.heard.heard(signer, replica.now.monotonicMs)
  replica.count(vote)
  return true
}

function onCertificate(replica: Replica, certificate: Certificate, from: PeerRef): void {
  const { kind, view, hash, epoch } = certificate
  if (!isVoteKind(kind)) return replica.out.charge(from, `a certificate of kind ${kind}; known: 0, 1, 2`)
  if (epoch < replica.epoch.epoch && kind === FINALIZE) return onOldFinalization(replica, certificate, from)
  if (epoch !== replica.epoch.epoch) return
  const held = replica.certificates.get(kind, view)
  if (kind === FINALIZE) {
    // The conflict check runs at any view (R7).
    if (held !== undefined && equalBytes(held.hash, hash)) return
    if (view <= replica.floor && replica.tree.isFinal(hash)) return
  } else if (held !== undefined || view <= replica.floor) return
  const verified = verifyCertificate(certificate, replica.epoch, replica.ports.verify)
  if (verified.ok) replica.hold(certificate)
  else replica.out.charge(from, verified.fault.message)
}

/** R7: the conflict check runs at any known epoch. What is final already says nothing new. */
function onOldFinalization(replica: Replica, certificate: Certificate, from: PeerRef): void {
  const epoch = replica.startOf(certificate.epoch)
  if (epoch === undefined || replica.tree.isFinal(certificate.hash)) return
  const verified = verifyCertificate(certificate, epoch, replica.ports.verify)
  if (!verified.ok) return replica.out.charge(from, verified.fault.message)
  const isWhole = replica.tree.finalByHeight(epoch.anchorHeight + 1) !== undefined
  if (isWhole) replica.haltOnConflict(certificate, replica.endOf(certificate.epoch)?.finalization)
}

/** Of an epoch that has begun; a peer may be ahead, and evidence of later ones will be told again by who finds it. */
function onEvidence(replica: Replica, evidence: Evidence, from: PeerRef): void {
  if (replica.isExposed(evidence)) return
  const epoch = replica.startOf(evidence.first.epoch)
  if (epoch === undefined) return
  const verified = verifyEvidence(evidence, epoch, replica.ports.verify)
  if (verified.ok) replica.expose(evidence)
  else replica.out.charge(from, verified.fault.message)
}

function onStatus(replica: Replica, status: Status, from: PeerRef, authority: number | null): void {
  if (authority !== null && !status.observer) replica.heard.heard(authority, replica.now.monotonicMs)
  replica.chain.claim(from, status.height)
  // A peer behind asks for what it lacks once it knows that it is; one in an older view or epoch gets the certificates
  // that lead out of it.
  const { epoch } = replica.epoch
  if (status.height < replica.tree.tip.block.header.height) {
    replica.out.send(from, { kind: 'status', status: replica.status })
    if (status.epoch < epoch)
      serve(replica, from, { kind: 'getCertificate', epoch: status.epoch, view: status.view })
  } else if (status.epoch === epoch && status.view < replica.view) {
    serve(replica, from, { kind: 'getCertificate', epoch, view: replica.view - 1 })
  }
}

function onBlock(replica: Replica, block: Block, from: PeerRef): void {
  const hash = headerHash(block.header)
  if (replica.wanted.has(hashToHex(hash))) replica.learn(block, hash, block.header.view, from)
}

/** R10. Nothing that the peer claims is believed; what does not bring us on leaves the request to its timeout (P17). */
function onChain(replica: Replica, reply: ChainReply, from: PeerRef): void {
  const { tree } = replica
  // An answer of an epoch that has ended meanwhile is late, and not a lie; one of a later epoch is of no use yet.
  if (!replica.chain.isOutstanding(from) || reply.finalization.epoch !== replica.epoch.epoch) return
  const checked = checkChainReply(reply, replica.epoch, replica.ports.verify)
  if (!checked.ok) return replica.out.charge(from, checked.fault.message)
  const { blocks, finalization, isDirect } = checked.value
  for (const { block, hash } of blocks) {
    const { height } = block.header
    const own = height <= tree.tip.block.header.height ? tree.finalByHeight(height) : undefined
    if (own !== undefined && !equalBytes(own.hash, hash)) return replica.haltOnConflict(finalization)
    tree.add(block, hash)
  }
  const last = blocks.at(-1)!
  const connection = replica.connect(last.hash)
  if (connection.state === 'forked') return replica.haltOnConflict(finalization)
  if (connection.state === 'invalid') return replica.haltOnDivergence(connection.reason)
  replica.hold(finalization)
  if (connection.state !== 'connected' || replica.halted !== null) return
  if (isDirect) applyFinalization(replica)
  else replica.commit(hashToHex(last.hash), null)
  replica.chain.progressed(replica.now, from)
}

/** Answers as far as the answer is held. */
function serve(replica: Replica, to: PeerRef, request: Request): void {
  for (const message of answersTo(request, replica)) replica.out.send(to, message)
}
