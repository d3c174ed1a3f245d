/**
 * libp2p in a browser: it dials WebSockets, and Noise encrypts. Nobody can dial a page.
 * @module
 */
import { noise } from '@libp2p/noise'
import type { CreateTransport } from '../transport.ts'
import { createHost } from './host.ts'
import { webSocketPart } from './web-socket.ts'

export const browserTransport: CreateTransport = (setup) =>
  createHost({ parts: [webSocketPart], encrypters: [noise()] }, setup, {})
