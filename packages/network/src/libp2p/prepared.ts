/**
 * A libp2p transport whose new connections are looked at before they are upgraded, to mend what the transport's package gets wrong.
 * @module
 */
import type {
  MultiaddrConnection,
  Transport,
  Upgrader,
  UpgraderWithoutEncryptionOptions,
} from '@libp2p/interface'
import type { Libp2pInit } from 'libp2p'

export type MakeTransport = NonNullable<Libp2pInit['transports']>[number]

/** Those of a transport that encrypts by itself have its muxer, too. */
export type UpgradeOptions = Partial<UpgraderWithoutEncryptionOptions>

/** @param prepare may change the connection, and gives the options to upgrade it with. */
export function prepared(
  make: MakeTransport,
  prepare: (connection: MultiaddrConnection, options: UpgradeOptions) => UpgradeOptions,
): MakeTransport {
  return (components) => {
    const transport = make(components)
    const dial = transport.dial.bind(transport)
    const createListener = transport.createListener.bind(transport)
    return Object.assign<Transport, Pick<Transport, 'dial' | 'createListener'>>(transport, {
      dial: (address, options) =>
        dial(address, { ...options, upgrader: preparing(options.upgrader, prepare) }),
      createListener: (options) =>
        createListener({ ...options, upgrader: preparing(options.upgrader, prepare) }),
    })
  }
}

function preparing(
  upgrader: Upgrader,
  prepare: (connection: MultiaddrConnection, options: UpgradeOptions) => UpgradeOptions,
): Upgrader {
  return {
    upgradeOutbound: (connection: MultiaddrConnection, options: UpgradeOptions) =>
      upgrader.upgradeOutbound(connection, prepare(connection, options) as UpgraderWithoutEncryptionOptions),
    upgradeInbound: (connection: MultiaddrConnection, options: UpgradeOptions) =>
      upgrader.upgradeInbound(connection, prepare(connection, options) as UpgraderWithoutEncryptionOptions),
    createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
  }
}
