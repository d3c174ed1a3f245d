/**
 * What Node does better than plain JavaScript, or alone. `browser.ts` has the same names.
 * @module
 */
import { createPrivateKey, createPublicKey, sign, verify as verifySignature } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Signer, Verify } from '@althing/base'
import type { ResolveTxt } from '../dns-seeds.ts'

export { createLibp2pTransport as defaultTransport } from '../libp2p/transport.ts'
export { zstd as codec } from '../zstd.ts'

/** What comes before the 32 bytes of key in its SubjectPublicKeyInfo (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** The same for 32 bytes of seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Of the node key. @param seed 32 secret bytes. */
export function signerOf(seed: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const publicKey = new Uint8Array(spki.subarray(SPKI_PREFIX.length))
  return { publicKey, sign: (message) => new Uint8Array(sign(null, message, key)) }
}

/** Ten times as fast as plain JavaScript. Not the chain's rule: here nothing depends on all nodes judging alike. */
export const verify: Verify = (publicKey, message, signature) => {
  try {
    const key = createPublicKey({
      key: Buffer.concat([SPKI_PREFIX, publicKey]),
      format: 'der',
      type: 'spki',
    })
    return verifySignature(null, message, key, signature)
  } catch {
    return false
  }
}

/** Asks the name servers that the machine is configured with. */
export const resolveTxt: ResolveTxt = async (name, signal) => {
  const resolver = new Resolver()
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    return await resolver.resolveTxt(name)
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

type Collect = NonNullable<typeof globalThis.gc>
let collect: Collect | null = null

/** Collects V8's new space, which takes as long as what lives there: a fraction of a millisecond as a rule. */
export function collectYoung(): void {
  collect ??= collectorOf()
  collect({ type: 'minor' })
}

/** What `node --expose-gc` gives to programs. The flag is looked at when a context is made, so that only this one has it. */
function collectorOf(): Collect {
  if (globalThis.gc !== undefined) return globalThis.gc
  setFlagsFromString('--expose-gc')
  const exposed = runInNewContext('gc') as Collect
  setFlagsFromString('--no-expose-gc')
  return exposed
}
