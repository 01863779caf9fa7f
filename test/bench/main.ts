/**
 * `npm run bench -- [NAME…] [--json] [--quick] [--data DIR]` measures the named figures, all without a name, one after the
 * other, each in a process of its own, and prints a table; with --json the last line is an array of rows (row.ts).
 *
 *   --quick      only shows that each figure runs; its numbers mean nothing
 *   --data DIR   development data (default: WAGGLE_DATA, or ../shared/data)
 *   --list       names of the figures
 */
import { fork } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { clearRunFolder, createRunFolder } from '#test/kit/scratch.ts'

import { FIGURES } from './run-figure.ts'
import type { FigureOrder, FigureReport } from './run-figure.ts'
import type { Row } from './row.ts'
import { table } from './table.ts'

/** No figure needs longer on two busy cores. */
const FIGURE_MS = 30 * 60_000
const QUICK_MS = 180_000

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    data: { type: 'string', default: process.env['WAGGLE_DATA'] ?? '../shared/data' },
  },
})

process.exitCode = await main()

async function main(): Promise<number> {
  const known = (await readdir(FIGURES)).filter((file) => file.endsWith('.ts')).map((file) => file.slice(0, -3))
  if (options.list) {
    say(known.join('\n'))
    return 0
  }
  const unknown = wanted.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    say(`no figure ${unknown.join(', ')}; there are ${known.join(', ')}`)
    return 2
  }
  const rows: Row[] = []
  for (const name of wanted.length === 0 ? known : wanted) {
    say(`${name} …`)
    rows.push(...(await measure({ name, dataDir: resolve(options.data), quick: options.quick })))
  }
  say(table(rows))
  if (options.json) say(JSON.stringify(rows))
  const bad = options.quick ? (row: Row) => row.value === null : (row: Row) => row.ok === false
  return rows.some(bad) ? 1 : 0
}

/** Never rejects: a figure that fails is a row without a value. Whatever it left running is ended. */
async function measure(order: FigureOrder): Promise<readonly Row[]> {
  const folder = await createRunFolder()
  const child = fork(join(import.meta.dirname, 'run-figure.ts'), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, WAGGLE_TEST_TMP: folder },
  })
  const onSignal = (): void => void child.kill('SIGKILL')
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  const limit = order.quick ? QUICK_MS : FIGURE_MS
  const late = setTimeout(() => child.kill('SIGKILL'), limit)
  try {
    return await new Promise<readonly Row[]>((done) => {
      let rows: readonly Row[] = [failed(order.name, `it ended without a figure (limit ${limit / 1_000} s)`)]
      child.on('message', (message) => {
        const report = message as FigureReport
        if ('said' in report) say(`  ${report.said}`)
        else rows = 'rows' in report ? report.rows : [failed(order.name, report.problem)]
      })
      child.once('exit', () => done(rows))
      child.send(order)
    })
  } finally {
    clearTimeout(late)
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    await clearRunFolder(folder)
  }
}

function failed(name: string, note: string): Row {
  return { name, value: null, unit: '', baseline: null, ratio: null, bar: '', ok: false, note }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
