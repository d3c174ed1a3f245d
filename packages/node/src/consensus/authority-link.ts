/**
 * Proof that the node at the other end of a link holds an authority's key (PC-7). It is bound to both peer ids, so
 * that it cannot be shown to a third node, and to the chain.
 * @module
 */
import { AUTHORITY_PROOF_BYTES, authorityLinkSignBytes, AuthorityProof } from '@althing/base'
import { decode, fail, ok } from '@althing/base'
import type { Hash, Result, Verify, VoteSigner } from '@althing/base'

/** Empty when the signer does not give it: the node is then taken for a full one, on this link. */
export function proveAuthority(
  signer: VoteSigner,
  genesisHash: Hash,
  prover: string,
  verifier: string,
): Uint8Array {
  const signature = signer.sign(authorityLinkSignBytes(genesisHash, prover, verifier))
  if (signature === null) return new Uint8Array(0)
  return AuthorityProof.serialize({ key: signer.publicKey, signature })
}

/** @returns the keys that are proved: none for a node without one. Whether they are authorities, the present set says. */
export function checkAuthorityProofs(
  proofs: Uint8Array,
  link: { genesisHash: Hash; prover: string; verifier: string },
  verify: Verify,
): Result<Uint8Array[]> {
  const keys: Uint8Array[] = []
  for (let at = 0; at < proofs.length; at += AUTHORITY_PROOF_BYTES) {
    const decoded = decode(
      AuthorityProof,
      proofs.subarray(at, at + AUTHORITY_PROOF_BYTES),
      AUTHORITY_PROOF_BYTES,
    )
    if (!decoded.ok) return decoded
    const { key, signature } = decoded.value
    if (!verify(key, authorityLinkSignBytes(link.genesisHash, link.prover, link.verifier), signature)) {
      return fail('SIGNATURE_INVALID', 'the proof of the authority key does not verify for this link')
    }
    keys.push(key)
  }
  return ok(keys)
}
