import type { RunContext } from '#shared/actor/definition.ts'
import type { Stage } from '#shared/contracts/guardrail.ts'
import { silentLogger } from '#shared/lib/logger.ts'
import { guard } from '#services/agents/guard.ts'
import type { Asked } from '#services/agents/guard.ts'
import { assert, suite } from '#test/kit/suite.ts'

const TOOL = { name: 'pay', args: {} }
const row = (stage: Stage, agentId: string | null = null): unknown => ({
  id: 'g',
  agentId,
  stage,
  rule: 'length',
  config: {},
  action: 'block',
  message: '',
  position: 0,
})

/** Whether somebody was asked, and what came of it: whoever is asked does not answer. */
async function looked(
  rows: readonly unknown[] | Error,
  stage: Stage,
  asked: Asked = {},
): Promise<{ asked: boolean; verdict: string }> {
  let spoken = false
  const pool = {
    ask: () => {
      spoken = true
      return Promise.reject(new Error('nobody answers'))
    },
  }
  const ctx = {
    now: () => 0,
    reach: { pool: () => pool },
    signal: new AbortController().signal,
    log: silentLogger,
    emit: () => {},
    cause: { control: 0 },
  } as unknown as RunContext
  const guardrails = async (): Promise<readonly unknown[]> => {
    if (rows instanceof Error) throw rows
    return rows
  }
  const sayings = { turnId: 't', runId: 'r', agent: 'support', asked: '', said: [], guardrails }
  const { verdict } = await guard(ctx, sayings, stage, 'text', asked)
  return { asked: spoken, verdict }
}

suite('guardrails before a step', ({ test }) => {
  test('are asked where one stands, and refuse when they are silent', async () => {
    const asked = { asked: true, verdict: 'block' }
    assert.equal(await looked([row('input')], 'input'), asked)
    assert.equal(await looked([row('input', 'support')], 'input'), asked)
    assert.equal(await looked([{ id: 'unreadable' }], 'input'), asked, 'what cannot be read stands everywhere')
  })

  test('are not asked where none stands', async () => {
    const passed = { asked: false, verdict: 'pass' }
    assert.equal(await looked([], 'input'), passed)
    assert.equal(await looked([row('output'), row('input', 'billing')], 'input'), passed)
    assert.equal(await looked([], 'tool_call', { tool: TOOL, taint: [] }), passed)
  })

  test('are asked without one about what a tainted turn calls', async () => {
    assert.equal(await looked([], 'tool_call', { tool: TOOL, taint: ['tool:mail'] }), { asked: true, verdict: 'block' })
  })

  test('refuse when nobody knows which there are', async () => {
    assert.equal(await looked(new Error('no database'), 'input'), { asked: false, verdict: 'block' })
  })
})
