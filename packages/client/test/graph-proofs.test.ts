import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { bytesToHex, hexToBytes } from '@althing/base'
import { verifyGraphRoot, verifyStatement, verifyStatements } from '../src/index.ts'

const G = 'http://example.org/graph'
const SIGNER = 'eae1c8793b5597c4b3f490e76ac31172c439690f8ee14142bb851a61f9a49f0e'
const [FIRST, SECOND] = ['<urn:a> <urn:q> <urn:b>', '<urn:a> <urn:p> "1"'] as const

/** Of a state with the graph, these two statements in it, and one of another subject: as the ledger made them. */
const ROOT = bytes('f0e1667b1335d167a6488142e0c44ba00c7242c3b8a60e64d26b792c27c82f3d')
const PRESENT = bytes(
  '01000400f421561e2b19cac3036014ccfc5a5e6032438257db208e313915402c57ae26f804203d6c6092627ea16166931b6994fae56d91e22a9becb5c427c816c0439c13869493012263cc062fb4534109699014d668ed41ab81b98ab8e8b3d6e5074a91c9d155b31280ca3b6b4974323ec3e64d9ce910527148aad9ebe5716f233c18b1658550f93eee39c43955719d16c5b068ae375acd3b45d4d19b7a8af23dd00018b8c3b8d463f3ace2cd71c48e99d2ea2beb529b3b71c733db3f0100000000000000eae1c8793b5597c4b3f490e76ac31172c439690f8ee14142bb851a61f9a49f0e2c0000003c75726e3a613e203c75726e3a703e20223122',
)
const ABSENT = bytes(
  '01000400f421561e2b19cac3036014ccfc5a5e6032438257db208e313915402c57ae26f804203d6c6092627ea16166931b6994fae56d91e22a9becb5c427c816c0439c13869493012263cc062fb4534109699014d668ed41ab81b98ab8e8b3d6e5074a91c9d155b31280ca3b6b4974323ec3e64d9ce910527148aad9ebe5716f233c18b1658550f93eee39c43955719d16c5b068ae375acd3b45d4d19b7a8af23dd00018b8c3b8d463f3ace2cd71c48e99d2ea2beb529b3b71c733db6a36daa3ac61509d926052e290b86ec3cc2e8ed13b3712936dcf4b8917124f28',
)
const OF_SUBJECT = bytes(
  '01000400f421561e2b19cac3036014ccfc5a5e6032438257db208e313915402c57ae26f804203d6c6092627ea16166931b6994fae56d91e22a9becb5c427c816c0439c13869493012263cc062fb4534109699014d668ed41ab81b98ab8e8b3d6e5074a91c9d155b31280ca3b6b4974323ec3e64d9ce910527148aad9ebe5716f233c00184be727241faa9e77a831aaab76afbd0d1708741e6e5885ab430100000000000000eae1c8793b5597c4b3f490e76ac31172c439690f8ee14142bb851a61f9a49f0e2c0000003c75726e3a613e203c75726e3a713e203c75726e3a623e0018b8c3b8d463f3ace2cd71c48e99d2ea2beb529b3b71c733db3f0100000000000000eae1c8793b5597c4b3f490e76ac31172c439690f8ee14142bb851a61f9a49f0e2c0000003c75726e3a613e203c75726e3a703e20223122',
)
const OF_SUBJECT_FIRST = bytes(
  '0101312263cc062fb4534109699014d668ed41abaad9ebe5716f233c4be727241faa9e77a831aaab76afbd0d1708741e6e5885ab0400f421561e2b19cac3036014ccfc5a5e6032438257db208e313915402c57ae26f804203d6c6092627ea16166931b6994fae56d91e22a9becb5c427c816c0439c13869493012263cc062fb4534109699014d668ed41ab81b98ab8e8b3d6e5074a91c9d155b31280ca3b6b4974323ec3e64d9ce910527148aad9ebe5716f233c00184be727241faa9e77a831aaab76afbd0d1708741e6e5885ab430100000000000000eae1c8793b5597c4b3f490e76ac31172c439690f8ee14142bb851a61f9a49f0e2c0000003c75726e3a613e203c75726e3a713e203c75726e3a623eef7ea249280ef3daa48467552c5a0d8c677618ab64f49ee42e9b4b28dba63d96',
)
const OF_GRAPH = bytes(
  '010400f421561e2b19cac3036014ccfc5a5e6032438257db208e313915402c57ae26f804203d6c6092627ea16166931b6994fae56d91e22a9becb5c427c816c0439c13869493012263cc062fb4534109699014d668ed41ab81b98ab8e8b3d6e5074a91c9d155b31280ca3b6b4974323ec3e64d9ce91052711c78961229d83aa5111e389232866cf548778b1b5919bcea3e81194a6bb3559f',
)
const GRAPH_ROOT = 'ad363553b9b3b874a423d35bb1e5690d5a9ce0b2edf48b9b27ba26fc5b405cfe'

function bytes(hex: string): Uint8Array {
  return hexToBytes(hex) ?? assert.fail('not hexadecimal')
}

suite('proofs about the graph, without trust in who answers (PC-5)', () => {
  test('a statement is there, with the block and the signer', () => {
    const proved = verifyStatement(ROOT, G, SECOND, PRESENT)
    assert.ok(proved.ok && proved.value !== null)
    const { text, height, sender } = proved.value
    assert.deepEqual([text, height, bytesToHex(sender)], [SECOND, 1, SIGNER])
  })

  test('a statement is not there', () => {
    assert.deepEqual(verifyStatement(ROOT, G, '<urn:a> <urn:p> "2"', ABSENT), { ok: true, value: null })
  })

  test('all statements about a subject, at once and a piece at a time', () => {
    const all = verifyStatements(ROOT, { graph: G, subject: '<urn:a>' }, OF_SUBJECT)
    assert.ok(all.ok)
    assert.deepEqual(
      all.value.statements.map(({ text }) => text),
      [FIRST, SECOND],
    )
    assert.equal(all.value.after, null)
    const piece = verifyStatements(ROOT, { graph: G, subject: '<urn:a>' }, OF_SUBJECT_FIRST)
    assert.ok(piece.ok && piece.value.after !== null)
    assert.deepEqual(
      piece.value.statements.map(({ text }) => text),
      [FIRST],
    )
  })

  test('a graph as a whole', () => {
    const proved = verifyGraphRoot(ROOT, G, OF_GRAPH)
    assert.equal(proved.ok && bytesToHex(proved.value.hash), GRAPH_ROOT)
  })

  test('the same nodes of the state show that another graph has no statements', () => {
    const hash = new Uint8Array(32)
    assert.deepEqual(verifyGraphRoot(ROOT, `${G}/other`, OF_GRAPH), { ok: true, value: { hash } })
  })

  test('a proof is for its own graph, statement, subject and root', () => {
    const other = new Uint8Array(32)
    const refusals = [
      verifyStatement(ROOT, `${G}/other`, SECOND, PRESENT),
      verifyStatement(ROOT, G, FIRST, PRESENT),
      verifyStatement(other, G, SECOND, PRESENT),
      verifyStatements(ROOT, { graph: G, subject: '<urn:b>' }, OF_SUBJECT),
      verifyStatements(ROOT, { graph: G }, OF_SUBJECT),
      verifyStatements(
        ROOT,
        { graph: G, subject: '<urn:a>', after: new Uint8Array(49).fill(255) },
        OF_SUBJECT,
      ),
      verifyGraphRoot(other, G, OF_GRAPH),
    ]
    assert.deepEqual(
      refusals.map(({ ok }) => ok),
      refusals.map(() => false),
    )
  })
})
