/**
 * Where a passphrase comes from: a file that only its owner may read, the environment, or the terminal, in this order.
 * It is neither logged nor part of any message.
 * @module
 */
import type { ReadStream } from 'node:tty'
import { KeyFileError, nobody, readPrivately } from './key-file.ts'
import type { AskPassphrase } from './key-file.ts'

const PASSPHRASE_VARIABLE = 'ALTHING_PASSPHRASE'
const PASSPHRASE_FILE_VARIABLE = 'ALTHING_PASSPHRASE_FILE'
const CHARACTERS_MIN = 8
const CHARACTERS_MAX = 1_024

export interface PassphraseSources {
  readonly file?: string | null | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** For keys that exist. Asks at the terminal when nothing else says it. */
export function passphraseFrom(sources: PassphraseSources): AskPassphrase {
  return async (file) => (await given(sources)) ?? askAtTerminal(`Passphrase of ${file}: `, file)
}

/** For a key that is about to be encrypted: typed twice, and not too short. */
export function newPassphraseFrom(sources: PassphraseSources): AskPassphrase {
  return async (file) => {
    const known = await given(sources)
    const passphrase = known ?? (await askAtTerminal(`New passphrase of ${file}: `, file))
    if (passphrase.length < CHARACTERS_MIN || passphrase.length > CHARACTERS_MAX) {
      throw new KeyFileError(
        'PASSPHRASE_UNUSABLE',
        `The passphrase has ${passphrase.length} characters, expected ${CHARACTERS_MIN} to ${CHARACTERS_MAX}. Four random words are a good one.`,
      )
    }
    if (known === null && (await askAtTerminal('The same again: ', file)) !== passphrase) {
      throw new KeyFileError(
        'PASSPHRASE_UNUSABLE',
        'The two passphrases are not the same. Nothing was changed.',
      )
    }
    return passphrase
  }
}

async function given({ file, environment }: PassphraseSources): Promise<string | null> {
  const named = file ?? environment[PASSPHRASE_FILE_VARIABLE]
  if (named !== undefined) return (await readPrivately(named)).replace(/\r?\n$/, '')
  return environment[PASSPHRASE_VARIABLE] ?? null
}

async function askAtTerminal(question: string, file: string): Promise<string> {
  const { stdin, stderr } = process
  if (!stdin.isTTY) return nobody(file)
  const passphrase = readHidden(stdin)
  stderr.write(question) // only now: what is typed early must not be shown either
  return passphrase.finally(() => stderr.write('\n'))
}

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const BACKSPACES = new Set(['\u0008', '\u007f'])

/** One line, of which nothing is shown. @throws {KeyFileError} `KEY_LOCKED` on Ctrl-C and Ctrl-D. */
function readHidden(terminal: ReadStream): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let typed: string[] = []
  const onData = (text: string): void => {
    for (const character of text) {
      if (character === '\r' || character === '\n') return resolve(typed.join(''))
      if (character === CTRL_C || character === CTRL_D) {
        return reject(new KeyFileError('KEY_LOCKED', 'No passphrase was given.'))
      }
      if (BACKSPACES.has(character)) typed = typed.slice(0, -1)
      else typed.push(character)
    }
  }
  terminal.setEncoding('utf8').setRawMode(true).resume().on('data', onData)
  return promise.finally(() => {
    terminal.off('data', onData).setRawMode(false).pause()
  })
}
