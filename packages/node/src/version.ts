import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

export const SOFTWARE_VERSION = manifest.version

/** Of the protocol between nodes; two nodes use the highest that both speak. */
export const PROTOCOL_VERSIONS = { min: 1, max: 1 }
