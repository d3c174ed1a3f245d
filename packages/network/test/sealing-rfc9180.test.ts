/**
 * The library that seals letters, and our use of it, against RFC 9180. The RFC has no numbers for our suite: appendix A.1.1 has its KEM and
 * KDF with another AEAD. So those are checked as they stand, and our suite against the key schedule of section 5.1 worked out here.
 */
import assert from 'node:assert/strict'
import { createCipheriv, createHmac } from 'node:crypto'
import { test } from 'node:test'
import { concatBytes, hexToBytes, utf8ToBytes } from '@althing/base'
import { AEAD_AES_128_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke'
import { open, openingKey } from '../src/delivery/sealing.ts'

const hex = (text: string): Uint8Array => hexToBytes(text)!

/** Appendix A.1.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode. */
const A11 = {
  info: hex('4f6465206f6e2061204772656369616e2055726e'),
  secretKey: hex('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8'),
  publicKey: hex('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d'),
  encapsulated: hex('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431'),
  sharedSecret: hex('fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc'),
  plaintext: hex('4265617574792069732074727574682c20747275746820626561757479'),
  /** Of sequence numbers 0, 1 and 2, each with the AAD `Count-<number>`. */
  ciphertexts: [
    'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a',
    'af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab251c03d0c22a56b8ca42c2063b84',
    '498dfcabd92e8acedc281e85af1cb4e3e31c7dc394a1ca20e173cb72516491588d96a19ad4a683518973dcc180',
  ].map(hex),
  /** 32 bytes each, by exporter context. */
  exports: [
    ['', '3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee'],
    ['00', '2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5'],
    ['54657374436f6e74657874', 'e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931'],
  ].map(([context, value]) => ({ context: hex(context!), value: hex(value!) })),
}

test('the library opens and exports what RFC 9180 A.1.1 says', async () => {
  const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_128_GCM)
  const context = await suite.SetupRecipient(await openingKey(A11), A11.encapsulated, { info: A11.info })
  for (const [i, ciphertext] of A11.ciphertexts.entries())
    assert.deepEqual(new Uint8Array(await context.Open(ciphertext, utf8ToBytes(`Count-${i}`))), A11.plaintext)
  for (const { context: of, value } of A11.exports)
    assert.deepEqual(new Uint8Array(await context.Export(of, 32)), value)
})

test('a letter is what RFC 9180 makes of X25519, HKDF-SHA256 and AES-256-GCM', async () => {
  const { key, nonce, receiptKey } = keySchedule(A11.sharedSecret, A11.info)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const ciphertext = concatBytes(cipher.update(A11.plaintext), cipher.final(), cipher.getAuthTag())
  const opened = await open(await openingKey(A11), A11.info, concatBytes(A11.encapsulated, ciphertext))
  assert.deepEqual(opened && new Uint8Array(opened.plaintext), A11.plaintext)
  assert.deepEqual(opened && new Uint8Array(opened.receiptKey), receiptKey)
})

/** Section 5.1, base mode, and section 5.3. */
function keySchedule(sharedSecret: Uint8Array, info: Uint8Array) {
  const suiteId = concatBytes(utf8ToBytes('HPKE'), Uint8Array.of(0, 0x20, 0, 1, 0, 2))
  const extract = (salt: Uint8Array, label: string, secret: Uint8Array): Uint8Array =>
    hmac(salt, concatBytes(utf8ToBytes('HPKE-v1'), suiteId, utf8ToBytes(label), secret))
  const expand = (secret: Uint8Array, label: string, about: Uint8Array, length: number): Uint8Array => {
    const size = Uint8Array.of(length >> 8, length & 0xff)
    const labelled = concatBytes(size, utf8ToBytes('HPKE-v1'), suiteId, utf8ToBytes(label), about)
    // One block of HKDF-Expand (RFC 5869) is all that is needed here.
    return hmac(secret, concatBytes(labelled, Uint8Array.of(1))).subarray(0, length)
  }
  const none = new Uint8Array(0)
  const context = concatBytes(
    Uint8Array.of(0),
    extract(none, 'psk_id_hash', none),
    extract(none, 'info_hash', info),
  )
  const secret = extract(sharedSecret, 'secret', none)
  const exporterSecret = expand(secret, 'exp', context, 32)
  return {
    key: expand(secret, 'key', context, 32),
    nonce: expand(secret, 'base_nonce', context, 12),
    receiptKey: expand(exporterSecret, 'sec', utf8ToBytes('althing/receipt-key/1'), 32),
  }
}

function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(data).digest())
}
