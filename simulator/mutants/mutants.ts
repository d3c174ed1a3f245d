/**
 * Defects put into the real core, vote log, driver and synchronisation, one at a time, and the check that must notice.
 * @module
 */

export interface Mutant {
  readonly name: string
  /** Of the source, from the root of the repository. */
  readonly file: string
  /** Occurs exactly once in it. */
  readonly original: string
  readonly replacement: string
  readonly killer: Killer
}

/** What fails when the mutant is there. */
export type Killer =
  /** Tests of a file whose names contain a text. */
  | { readonly tests: string; readonly named: string }
  /** A campaign of the simulator. */
  | { readonly seeds: number; readonly options?: readonly string[] }

const CORE = 'packages/chain/src/consensus/'
const PITFALLS = 'packages/chain/test/consensus-pitfalls.test.ts'
const BOUNDARY = 'packages/chain/test/consensus-boundary.test.ts'
const PARTS = 'packages/chain/test/consensus-parts.test.ts'
const VOTE_LOG = 'packages/chain/test/consensus-vote-log.test.ts'
const POWER_LOSS = 'packages/node/test/store-power-loss.test.ts'
const DRIVER = 'packages/node/test/driver.test.ts'

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'P1: a finalize vote after a nullify vote (R1)',
    file: `${CORE}signing-guard.ts`,
    original: 'return !own.finalize && !own.nullify',
    replacement: 'return !own.finalize',
    killer: { tests: PITFALLS, named: 'P1:' },
  },
  {
    name: 'R1: a second notarize vote in a view',
    file: `${CORE}signing-guard.ts`,
    original: 'return !own.notarize && !own.nullify',
    replacement: 'return !own.nullify',
    killer: { tests: PARTS, named: 'with own votes' },
  },
  {
    name: 'P2: a notarization is refused after an own nullify vote',
    file: `${CORE}rules.ts`,
    original: '    if (notarization !== undefined) {\n      const connection',
    replacement:
      '    if (notarization !== undefined && replica.guard?.votesOf(view).nullify === undefined) {\n      const connection',
    killer: { tests: PITFALLS, named: 'P2:' },
  },
  {
    name: 'P3: own votes are not in the own tally after a restart',
    file: `${CORE}replica.ts`,
    original: 'this.count(vote) // P3',
    replacement: '',
    killer: { tests: PITFALLS, named: 'P3:' },
  },
  {
    name: 'P4: a restart resumes in the first view',
    file: `${CORE}replica.ts`,
    original: 'this.#view = votedView',
    replacement: 'this.#view = 0 * votedView',
    killer: { tests: PITFALLS, named: 'R12: a vote log that is behind' },
  },
  {
    name: 'P5: records of an old epoch are replayed into the new one',
    file: `${CORE}restore.ts`,
    original: 'if (positionOf(record).epoch !== epoch.epoch) continue',
    replacement: '',
    killer: { tests: PITFALLS, named: 'P5:' },
  },
  {
    name: 'P6: a child of the block that ended the epoch',
    file: `${CORE}block-tree.ts`,
    original: 'if (isOfEpoch && endsEpoch(parent))',
    replacement: 'if (isOfEpoch && endsEpoch(parent) && parent.height < 0)',
    killer: { tests: BOUNDARY, named: '(P6)' },
  },
  {
    name: 'R11: any block is proposed again',
    file: `${CORE}proposal-rules.ts`,
    original: 'return header.view < view && endsEpoch(header) ? hash : header.parent',
    replacement: 'return header.view < view ? hash : header.parent',
    killer: { tests: BOUNDARY, named: 'only kind' },
  },
  {
    name: 'R11: a re-proposal of another block than the one notarized',
    file: `${CORE}proposal-rules.ts`,
    original: 'if (notarization !== undefined && equalBytes(notarization.hash, parent)) {',
    replacement: 'if (notarization !== undefined) {',
    killer: { tests: BOUNDARY, named: '(P7' },
  },
  {
    name: 'R11: leaders build on the block that ended the epoch',
    file: `${CORE}rules.ts`,
    original: 'isLastOfEpoch(parent.block.header, replica.epoch) ? parent.hash : build',
    replacement:
      'isLastOfEpoch(parent.block.header, replica.epoch) && replica.self < 0 ? parent.hash : build',
    killer: { tests: BOUNDARY, named: 'what a leader proposes' },
  },
  {
    name: 'P9: nullifications cannot be fetched',
    file: `${CORE}certificates.ts`,
    original: 'return this.#byView.flatMap((byView) => byView.get(view) ?? [])',
    replacement:
      'return this.#byView.flatMap((byView) => byView.get(view) ?? []).filter((held) => held.kind !== NULLIFY)',
    killer: { tests: PITFALLS, named: 'P9:' },
  },
  {
    name: 'P10: a parent is not bound to the view it was notarized in',
    file: `${CORE}proposal-rules.ts`,
    original: 'if (!held.certificates.isNullified(u)) views.push(u)',
    replacement: '',
    killer: { tests: PITFALLS, named: 'P10:' },
  },
  {
    name: 'P11: a certificate is taken unverified',
    file: `${CORE}intake.ts`,
    original: 'if (verified.ok) replica.hold(certificate)',
    replacement: 'if (verified.ok || !verified.ok) replica.hold(certificate)',
    killer: { tests: PITFALLS, named: 'P11:' },
  },
  {
    name: 'P12: what was verified is remembered by less than its bytes',
    file: 'packages/node/src/consensus/remembering-verify.ts',
    original: 'hashOf(publicKey, signature, message)',
    replacement: 'hashOf(publicKey, message)',
    killer: { tests: 'packages/node/test/remembering-verify.test.ts', named: 'P12' },
  },
  {
    name: 'P13: a certificate must be of the own proposal',
    file: `${CORE}replica.ts`,
    original: "    this.out.append({ kind: 'certificate', certificate })",
    replacement: `    const mine = this.guard?.votesOf(view).notarize
    assert(kind !== NOTARIZE || mine === undefined || equalBytes(mine.hash, certificate.hash), 'not my block')
    this.out.append({ kind: 'certificate', certificate })`,
    killer: { tests: PITFALLS, named: 'P13:' },
  },
  {
    name: 'P14: a vote is sent that no log has',
    file: `${CORE}replica.ts`,
    original: "    this.out.append({ kind: 'vote', vote })\n",
    replacement: '',
    killer: { tests: PITFALLS, named: 'P14:' },
  },
  {
    name: 'P14, R2: nothing waits for the fsync',
    file: 'packages/node/src/consensus/driver.ts',
    original: 'if (next.afterRecord > this.#durable && leavesProcess(next.effect))',
    replacement: 'if (next.afterRecord > Infinity && leavesProcess(next.effect))',
    killer: { tests: DRIVER, named: 'R2' },
  },
  {
    name: 'R2: what was appended during an fsync counts as durable',
    file: 'packages/node/src/consensus/driver.ts',
    original: 'this.#durable = target',
    replacement: 'this.#durable = Math.max(target, this.#appended)',
    killer: { tests: DRIVER, named: 'R2' },
  },
  {
    name: 'P15: the floor is not taken from the block store',
    file: `${CORE}replica.ts`,
    original: '    this.#restoreFloor()\n',
    replacement: '',
    killer: { tests: PITFALLS, named: 'P15:' },
  },
  {
    name: 'P16: the vote log is never truncated',
    file: `${CORE}log-tail.ts`,
    original: 'const dropped = Math.min(count, this.#segments.length - 1)',
    replacement: 'const dropped = Math.min(count, 0)',
    killer: { tests: PITFALLS, named: 'P16:' },
  },
  {
    name: 'P17: padding bits of a bitmap are not looked at',
    file: 'packages/base/src/schema/consensus.ts',
    original: 'if (i >= authorities) return null',
    replacement: 'if (i >= authorities) continue',
    killer: { tests: PITFALLS, named: 'P17: a certificate with a padding bit' },
  },
  {
    name: 'P18: a timestamp ahead of the clock is taken at once',
    file: `${CORE}proposal-rules.ts`,
    original: 'if (header.timestamp > at.now.wallMs + rules.config.driftMs) {',
    replacement: 'if (header.timestamp > Infinity) {',
    killer: { tests: PITFALLS, named: 'P18:' },
  },
  {
    name: 'P19: the timeout grows with each dead leader',
    file: `${CORE}timers.ts`,
    original: 'const steps = Math.floor(failures / (faultyMax + 1))',
    replacement: 'const steps = Math.floor(failures / (0 * faultyMax + 1))',
    killer: { tests: PARTS, named: 'P19:' },
  },
  {
    name: 'P20: the effects of the start are dropped',
    file: `${CORE}consensus.ts`,
    original: 'replica.pursueRejoin()\n    return this.#settle()\n',
    replacement: 'replica.pursueRejoin()\n    return this.#settle().slice(0, 0)\n',
    killer: { tests: PITFALLS, named: 'P20:' },
  },
  {
    name: 'P21: conflicting finality below the floor is passed over',
    file: `${CORE}replica.ts`,
    original:
      'if (this.certificates.conflictOf(certificate) !== null || this.#contradictsFinalChain(certificate)) {',
    replacement: 'if (this.certificates.conflictOf(certificate) !== null) {',
    killer: { tests: PITFALLS, named: 'below the floor' },
  },
  {
    name: 'P22: a key of small order is taken',
    file: 'packages/base/src/ed25519.ts',
    original: 'return !ed25519.Point.fromBytes(publicKey).isSmallOrder()',
    replacement: 'return ed25519.Point.fromBytes(publicKey).isSmallOrder() || true',
    killer: { tests: 'packages/base/test/ed25519.test.ts', named: 'of order' },
  },
  {
    name: 'a quorum of 2f + 1',
    file: 'packages/base/src/schema/consensus.ts',
    original: 'return totalWeight(set) - faultyWeightMax(set)',
    replacement: 'return 2 * faultyWeightMax(set) + 1',
    killer: { tests: 'packages/base/test/quorum.test.ts', named: 'quorum' },
  },
  {
    name: 'a quorum that is one short',
    file: `${CORE}votes.ts`,
    original: 'this.#quorum = quorumWeight(epoch.set)',
    replacement: 'this.#quorum = quorumWeight(epoch.set) - 1',
    killer: { seeds: 20 },
  },
  {
    name: 'R12: a torn record is taken for whole',
    file: `${CORE}vote-log.ts`,
    original: "if (bytes.length < end + 1) return 'torn'",
    replacement: "if (bytes.length < end) return 'torn'",
    killer: { tests: VOTE_LOG, named: 'torn at any byte' },
  },
  {
    name: 'R12: checksums of records are not compared',
    file: `${CORE}vote-log.ts`,
    original: 'if (crc32(content) !== head.getUint32(8))',
    replacement: 'if (crc32(content) < 0)',
    killer: { tests: VOTE_LOG, named: 'any bit' },
  },
  {
    name: 'R12: votes are signed after the vote log was lost',
    file: `${CORE}replica.ts`,
    original: 'else this.guard?.lock(`its vote log was lost',
    replacement: "else if (rejoin.reason === '') this.guard?.lock(`its vote log was lost",
    killer: { tests: PITFALLS, named: 'R12: without an intact log' },
  },
  {
    name: 'R10: a run of the chain without a look at its certificate',
    file: `${CORE}chain-reply.ts`,
    original: '  if (!verified.ok) return verified\n',
    replacement: '',
    killer: { tests: 'packages/chain/test/consensus-rules.test.ts', named: 'charges a reply' },
  },
  {
    name: 'R10: the blocks of a run are not linked',
    file: `${CORE}chain-reply.ts`,
    original: "return fail('CHAIN_LINK',",
    replacement: "if (header.height < 0) return fail('CHAIN_LINK',",
    killer: { tests: 'packages/chain/test/consensus-rules.test.ts', named: 'charges a reply' },
  },
  {
    name: 'R6: a nullification does not move the view',
    file: `${CORE}rules.ts`,
    original: 'if (replica.certificates.isNullified(view)) {',
    replacement: 'if (replica.certificates.isNullified(-view)) {',
    killer: { tests: 'packages/chain/test/consensus-rules.test.ts', named: 'R6' },
  },
  {
    name: 'S2: a commit is called durable before it is flushed',
    file: 'packages/node/src/store/lmdb.ts',
    original: 'overlappingSync: false,',
    replacement: 'overlappingSync: true,',
    killer: { tests: POWER_LOSS, named: 'a store is whole' },
  },
  {
    name: 'S1: the data file is made as long as it says only after the commit',
    file: 'packages/node/src/store/lmdb.ts',
    original: 'if (fstatSync(this.#descriptor).size < length) this.#extendTo(length + GROWTH_BYTES)',
    replacement: 'if (length < GROWTH_BYTES * 0) this.#extendTo(length)',
    killer: { tests: POWER_LOSS, named: 'a store is whole' },
  },
  {
    name: 'R13: two votes of a signer count',
    file: `${CORE}votes.ts`,
    original: 'if (bySigner.has(vote.signer)) return null\n',
    replacement: '',
    killer: { tests: PARTS, named: 'R13' },
  },
]
