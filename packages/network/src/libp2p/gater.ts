/**
 * Our gate as libp2p asks it.
 * @module
 */
import type { ConnectionGater } from '@libp2p/interface'
import type { Gate } from '../transport.ts'

/** Without a gate, everyone may connect. */
export function connectionGater(gate: Gate | undefined): ConnectionGater {
  // The default refuses to dial private addresses.
  const denyDialMultiaddr = () => false
  if (gate === undefined) return { denyDialMultiaddr }
  return {
    denyDialMultiaddr,
    denyDialPeer: (peer) => !gate.admitsPeer(peer.toString()),
    denyInboundConnection: ({ remoteAddr }) => !gate.admitsAddress(remoteAddr.toString(), 'inbound'),
    denyInboundEncryptedConnection: (peer) => !gate.admitsPeer(peer.toString()),
    // Names are resolved by now.
    denyOutboundConnection: (_peer, { remoteAddr }) => !gate.admitsAddress(remoteAddr.toString(), 'outbound'),
  }
}
