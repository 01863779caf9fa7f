#!/usr/bin/env node
/**
 * The `waggle` command for whatever Node the machine has: on an older one it runs itself again with the Node that came
 * with `npm ci`. Plain JavaScript on purpose, as an old Node reads no TypeScript.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NEEDED_MAJOR = 24
const HERE = dirname(fileURLToPath(import.meta.url))
const ROOT = dirname(dirname(HERE))
const MAIN = join(HERE, 'main.ts')
const NODE = join(ROOT, 'node_modules', '.bin', 'node')

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  if (!existsSync(join(ROOT, 'node_modules'))) explain()
  else await import('./main.ts')
} else if (!existsSync(NODE)) {
  explain()
} else {
  runWith(NODE)
}

function explain() {
  process.stderr.write(`error: the dependencies are not installed.\n  → Run \`npm ci\` in ${ROOT}\n`)
  process.exitCode = 1
}

/** @param {string} node path of the Node to use */
function runWith(node) {
  const child = spawn(node, [MAIN, ...process.argv.slice(2)], { stdio: 'inherit' })
  child.on('error', (error) => {
    process.stderr.write(`error: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === 'SIGINT' ? 2 : 15)
  })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // A terminal gives Ctrl-C to both of us, and what it means is for the child to say; a signal sent to us alone is passed on.
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT')
  })
}
