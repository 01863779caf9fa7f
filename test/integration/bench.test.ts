import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { sendTurns } from '#test/bench/people.ts'
import { quantile } from '#test/bench/interleave.ts'
import type { Figure, Row } from '#test/bench/row.ts'
import { FIGURES } from '#test/bench/run-figure.ts'
import { assert, suite } from '#test/kit/suite.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const run = promisify(execFile)

suite('benchmarks', ({ test }) => {
  test('every file in figures/ holds the figure of its name', async () => {
    for (const file of await readdir(FIGURES)) {
      const { figure } = (await import(join(FIGURES, file))) as { readonly figure: Figure }
      assert.is(`${figure.name}.ts`, file)
    }
  })

  test('a figure runs under its name and ends with its rows as JSON', async ({ signal }) => {
    const args = ['test/bench/main.ts', 'ask-p50', '--quick', '--json']
    const { stdout } = await run(process.execPath, args, { cwd: ROOT, signal })
    const rows = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Row[]
    assert.equal(
      rows.map(({ name, unit, bar }) => ({ name, unit, bar })),
      [{ name: 'ask-p50', unit: 'ms', bar: '<= 1.35x' }],
    )
    const [row] = rows
    assert.ok(row!.value! > 0 && row!.baseline! > 0)
    assert.is(row!.ok, row!.ratio! <= 1.35)
  })

  test('a name that is no figure is refused with those there are', async ({ signal }) => {
    const refused = await run(process.execPath, ['test/bench/main.ts', 'no-such-figure'], { cwd: ROOT, signal }).then(
      () => null,
      (error: unknown) => error as { readonly code: number; readonly stdout: string },
    )
    assert.is(refused?.code, 2)
    assert.match(refused?.stdout ?? '', /no figure no-such-figure; there are .*turn-rate/)
  })

  test('turns go round the tenants by conversation, and never more at once than asked for', async () => {
    const visited: string[] = []
    let now = 0
    let most = 0
    const done = await sendTurns(
      { turns: 12, inFlight: 3, tenants: ['a', 'b'], perConversation: 2 },
      async (tenant) => {
        visited.push(tenant)
        return {
          turn: async () => {
            most = Math.max(most, ++now)
            await Promise.resolve()
            now--
            return { outcome: 'answered', firstTextMs: 4 }
          },
          leave: () => {},
        }
      },
    )
    assert.equal(visited, ['a', 'b', 'a', 'b', 'a', 'b'])
    assert.is(most, 3)
    assert.is(done.firstTextP50, 4)
  })

  test('a turn that ends in another way than answered is no figure', async () => {
    const visit = async (): Promise<{
      turn: () => Promise<{ outcome: string; firstTextMs: null }>
      leave(): void
    }> => ({
      turn: async () => ({ outcome: 'failed', firstTextMs: null }),
      leave: () => {},
    })
    const failure = await sendTurns({ turns: 1, inFlight: 1, tenants: ['a'], perConversation: 1 }, visit).then(
      () => '',
      (error: unknown) => (error as Error).message,
    )
    assert.is(failure, 'a turn ended: failed')
  })

  test('quantiles are by the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index)
    assert.is(quantile(values, 0.99), 100)
    assert.is(quantile(values, 0.5), 51)
  })
})
