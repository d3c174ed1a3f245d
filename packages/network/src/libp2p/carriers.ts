/**
 * What carries the bytes of a connection (PT-6). Which of them listen, the listen addresses say.
 * @module
 */
import { tcp } from '@libp2p/tcp'
import { NetworkError } from '../errors.ts'
import { carrierOf } from '../protocol/address.ts'
import type { MakePart } from './part.ts'
import { readingOnDemand } from './quic.ts'

export const tcpPart: MakePart = ({ idleTimeoutMs }) =>
  Promise.resolve({
    transports: [
      tcp({ inboundSocketInactivityTimeout: idleTimeoutMs, outboundSocketInactivityTimeout: idleTimeoutMs }),
    ],
  })

const QUIC_PACKAGE = '@chainsafe/libp2p-quic'

/**
 * QUIC, over UDP, for who listens on it. Its packages are not installed with ours.
 * Its connections are encrypted by itself, and the key of a private network has no place in it.
 */
export const quicPart: MakePart = async ({ listen }, { privateNetworkKey }) => {
  const address = listen.find((each) => carrierOf(each) === 'quic')
  if (address === undefined) return null
  if (privateNetworkKey !== undefined) {
    throw new NetworkError(
      'TRANSPORT_UNPROTECTED',
      `cannot listen on ${address}: QUIC would let in peers without the private network's key; leave out one of the two`,
    )
  }
  const quic = await import(QUIC_PACKAGE).catch((cause: unknown) => {
    throw new NetworkError(
      'TRANSPORT_MISSING',
      `cannot listen on ${address}: ${QUIC_PACKAGE} cannot be loaded; install it: npm install ${QUIC_PACKAGE}@2.1.1`,
      { cause },
    )
  })
  return { transports: [readingOnDemand(quic.quic())] }
}
