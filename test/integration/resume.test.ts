/** A node ends as a killed process does, in the middle of a turn; another one takes over and ends the turn once. */
import { Supervisor } from '#shared/contracts/supervisor.ts'
import type { Script, ScriptTurn } from '#shared/models/scripted/script.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { startSwarm } from '#test/kit/swarm.ts'
import type { LookupCall, SwarmEntry, SwarmOptions, TestSwarm } from '#test/kit/swarm.ts'

const LIMITS = { leaseMs: 600, handoverMs: 300 }
const ANSWER = 'Your order ships.'
/** What the node that is killed would have said, had it lived. */
const FOREVER_MS = 60_000

const call: ScriptTurn = { steps: [{ call: [{ name: 'lookup', args: { id: '1042' } }] }] }
const say: ScriptTurn = { steps: [{ say: ['Your ', 'order ', 'ships.'] }] }
const silence: ScriptTurn = { steps: [{ waitMs: FOREVER_MS }] }

type Messages = Parameters<Extract<Script, (...parameters: never[]) => unknown>>[0]
const routes = (messages: Messages): boolean => messages[0]!.text.startsWith('You route')
const hasResult = (messages: Messages): boolean => messages.at(-1)?.getType() === 'tool'
const handOff: ScriptTurn = { steps: [{ call: [{ name: 'transfer_to_billing', args: {} }] }] }

/** A lookup, then the answer. */
const whole: Script = (messages) => (routes(messages) ? handOff : hasResult(messages) ? say : call)

const of = (entries: readonly SwarmEntry[], type: string): Record<string, unknown>[] =>
  entries.filter(({ event }) => event.type === type).map(({ event }) => event.payload as Record<string, unknown>)

function foldText(entries: readonly SwarmEntry[], messageId: unknown): string {
  let text = ''
  for (const delta of of(entries, 'text:delta')) {
    if (delta['messageId'] === messageId) text = text.slice(0, Number(delta['offset'])) + String(delta['text'])
  }
  return text
}

/** Sends two messages, kills the node once `reached` resolves, and returns what a reader of the log has in the end. */
async function survive(
  options: SwarmOptions,
  reached: (swarm: TestSwarm) => Promise<unknown>,
  check: (entries: readonly SwarmEntry[]) => void,
): Promise<void> {
  const swarm = await startSwarm({ limits: LIMITS, ...options })
  try {
    const ref = swarm.reach().ref(Supervisor, 'c1')
    const send = async (clientId: string): Promise<unknown> =>
      await ref.confirm('send', { clientId, text: `Where is 1042? ${clientId}`, agent: null, channel: 'test' })
    await send('m1')
    await send('m2')
    await reached(swarm)
    swarm.kill('n1')
    await swarm.node('n2')
    const entries = await ends(swarm, 2)
    const received = of(entries, 'message:received')
    const completed = of(entries, 'message:completed')
    assert.equal(
      completed.map((message) => message['parentId']),
      received.map((message) => message['id']),
      'each message is answered once, in order',
    )
    for (const message of completed)
      assert.is(foldText(entries, message['id']), message['text'], 'the deltas fold to it')
    const turns = of(entries, 'turn:ended').map((turn) => turn['turnId'])
    assert.is(new Set(turns).size, turns.length, 'no turn ends twice')
    check(entries)
  } finally {
    await swarm.close()
  }
}

async function ends(swarm: TestSwarm, count: number): Promise<SwarmEntry[]> {
  let seen = 0
  for (;;) {
    const after = seen
    const entries = await swarm.until('c1', ({ event, sequence }) => event.type === 'turn:ended' && sequence > after)
    const found = entries.filter(({ event }) => event.type === 'turn:ended')
    if (found.length >= count) return entries
    seen = found.at(-1)!.sequence
  }
}

/** Resolves `reached` where the node that will be killed has come to, and never goes on there. */
function stuck(): { readonly reached: Promise<void>; readonly here: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { reached: promise, here: resolve }
}

/** Calls of `lookup` by idempotency key; the first one on the node that is killed never answers. */
function lookups(hang: boolean): {
  readonly calls: LookupCall[]
  readonly reached: Promise<void>
  readonly tool: NonNullable<SwarmOptions['tool']>
} {
  const point = stuck()
  const calls: LookupCall[] = []
  const tool: NonNullable<SwarmOptions['tool']> = async (args, ctx, made) => {
    calls.push(made)
    if (!hang || made.node !== 'n1') return args
    point.here()
    return await new Promise((_resolve, reject) =>
      ctx.signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }),
    )
  }
  return { calls, reached: point.reached, tool }
}

const texts = (entries: readonly SwarmEntry[]): unknown[] => of(entries, 'message:completed').map(({ text }) => text)

suite('a turn whose node is killed', ({ test }) => {
  test('while it is being routed, is routed again and answered once', async () => {
    const point = stuck()
    const onN1: Script = (messages) => {
      if (!routes(messages)) return whole(messages, 0)
      point.here()
      return silence
    }
    await survive(
      { script: { on: (node) => (node === 'n1' ? onN1 : whole) }, agents: ['support', 'billing'] },
      () => point.reached,
      (entries) => {
        assert.equal(texts(entries), [ANSWER, ANSWER])
        assert.equal(
          of(entries, 'route:decided').map(({ agent }) => agent),
          ['billing', 'billing'],
        )
      },
    )
  })

  test('while its model streams, takes back what was said and says the whole answer', async () => {
    const half: Script = () => ({ steps: [{ say: ['Something ', 'else 🐝'] }, { waitMs: FOREVER_MS }] })
    await survive(
      { script: { on: (node) => (node === 'n1' ? half : whole) } },
      (swarm) => swarm.until('c1', ({ event }) => event.type === 'text:delta'),
      (entries) => {
        assert.equal(texts(entries), [ANSWER, ANSWER])
        assert.ok(of(entries, 'run:started').some(({ attempt }) => attempt === 2))
      },
    )
  })

  test('while an idempotent tool is at work, repeats it under the same key', async () => {
    const { calls, reached, tool } = lookups(true)
    await survive(
      { script: whole, idempotent: true, tool },
      () => reached,
      (entries) => {
        assert.equal(texts(entries), [ANSWER, ANSWER])
        assert.is(calls.length, 3, 'the first one twice, the second one once')
        assert.is(calls[0]!.idempotencyKey, calls[1]!.idempotencyKey)
        assert.is.not(calls[2]!.idempotencyKey, calls[0]!.idempotencyKey)
        assert.equal(
          of(entries, 'tool:returned').map(({ status }) => status),
          ['done', 'done'],
        )
      },
    )
  })

  test('while a tool is at work that cannot be repeated, tells the model that nobody knows', async () => {
    const { calls, reached, tool } = lookups(true)
    const told: string[] = []
    const script: Script = (messages) => {
      if (!hasResult(messages)) return call
      told.push(messages.at(-1)!.text)
      return say
    }
    await survive(
      { script, tool },
      () => reached,
      (entries) => {
        assert.equal(
          of(entries, 'tool:returned').map(({ status }) => status),
          ['unknown', 'done'],
        )
        assert.is(calls.length, 2, 'one for each message, none repeated')
        assert.is.not(calls[0]!.idempotencyKey, calls[1]!.idempotencyKey)
        assert.match(told[0]!, /not known whether lookup happened/)
      },
    )
  })

  test('after its tool has answered, asks the ledger and not the tool again', async () => {
    const point = stuck()
    const { calls, tool } = lookups(false)
    const onN1: Script = (messages) => {
      if (!hasResult(messages)) return call
      point.here()
      return silence
    }
    const told: string[] = []
    const onN2: Script = (messages) => {
      if (hasResult(messages)) told.push(messages.at(-1)!.text)
      return whole(messages, 0)
    }
    await survive(
      { script: { on: (node) => (node === 'n1' ? onN1 : onN2) }, tool },
      () => point.reached,
      (entries) => {
        assert.equal(texts(entries), [ANSWER, ANSWER])
        assert.is(calls.length, 2, 'one for each message')
        assert.equal(told, ['{"id":"1042"}', '{"id":"1042"}'], 'the model hears what the tool had answered')
      },
    )
  })

  test('after its last step, says the answer of the checkpoint without asking the model again', async () => {
    const point = stuck()
    const { calls, tool } = lookups(false)
    let asked = 0
    const script: Script = (messages) => {
      asked++
      return whole(messages, 0)
    }
    const runOver = async (node: string): Promise<void> => {
      if (node !== 'n1') return
      point.here()
      await new Promise(() => {})
    }
    await survive(
      { script, tool, runOver },
      () => point.reached,
      (entries) => {
        assert.equal(texts(entries), [ANSWER, ANSWER])
        assert.is(calls.length, 2)
        assert.is(asked, 4, 'two model calls for each message, none repeated')
        assert.ok(
          of(entries, 'run:ended').every(({ usage }) => (usage as { outputTokens: number }).outputTokens === 3),
          'what the first attempt spent is counted',
        )
      },
    )
  })
})

suite('a swarm of two nodes', ({ test }) => {
  test('answers every conversation once, in order, when either of them is killed', async () => {
    const swarm = await startSwarm({ script: whole, limits: LIMITS, idempotent: true })
    try {
      const n2 = await swarm.node('n2')
      await n2.placed()
      const conversations = Array.from({ length: 12 }, (_, index) => `c${index}`)
      const edge = n2.reach({ tenant: 'acme', user: 'ada', roles: ['customer'], scopes: [], credential: '' })
      for (const conversation of conversations) {
        for (const clientId of ['m1', 'm2']) {
          const message = { clientId, text: `Where is 1042? ${clientId}`, agent: null, channel: 'test' }
          await edge.ref(Supervisor, conversation).confirm('send', message)
        }
        if (conversation === 'c6') swarm.kill('n1')
      }
      for (const conversation of conversations) {
        const last = ({ event }: SwarmEntry): boolean => event.type === 'message:completed'
        let entries = await swarm.until(conversation, last)
        while (entries.filter(({ event }) => event.type === 'turn:ended').length < 2) {
          const after = entries.at(-1)!.sequence
          entries = await swarm.until(conversation, ({ sequence }) => sequence > after)
        }
        assert.equal(
          of(entries, 'message:completed').map(({ parentId }) => parentId),
          of(entries, 'message:received').map(({ id }) => id),
        )
        for (const message of of(entries, 'message:completed')) assert.is(foldText(entries, message['id']), ANSWER)
        assert.is(of(entries, 'turn:ended').length, 2)
      }
    } finally {
      await swarm.close()
    }
  })
})
