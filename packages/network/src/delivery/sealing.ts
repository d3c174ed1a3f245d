/**
 * Seals letters to one recipient: HPKE (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Who the sender is, the
 * signature inside says. The receipt comes back under a key that the same exchange gave both ends (RFC 9180, section 9.8).
 * @module
 */
import { concatBytes, utf8ToBytes } from '@althing/base'
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke'
import type { KeyPair } from 'hpke'
import type { SealKeyPair } from '../protocol/seal-key.ts'

const SUITE = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)
const ENCAPSULATED_BYTES = 32
const RECEIPT_KEY_BYTES = 32
export const RECEIPT_NONCE_BYTES = 12
const RECEIPT_EXPORT = utf8ToBytes('althing/receipt-key/1')

export interface Sealed {
  /** What travels. */
  readonly payload: Uint8Array
  readonly receiptKey: Uint8Array
}

export interface Opened {
  readonly plaintext: Uint8Array
  readonly receiptKey: Uint8Array
}

/** @param recipientKey 32 bytes of X25519. @param context the same at both ends. */
export async function seal(
  recipientKey: Uint8Array,
  context: Uint8Array,
  plaintext: Uint8Array,
): Promise<Sealed> {
  const key = await SUITE.DeserializePublicKey(recipientKey)
  const { encapsulatedSecret, ctx } = await SUITE.SetupSender(key, { info: context })
  const ciphertext = await ctx.Seal(plaintext)
  const receiptKey = await ctx.Export(RECEIPT_EXPORT, RECEIPT_KEY_BYTES)
  return { payload: concatBytes(encapsulatedSecret, ciphertext), receiptKey }
}

/** What the library needs of a key pair to open with. */
export async function openingKey({ secretKey, publicKey }: SealKeyPair): Promise<KeyPair<CryptoKey>> {
  return {
    privateKey: await SUITE.DeserializePrivateKey(secretKey),
    publicKey: await SUITE.DeserializePublicKey(publicKey),
  }
}

/** @returns null when it was not sealed to this key with this context, or was altered. */
export async function open(
  key: KeyPair<CryptoKey>,
  context: Uint8Array,
  payload: Uint8Array,
): Promise<Opened | null> {
  try {
    const encapsulated = payload.subarray(0, ENCAPSULATED_BYTES)
    const ctx = await SUITE.SetupRecipient(key, encapsulated, { info: context })
    const plaintext = await ctx.Open(payload.subarray(ENCAPSULATED_BYTES))
    return { plaintext, receiptKey: await ctx.Export(RECEIPT_EXPORT, RECEIPT_KEY_BYTES) }
  } catch {
    return null
  }
}

/** @param nonce 12 bytes, never the same twice: a receipt that is sent again may be sealed again. */
export async function sealReceipt(
  receiptKey: Uint8Array,
  nonce: Uint8Array,
  receipt: Uint8Array,
): Promise<Uint8Array> {
  const key = await aesKey(receiptKey, 'encrypt')
  const ciphertext = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv: bufferOf(nonce) },
    key,
    bufferOf(receipt),
  )
  return concatBytes(nonce, new Uint8Array(ciphertext))
}

/** @returns null when it was not sealed with this key, or was altered. */
export async function openReceiptSeal(
  receiptKey: Uint8Array,
  payload: Uint8Array,
): Promise<Uint8Array | null> {
  try {
    const key = await aesKey(receiptKey, 'decrypt')
    const iv = bufferOf(payload.subarray(0, RECEIPT_NONCE_BYTES))
    const ciphertext = bufferOf(payload.subarray(RECEIPT_NONCE_BYTES))
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, ciphertext))
  } catch {
    return null
  }
}

function aesKey(key: Uint8Array, usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bufferOf(key), 'AES-GCM', false, [usage])
}

/** Web Cryptography takes no view of shared memory, and its types say so. */
function bufferOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
