/**
 * What carries the bytes of a connection.
 * @module
 */
import { tcp } from '@libp2p/tcp'
import type { MakePart } from './part.ts'

export const tcpPart: MakePart = ({ idleTimeoutMs }) =>
  Promise.resolve({
    transports: [
      tcp({ inboundSocketInactivityTimeout: idleTimeoutMs, outboundSocketInactivityTimeout: idleTimeoutMs }),
    ],
  })
