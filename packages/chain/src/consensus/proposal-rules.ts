/**
 * What a leader may build on (R3) and what deserves a notarize vote (R4), as functions of what is held. Pure.
 * @module
 */
import {
  Block,
  BLOCK_VERSION,
  endsEpoch,
  equalBytes,
  hashToHex,
  NULL_CERTIFICATES_MAX,
  NULLIFY,
} from '@althing/base'
import type { BlockHash, Certificate, Hash, Header, Proposal, Vote } from '@althing/base'
import type { BlockTree, Connection } from './block-tree.ts'
import type { CertificateStore } from './certificates.ts'
import type { EpochStart } from './epochs.ts'
import type { ConsensusConfig, Now } from './types.ts'

/** What the rules look at. */
export interface Held {
  readonly tree: BlockTree
  readonly certificates: CertificateStore
  /** The highest finalized view of the epoch; 0 is the anchor's. */
  readonly floor: number
  /** The block finalized in the floor's view; the anchor when floor is 0. */
  readonly floorHash: BlockHash
}

/** What has to be fetched before a rule can be applied. */
export interface Missing {
  readonly views: readonly number[]
  readonly blocks: readonly BlockHash[]
}

/** Views asked for at once when certificates are missing. */
const MISSING_VIEWS_MAX = 16

/**
 * R3: the notarized, connected block at the highest u < view such that every view in between is nullified.
 */
export function findParent(view: number, held: Held): { hash: BlockHash; view: number } | Missing {
  const views: number[] = []
  const blocks: BlockHash[] = []
  for (let u = view - 1; views.length < MISSING_VIEWS_MAX; u--) {
    if (u <= held.floor) {
      if (!isWhole(views, blocks)) break
      const isTip = equalBytes(held.floorHash, held.tree.tip.hash)
      return isTip ? { hash: held.floorHash, view: u } : { views, blocks }
    }
    const notarization = held.certificates.notarization(u)
    if (notarization !== undefined && held.tree.isConnected(hashToHex(notarization.hash))) {
      return isWhole(views, blocks) ? { hash: notarization.hash, view: u } : { views, blocks }
    }
    if (held.certificates.isNullified(u)) continue
    if (notarization === undefined) views.push(u)
    else blocks.push(notarization.hash)
  }
  return { views, blocks }
}

/**
 * R4: the highest view u at which `parent` is notarized with all of (u, view) nullified (P10).
 * @returns `notHeld` when every view down to the floor is nullified and no notarization of it is held.
 */
function findParentView(view: number, parent: Hash, held: Held): { view: number } | Missing | 'notHeld' {
  const views: number[] = []
  for (let u = view - 1; views.length < MISSING_VIEWS_MAX; u--) {
    if (u <= held.floor) {
      if (views.length > 0) return { views, blocks: [] }
      return equalBytes(held.floorHash, parent) ? { view: u } : 'notHeld'
    }
    const notarization = held.certificates.notarization(u)
    if (notarization !== undefined && equalBytes(notarization.hash, parent)) {
      return views.length === 0 ? { view: u } : { views, blocks: [] }
    }
    if (!held.certificates.isNullified(u)) views.push(u)
  }
  return { views, blocks: [] }
}

function isWhole(views: readonly number[], blocks: readonly BlockHash[]): boolean {
  return views.length === 0 && blocks.length === 0
}

/** Whether the block ends this epoch; the anchor ended the one before. */
export function isLastOfEpoch(header: Header, epoch: EpochStart): boolean {
  return endsEpoch(header) && header.height > epoch.anchorHeight
}

/** What must be notarized before the block may be proposed in `view`: its parent, or itself when proposed again. */
function basisOf(header: Header, hash: BlockHash, view: number): BlockHash {
  return header.view < view && endsEpoch(header) ? hash : header.parent
}

/** The proposal that a leader's notarize vote belongs to, with what shows that its parent may be built on (R3). */
export function proposalOf(block: Block, vote: Vote, held: Held): Proposal {
  const nullCertificates: Certificate[] = []
  const parentCertificate: Certificate[] = []
  const basis = basisOf(block.header, vote.hash, vote.view)
  for (let view = vote.view - 1; view >= Math.max(held.floor, 1) && parentCertificate.length === 0; view--) {
    const notarization = held.certificates.notarization(view)
    const nullification = held.certificates.get(NULLIFY, view)
    if (notarization !== undefined && equalBytes(notarization.hash, basis)) {
      parentCertificate.push(notarization)
    } else if (nullification !== undefined && nullCertificates.length < NULL_CERTIFICATES_MAX) {
      nullCertificates.push(nullification)
    }
  }
  return {
    epoch: vote.epoch,
    view: vote.view,
    block,
    parentCertificate,
    nullCertificates,
    signature: vote.signature,
  }
}

export type Verdict =
  | { readonly kind: 'notarize' }
  | { readonly kind: 'missing'; readonly missing: Missing }
  /** Valid later: its timestamp is too far ahead of our clock. */
  | { readonly kind: 'early'; readonly wallMs: number }
  /** The block hash commits to the fault: it will never deserve a vote. */
  | { readonly kind: 'fault'; readonly reason: string }
  | { readonly kind: 'versionUnknown'; readonly height: number; readonly version: number }

/** The view that is judged. */
interface JudgedView {
  readonly view: number
  readonly leader: number
  readonly now: Now
}

/** What a block is judged by. */
interface Rules {
  readonly epoch: EpochStart
  readonly config: ConsensusConfig
  /** The version that the chain state asks of a block on this parent. */
  readonly blockVersion: (parent: BlockHash) => number
}

/** R4 for the present view. @param connect executes what has to be executed. */
export function judgeProposal(
  block: Block,
  hash: BlockHash,
  at: JudgedView,
  rules: Rules,
  held: Held,
  connect: (hash: BlockHash) => Connection,
): Verdict {
  const { header } = block
  const basis = basisOf(header, hash, at.view)
  const isAgain = basis === hash
  const fault = isAgain ? null : headerFault(block, at, rules)
  if (fault !== null) return { kind: 'fault', reason: fault }
  const found = findParentView(at.view, basis, held)
  if (found === 'notHeld') return judgeUnheldParent(basis, at.view, held)
  if (!('view' in found)) return { kind: 'missing', missing: found }
  if (isAgain) {
    // P7: the notarization that it rests on is of this epoch, and says that all else was checked. The anchor's is not.
    if (found.view <= held.floor) return { kind: 'fault', reason: 'it ended the epoch before' }
    return verdictOf(connect(hash))
  }
  const parentConnection = connect(header.parent)
  if (parentConnection.state === 'missing') return missingBlock(parentConnection.hash)
  const parent = held.tree.get(hashToHex(header.parent))?.block.header
  if (parent === undefined || !held.tree.isConnected(hashToHex(header.parent))) {
    return { kind: 'fault', reason: `its parent is ${parentConnection.state}` }
  }
  const version = rules.blockVersion(header.parent)
  if (header.version !== version)
    return { kind: 'fault', reason: `version ${header.version}; expected ${version}` }
  if (version > BLOCK_VERSION) return { kind: 'versionUnknown', height: parent.height + 1, version }
  if (header.height !== parent.height + 1)
    return { kind: 'fault', reason: `height ${header.height} on ${parent.height}` }
  if (header.timestamp < parent.timestamp + rules.config.intervalMs) {
    return { kind: 'fault', reason: `timestamp ${header.timestamp} is within the interval of its parent` }
  }
  if (header.timestamp > at.now.wallMs + rules.config.driftMs) {
    return { kind: 'early', wallMs: header.timestamp - rules.config.driftMs }
  }
  return verdictOf(connect(hash))
}

function verdictOf(connection: Connection): Verdict {
  switch (connection.state) {
    case 'connected':
      return { kind: 'notarize' }
    case 'missing':
      return missingBlock(connection.hash)
    case 'versionUnknown':
      return { kind: 'versionUnknown', height: connection.height, version: connection.version }
    case 'invalid':
      return { kind: 'fault', reason: connection.reason }
    default:
      return { kind: 'fault', reason: `it is ${connection.state}` }
  }
}

/** Its notarization may exist in a view that was nullified, too; unless the parent is below the floor. */
function judgeUnheldParent(parent: BlockHash, view: number, held: Held): Verdict {
  const known = held.tree.get(hashToHex(parent))?.block.header
  const isBelow = known === undefined ? held.tree.isFinal(parent) : known.view <= held.floor
  if (isBelow) return { kind: 'fault', reason: 'it builds below the finalized block' }
  if (known === undefined) return missingBlock(parent)
  if (known.view >= view) return { kind: 'fault', reason: `its parent is of view ${known.view}` }
  return { kind: 'missing', missing: { views: [known.view], blocks: [] } }
}

function missingBlock(hash: BlockHash): Verdict {
  return { kind: 'missing', missing: { views: [], blocks: [hash] } }
}

/** What the header says about itself, whatever is held. */
function headerFault(block: Block, at: JudgedView, { epoch: { epoch }, config }: Rules): string | null {
  const { header } = block
  if (header.view !== at.view) return `made for view ${header.view}, proposed in ${at.view}`
  if (header.proposer !== at.leader) return `proposer ${header.proposer}; the leader is ${at.leader}`
  if (header.epoch !== epoch) return `epoch ${header.epoch}; expected ${epoch}`
  const bytes = Block.value_serializedSize({ ...block, nextSet: [] })
  return bytes > config.blockBytesMax ? `${bytes} bytes; at most ${config.blockBytesMax} allowed` : null
}
