import type { RunContext } from '#shared/actor/definition.ts'
import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { callTool } from '#services/agents/tool-calls.ts'
import type { AgentProfile } from '#services/agents/profile.ts'
import { noReach } from '#test/kit/no-reach.ts'
import { assert, suite } from '#test/kit/suite.ts'

const TOOL = { name: 'pay', builtin: false, repeatable: false, needsApproval: false }
const PROFILE = { name: 'support', tools: [TOOL], colleagues: [], approvals: [] } as unknown as AgentProfile

/** What the log is told of a call that ends with an error after somebody has stopped the run. */
async function returnedAs(error: WaggleError, stopped: boolean): Promise<readonly string[]> {
  const words: string[] = []
  const stop = new AbortController()
  const ctx = {
    now: () => 0,
    reach: noReach,
    signal: stop.signal,
    resumed: false,
    fence: { epoch: 3 },
    emit: (type: string, payload: { status?: string }) => void words.push(`${type} ${payload.status ?? ''}`.trim()),
    effect: () => {
      if (stopped) stop.abort(new WaggleError('CANCELLED'))
      return Promise.reject(error)
    },
  } as unknown as RunContext
  const guardrails = (): Promise<readonly unknown[]> => Promise.resolve([])
  const sayings = { turnId: 't', runId: 'r', agent: 'support', asked: '', said: [], guardrails }
  const report = { stopped: [], couldNot: [], happened: [] }
  const scope = { ctx, sayings, profile: PROFILE, conversationId: 'c', thread: 'c/r', taint: [], report }
  const code = await callTool(scope, { id: '1-0', name: 'pay', args: {} }, null).then(
    () => 'none',
    (thrown: unknown) => coded(thrown).code,
  )
  assert.is(code, error.code)
  return words
}

suite('a tool call that ends with an error', ({ test }) => {
  test('of a stopped run returns as stopped when it was not made, and as unknown when nobody knows', async () => {
    const called = 'tool:called'
    assert.equal(await returnedAs(new WaggleError('CANCELLED'), true), [called, 'tool:returned stopped'])
    assert.equal(await returnedAs(new WaggleError('DATABASE_DOWN'), true), [called, 'tool:returned unknown'])
  })

  test('of a run that goes on elsewhere returns there', async () => {
    assert.equal(await returnedAs(new WaggleError('DATABASE_DOWN'), false), ['tool:called'])
  })
})
