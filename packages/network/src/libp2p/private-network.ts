/**
 * Connections that begin with a shared key (libp2p specs, pnet): without it not even the handshake can be read.
 * @module
 */
import { preSharedKey } from '@libp2p/pnet'
import { bytesToHex, utf8ToBytes } from '@althing/base'
import type { MakePart } from './part.ts'

export const privateNetworkPart: MakePart = (_setup, { privateNetworkKey }) => {
  if (privateNetworkKey === undefined) return Promise.resolve(null)
  const psk = utf8ToBytes(`/key/swarm/psk/1.0.0/\n/base16/\n${bytesToHex(privateNetworkKey)}`)
  return Promise.resolve({ connectionProtector: preSharedKey({ psk }) })
}
