/**
 * What `node.ts` does, without Node.
 * @module
 */
import type { ResolveTxt } from '../dns-seeds.ts'

export { portableSigner as signerOf, verifyPortable as verify } from '@althing/base'
export { browserTransport as defaultTransport } from '../libp2p/browser.ts'

/** Browsers have no Zstandard. */
export const codec = null

/** Pages cannot ask name servers. */
export const resolveTxt: ResolveTxt = () => Promise.reject(new Error('there is no DNS in browsers'))

/** Pages cannot ask for it. */
export function collectYoung(): void {}
