/**
 * The program's log: lines on standard error, for people or as JSON.
 * @module
 */
import { bytesToHex } from '@althing/base'
import type { Log, LogFields } from '@althing/base'
import { pino } from 'pino'
import type { Logger } from 'pino'

export interface LogOptions {
  /** The least severe lines to write. */
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly format: 'text' | 'json'
}

/** @param stream for tests; lines are written whole. */
export function createLog(options: LogOptions, stream: { write(line: string): void } = process.stderr): Log {
  const destination =
    options.format === 'json' ? stream : { write: (line: string) => stream.write(textOf(line)) }
  const config = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }), log: withHex },
  }
  return wrap(pino(config, destination))
}

/** Bytes are hashes, keys and ids: shown in hexadecimal. */
function withHex(fields: LogFields): Record<string, unknown> {
  const shown = Object.entries(fields).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? bytesToHex(value) : value,
  ])
  return Object.fromEntries(shown) as Record<string, unknown>
}

function wrap(logger: Logger): Log {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    with: (fields) => wrap(logger.child(fields)),
  }
}

/** `2026-01-31T12:00:00.000Z WARN  a sentence  field=value` */
function textOf(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as LogFields
  const shown = Object.entries(fields).map(([name, value]) => `  ${name}=${valueText(value)}`)
  return `${String(time)} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}${shown.join('')}\n`
}

function valueText(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
}
