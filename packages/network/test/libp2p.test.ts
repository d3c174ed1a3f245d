import { createLibp2pTransport } from '../src/index.ts'
import { networkCompliance } from '../src/testing/index.ts'

networkCompliance('libp2p', () => ({ transport: createLibp2pTransport, listen: '/ip4/127.0.0.1/tcp/0' }))
