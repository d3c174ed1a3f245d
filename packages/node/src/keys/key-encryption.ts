/**
 * A seed under a passphrase. The key comes from the passphrase by scrypt (RFC 7914), the seed is sealed by AES-256-GCM,
 * and everything that the file says in the clear is authenticated with it: key, parameters, salt.
 * scrypt and not Argon2id: it is in every Node that this program runs on; Node's Argon2 is experimental, and a library
 * would be one more that sees the passphrase. With 128 MiB a guess it costs an attacker's graphics card as much memory.
 * @module
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { bytesToHex, hexToBytes, SEED_BYTES, utf8ToBytes } from '@althing/base'

/** As the key file has it, under `encryption`. Bytes are hexadecimal. */
export interface SealedSeed {
  readonly kdf: 'scrypt'
  /** Cost: a power of two. Memory of one derivation is 128 · n · r bytes. */
  readonly n: number
  readonly r: number
  readonly p: number
  readonly salt: string
  readonly cipher: 'aes-256-gcm'
  readonly nonce: string
  /** 32 encrypted bytes and the tag of 16. */
  readonly seed: string
}

/** 128 MiB, and about 0.4 s on a machine of 2024. */
const COST = { n: 131_072, r: 8, p: 1 }
/** Of a file that is read: less protects nobody, more would take the reader's memory. */
const BOUNDS = { nMin: 16_384, nMax: 1_048_576, rMax: 32, pMax: 4, memoryBytesMax: 1_073_741_824 }
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32

export async function sealSeed(
  seed: Uint8Array,
  publicKey: Uint8Array,
  passphrase: string,
): Promise<SealedSeed> {
  const salt = randomBytes(SALT_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const clear = { kdf: 'scrypt', ...COST, salt: bytesToHex(salt), cipher: 'aes-256-gcm' } as const
  const cipher = createCipheriv('aes-256-gcm', await deriveKey(passphrase, clear, salt), nonce)
  cipher.setAAD(authenticated(clear, publicKey))
  const sealed = Buffer.concat([cipher.update(seed), cipher.final(), cipher.getAuthTag()])
  return { ...clear, nonce: bytesToHex(nonce), seed: bytesToHex(sealed) }
}

/** @returns null when the passphrase is another one, or the file was changed: the two cannot be told apart. */
export async function openSeed(
  sealed: SealedSeed,
  publicKey: Uint8Array,
  passphrase: string,
): Promise<Uint8Array | null> {
  const bytes = hexToBytes(sealed.seed)!
  const key = await deriveKey(passphrase, sealed, hexToBytes(sealed.salt)!)
  const decipher = createDecipheriv('aes-256-gcm', key, hexToBytes(sealed.nonce)!)
  decipher.setAAD(authenticated(sealed, publicKey))
  decipher.setAuthTag(bytes.subarray(SEED_BYTES))
  try {
    return Uint8Array.from(Buffer.concat([decipher.update(bytes.subarray(0, SEED_BYTES)), decipher.final()]))
  } catch {
    return null
  }
}

/** What a key file holds under `encryption`. @returns what is wrong with it, when something is. */
export function readSealedSeed(value: unknown): SealedSeed | string {
  if (typeof value !== 'object' || value === null) return 'its "encryption" is not an object'
  const { kdf, n, r, p, salt, cipher, nonce, seed } = value as Record<string, unknown>
  if (kdf !== 'scrypt') return 'its "encryption.kdf" is not "scrypt"'
  if (cipher !== 'aes-256-gcm') return 'its "encryption.cipher" is not "aes-256-gcm"'
  if (!isWithin(n, BOUNDS.nMin, BOUNDS.nMax) || !Number.isInteger(Math.log2(n)))
    return `its "encryption.n" is not a power of two from ${BOUNDS.nMin} to ${BOUNDS.nMax}`
  if (!isWithin(r, 1, BOUNDS.rMax)) return `its "encryption.r" is not from 1 to ${BOUNDS.rMax}`
  if (!isWithin(p, 1, BOUNDS.pMax)) return `its "encryption.p" is not from 1 to ${BOUNDS.pMax}`
  if (memoryBytes({ n, r }) > BOUNDS.memoryBytesMax) return 'its "encryption" asks for more memory than 1 GiB'
  if (!isHex(salt, SALT_BYTES)) return `its "encryption.salt" is not ${SALT_BYTES} bytes in hexadecimal`
  if (!isHex(nonce, NONCE_BYTES)) return `its "encryption.nonce" is not ${NONCE_BYTES} bytes in hexadecimal`
  if (!isHex(seed, SEED_BYTES + TAG_BYTES))
    return `its "encryption.seed" is not ${SEED_BYTES + TAG_BYTES} bytes in hexadecimal`
  return { kdf, n, r, p, salt, cipher, nonce, seed }
}

type Clear = Omit<SealedSeed, 'nonce' | 'seed'>

function authenticated({ kdf, n, r, p, salt, cipher }: Clear, publicKey: Uint8Array): Uint8Array {
  return utf8ToBytes(['althing/key/1', bytesToHex(publicKey), kdf, n, r, p, salt, cipher].join('\n'))
}

function deriveKey(passphrase: string, { n, r, p }: Clear, salt: Uint8Array): Promise<Buffer> {
  const options = { N: n, r, p, maxmem: memoryBytes({ n, r }) + 256 * r * p + 1_048_576 }
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

function memoryBytes({ n, r }: Pick<Clear, 'n' | 'r'>): number {
  return 128 * n * r
}

function isWithin(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max
}

function isHex(value: unknown, bytes: number): value is string {
  return typeof value === 'string' && hexToBytes(value)?.length === bytes
}
