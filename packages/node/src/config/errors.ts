/**
 * What is wrong with a configuration, all of it at once.
 * @module
 */

export interface ConfigProblem {
  /** As it was written: `network.max_inbound`, or the name of an environment variable. */
  readonly path: string
  /** What was wrong: what was found and what was expected. */
  readonly message: string
}

export type ConfigErrorCode = 'CONFIG_INVALID' | 'CONFIG_SYNTAX' | 'CONFIG_UNREADABLE'

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code: ConfigErrorCode
  readonly problems: readonly ConfigProblem[]

  /** @param source what was read, as people know it. */
  constructor(
    code: ConfigErrorCode,
    source: string,
    problems: readonly ConfigProblem[],
    options?: ErrorOptions,
  ) {
    const lines = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
    super(`The configuration ${source} cannot be used:\n  ${lines.join('\n  ')}`, options)
    this.code = code
    this.problems = problems
  }
}
