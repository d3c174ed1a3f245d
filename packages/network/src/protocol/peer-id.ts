/**
 * The text of a peer id: base58 of the identity multihash of the node's Ed25519 public key (libp2p specs, peer-ids). Pure.
 * @module
 */
import { concatBytes } from '@althing/base'

/** Identity hash of 36 bytes, which are a protobuf: key type Ed25519, then 32 bytes of key. */
const PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const KEY_BYTES = 32
/** Of every peer id: the prefix fixes the length. */
const PEER_ID_CHARS = 52
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Five digits at a time: 58^5 times 2^16 is still exact in a double. */
const LIMB_DIGITS = 5
const LIMB = 58 ** LIMB_DIGITS
const LIMBS = Math.ceil(PEER_ID_CHARS / LIMB_DIGITS)
const WORD = 0x10000

/** @param publicKey 32 bytes of Ed25519. */
export function peerIdOfKey(publicKey: Uint8Array): string {
  const bytes = concatBytes(PREFIX, publicKey)
  /** The number in base 58^5, the lowest first. */
  const limbs = new Float64Array(LIMBS)
  for (let at = 0; at < bytes.length; at += 2) {
    let carry = bytes[at]! * 256 + bytes[at + 1]!
    for (let i = 0; i < LIMBS; i++) {
      const value = limbs[i]! * WORD + carry
      carry = Math.floor(value / LIMB)
      limbs[i] = value - carry * LIMB
    }
  }
  let text = ''
  for (let limb of limbs) {
    for (let digit = 0; digit < LIMB_DIGITS; digit++) {
      text = ALPHABET[limb % 58] + text
      limb = Math.floor(limb / 58)
    }
  }
  // Of the digits that are zeros the one for the leading zero byte belongs to it.
  return text.slice(-PEER_ID_CHARS)
}

/** The inverse. @returns null for what is no peer id of an Ed25519 key. */
export function keyOfPeerId(peer: string): Uint8Array | null {
  if (peer.length > PEER_ID_CHARS || peer[0] !== ALPHABET[0]) return null
  let number = 0n
  for (const character of peer) {
    const digit = ALPHABET.indexOf(character)
    if (digit === -1) return null
    number = number * 58n + BigInt(digit)
  }
  const bytes = new Uint8Array(PREFIX.length + KEY_BYTES)
  for (let at = bytes.length - 1; at >= 0; at--, number >>= 8n) bytes[at] = Number(number & 0xffn)
  const isWhole = number === 0n && PREFIX.every((byte, at) => bytes[at] === byte)
  const key = bytes.slice(PREFIX.length)
  return isWhole && peerIdOfKey(key) === peer ? key : null
}
