/**
 * The chain's Ed25519 rule as full nodes check it: libsodium (decision 005). A signature is accepted when
 * E1  it has 64 bytes and s is below the group order
 * E2  the key is a canonical encoding of a point that is not of small order
 * E3  R is not of small order
 * E4  R equals [s]B − [k]A, compared as bytes, without clearing the cofactor
 * @module
 */
import { assert, PUBLIC_KEY_BYTES, SEED_BYTES, SIGNATURE_BYTES } from '@althing/base'
import type { Signer, Verify } from '@althing/base'
import sodium from 'sodium-native'

export const verifyNative: Verify = (publicKey, message, signature) =>
  signature.length === SIGNATURE_BYTES &&
  publicKey.length === PUBLIC_KEY_BYTES &&
  sodium.crypto_sign_verify_detached(signature, message, publicKey)

/** Signs as RFC 8032 says; many times faster than the portable signer. @param seed 32 secret bytes; copied. */
export function nativeSigner(seed: Uint8Array): Signer {
  assert(seed.length === SEED_BYTES, `a seed has ${SEED_BYTES} bytes, not ${seed.length}`)
  const publicKey = new Uint8Array(PUBLIC_KEY_BYTES)
  const secretKey = new Uint8Array(sodium.crypto_sign_SECRETKEYBYTES)
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed)
  return {
    publicKey,
    sign(message) {
      const signature = new Uint8Array(SIGNATURE_BYTES)
      sodium.crypto_sign_detached(signature, message, secretKey)
      return signature
    },
  }
}
