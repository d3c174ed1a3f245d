/**
 * libp2p on Node: TCP and what else is asked for; TLS 1.3 first, Noise as the fallback. The only folder that knows libp2p.
 * @module
 */
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { CreateTransport } from '../transport.ts'
import { quicPart, tcpPart } from './carriers.ts'
import { dhtPart, mdnsPart } from './finders.ts'
import { createHost } from './host.ts'
import { natPart } from './nat.ts'
import type { Libp2pOptions, MakePart } from './part.ts'
import { privateNetworkPart } from './private-network.ts'
import { socketTls } from './tls/encrypter.ts'
import { webSocketPart } from './web-socket.ts'

/** The peer id of a node key. @param identity 32-byte Ed25519 seed. */
export async function peerIdOf(identity: Uint8Array): Promise<string> {
  return peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', identity)).toString()
}

/** Each adds what the options and addresses ask of it. */
const PARTS: readonly MakePart[] = [
  tcpPart,
  webSocketPart,
  quicPart,
  privateNetworkPart,
  dhtPart,
  mdnsPart,
  natPart,
]

export function libp2pTransport(options: Libp2pOptions): CreateTransport {
  return (setup) => createHost({ parts: PARTS, encrypters: [socketTls(), noise()] }, setup, options)
}

export const createLibp2pTransport: CreateTransport = libp2pTransport({})
