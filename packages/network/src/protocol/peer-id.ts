/**
 * The text of a peer id: base58 of the identity multihash of the node's Ed25519 public key (libp2p specs, peer-ids). Pure.
 * @module
 */
import { concatBytes } from '@althing/base'

/** Identity hash of 36 bytes, which are a protobuf: key type Ed25519, then 32 bytes of key. */
const PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** @param publicKey 32 bytes of Ed25519. */
export function peerIdOfKey(publicKey: Uint8Array): string {
  const bytes = concatBytes(PREFIX, publicKey)
  let number = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
  let text = ''
  for (; number > 0n; number /= 58n) text = ALPHABET[Number(number % 58n)] + text
  // The one leading zero byte.
  return ALPHABET[0] + text
}
