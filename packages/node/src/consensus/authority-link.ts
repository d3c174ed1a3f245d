/**
 * Proof that the node at the other end of a link holds an authority's key (PC-7). It is bound to both peer ids, so
 * that it cannot be shown to a third node, and to the chain.
 * @module
 */
import { AUTHORITY_PROOF_BYTES, authorityLinkSignBytes, AuthorityProof } from '@althing/base'
import { decode, equalBytes, fail, ok } from '@althing/base'
import type { AuthoritySet, Hash, Result, Signer, Verify } from '@althing/base'

export function proveAuthority(
  signer: Signer,
  genesisHash: Hash,
  prover: string,
  verifier: string,
): Uint8Array {
  return AuthorityProof.serialize({
    key: signer.publicKey,
    signature: signer.sign(authorityLinkSignBytes(genesisHash, prover, verifier)),
  })
}

/** @returns the index of the authority. */
export function checkAuthorityProof(
  proof: Uint8Array,
  link: { genesisHash: Hash; prover: string; verifier: string },
  set: AuthoritySet,
  verify: Verify,
): Result<number> {
  const decoded = decode(AuthorityProof, proof, AUTHORITY_PROOF_BYTES)
  if (!decoded.ok) return decoded
  const { key, signature } = decoded.value
  const index = set.findIndex((authority) => equalBytes(authority.key, key))
  if (index < 0) return fail('NOT_AN_AUTHORITY', 'the key is not in the present authority set')
  if (!verify(key, authorityLinkSignBytes(link.genesisHash, link.prover, link.verifier), signature)) {
    return fail('SIGNATURE_INVALID', 'the proof of the authority key does not verify for this link')
  }
  return ok(index)
}
