import type { ComponentLogger, Logger } from '@libp2p/interface'

const silent: Logger = Object.assign(() => {}, {
  trace() {},
  error() {},
  enabled: false,
  newScope: () => silent,
})

/** libp2p logs every byte that moves; even when nobody listens, formatting costs. What matters is logged by the network. */
export const silentLogger: ComponentLogger = { forComponent: () => silent }
