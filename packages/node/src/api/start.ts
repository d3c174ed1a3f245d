/**
 * Brings the API up on its address, and down.
 * @module
 */
import type { AddressInfo } from 'node:net'
import type { Log } from '@althing/base'
import type { NodeConfig } from '../config/index.ts'
import { NodeError } from '../errors.ts'
import { readToken } from '../keys/token.ts'
import type { ApiBackend } from './backend.ts'
import { createApi, isLoopback } from './server.ts'

export interface RunningApi {
  /** `http://127.0.0.1:8545`, with the port that was taken. */
  readonly url: string
  /** Resolves when the port is free and every connection is closed. */
  stop(): Promise<void>
}

/** @throws {NodeError} `API_LISTEN_FAILED`, `TOKEN_UNUSABLE`. */
export async function startApi(
  backend: ApiBackend,
  config: NodeConfig['api'],
  log: Log,
): Promise<RunningApi> {
  const { host, port, bodyLimitBytes, tokenFile } = config
  const token = tokenFile === null || isLoopback(host) ? null : await readToken('api.token_file', tokenFile)
  if (token === null && !isLoopback(host)) {
    log.warn(
      'the API takes transactions from whoever reaches it, and changes no peers; api.token_file would ask for a secret',
      {
        host,
      },
    )
  }
  const app = createApi(backend, { bodyLimitBytes, token, trustsCallers: isLoopback(host) }, log)
  try {
    await app.listen({ host, port })
  } catch (error) {
    await app.close()
    throw listenError(host, port, error)
  }
  const address = app.server.address() as AddressInfo
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`, stop: () => app.close() }
}

function listenError(host: string, port: number, error: unknown): NodeError {
  const { code, message } = error as NodeJS.ErrnoException
  const why =
    code === 'EADDRINUSE'
      ? 'another process has the port. Stop it, or set api.port (0 takes a free one)'
      : `${message}. Set api.host to an address of this machine and api.port to a port that this user may take`
  return new NodeError('API_LISTEN_FAILED', `The API cannot listen on ${host}, port ${port}: ${why}.`, {
    cause: error,
  })
}
