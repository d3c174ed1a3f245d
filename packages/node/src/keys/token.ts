/**
 * Secrets that two processes share: of the API, of a signer.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { NodeError } from '../errors.ts'

const CHARACTERS_MIN = 16

/** @param name of the option that names the file. @throws {NodeError} `TOKEN_UNUSABLE`. */
export async function readToken(name: string, file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new NodeError('TOKEN_UNUSABLE', `${name} cannot be read: ${error.message}`, { cause: error })
  })
  const token = text.trim()
  if (token.length < CHARACTERS_MIN) {
    throw new NodeError(
      'TOKEN_UNUSABLE',
      `${name} ${file} has ${token.length} characters, expected at least ${CHARACTERS_MIN}`,
    )
  }
  return token
}
