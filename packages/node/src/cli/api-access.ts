/**
 * The API of one node as a command calls it: at which address, and with which secret.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { AlthingClient } from '@althing/client'
import { Option } from 'commander'
import { loadConfig } from '../config/index.ts'
import { CliError } from './failure.ts'
import type { ApiOption } from './options.ts'

export interface AccessOptions extends ApiOption {
  readonly tokenFile?: string
  readonly config?: string
}

export const tokenFileOption = (): Option =>
  new Option('--token-file <file>', "the secret of the node's api.token_file").env('ALTHING_API_TOKEN_FILE')

export const configOption = (): Option =>
  new Option('--config <file>', "the node's configuration, which says the API's address and secret")

/** @throws {CliError} `FILE_UNREADABLE`. @throws {ConfigError} */
export async function openClient(options: AccessOptions): Promise<AlthingClient> {
  const { url, tokenFile } = await accessOf(options)
  const token = tokenFile === null ? null : await readToken(tokenFile)
  return new AlthingClient({ url, ...(token !== null && { token }) })
}

async function accessOf(
  options: AccessOptions,
): Promise<{ readonly url: string; readonly tokenFile: string | null }> {
  const { api, tokenFile, config: file } = options
  if (file === undefined) return { url: api, tokenFile: tokenFile ?? null }
  const config = await loadConfig({ file, environment: process.env })
  const { host, port, tokenFile: configured } = config.api
  return { url: `http://${reachable(host)}:${port}`, tokenFile: tokenFile ?? configured }
}

/** Who listens on all addresses is reached on this machine. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

async function readToken(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (cause) {
    throw new CliError('FILE_UNREADABLE', `the token file cannot be read: ${(cause as Error).message}`, '', {
      cause,
    })
  }
}
