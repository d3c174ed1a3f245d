/**
 * What `node.ts` does, without Node.
 * @module
 */
import type { ResolveTxt } from '../dns-seeds.ts'

export { verifyPortable as verify } from '@althing/base'

/** Pages cannot ask name servers. */
export const resolveTxt: ResolveTxt = () => Promise.reject(new Error('there is no DNS in browsers'))
