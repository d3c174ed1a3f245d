/**
 * What peers say: bounds and membership are looked at before signatures, signatures before anything is stored (R13).
 * Nothing here acts on what was learned; the rules do.
 * @module
 */
import {
  equalBytes,
  FINALIZE,
  hashToHex,
  headerHash,
  isVoteKind,
  isZeroHash,
  leaderOf,
  NOTARIZE,
  NULLIFY,
  unreachable,
  verifyCertificate,
  voteSignBytes,
} from '@althing/base'
import type { Block, Certificate, Proposal, Vote } from '@althing/base'
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
  const { kind, view, hash, signer } = vote
  const { epoch, anchor, set } = replica.epoch
  if (vote.epoch !== epoch || !replica.isInWindow(view)) return true
  const member = set[signer]
  if (!isVoteKind(kind) || member === undefined || !equalBytes(vote.anchor, anchor)) {
    replica.out.charge(from, 'a vote that no authority of this epoch makes')
    return false
  }
  if ((kind === NULLIFY) !== isZeroHash(hash)) {
    replica.out.charge(from, 'a vote whose hash does not fit its kind')
    return false
  }
  if (authority === signer) replica.heard.heard(signer, replica.now.monotonicMs)
  if (replica.votes.check(vote) === 'held') return true
  if (!replica.ports.verify(member.key, voteSignBytes(kind, anchor, epoch, view, hash), vote.signature)) {
    replica.out.charge(from, `a vote that authority ${signer} did not sign`)
    return false
  }
  replica.heard.heard(signer, replica.now.monotonicMs)
  replica.count(vote)
  return true
}

function onCertificate(replica: Replica, certificate: Certificate, from: PeerRef): void {
  const { kind, view, hash, epoch } = certificate
  if (epoch !== replica.epoch.epoch || !isVoteKind(kind)) return
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

function onStatus(replica: Replica, status: Status, from: PeerRef, authority: number | null): void {
  if (authority !== null && !status.observer) replica.heard.heard(authority, replica.now.monotonicMs)
  replica.chain.claim(from, status.height)
  if (status.epoch !== replica.epoch.epoch) return
  // A peer behind asks for what it lacks once it knows that it is; one in an older view gets the entry certificates.
  if (status.height < replica.tree.tip.block.header.height) {
    replica.out.send(from, { kind: 'status', status: replica.status })
  } else if (status.view < replica.view) {
    serve(replica, from, { kind: 'getCertificate', epoch: status.epoch, view: replica.view - 1 })
  }
}

function onBlock(replica: Replica, block: Block, from: PeerRef): void {
  const hash = headerHash(block.header)
  if (replica.wanted.has(hashToHex(hash))) replica.learn(block, hash, block.header.view, from)
}

/** R10. Nothing that the peer claims is believed; what does not bring us on leaves the request to its timeout (P17). */
function onChain(replica: Replica, reply: ChainReply, from: PeerRef): void {
  const { tree } = replica
  if (!replica.chain.isOutstanding(from)) return
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
