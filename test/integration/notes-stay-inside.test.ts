/**
 * I6 by trying: whatever people of the tenant send as notes, whispers and word at hand-back, in whatever order with whatever
 * else they do, nothing of it is ever in a public entry, nor reaches a customer by socket, snapshot, REST or SSE.
 */
import fc from 'fast-check'
import { decodeEvent } from '#shared/wire/event.ts'
import { filters, parseSubject } from '#shared/wire/subjects.ts'
import { openGateway, request } from '#test/kit/open-gateway.ts'
import type { Client } from '#test/kit/open-gateway.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'

const SESSIONS = 8
const STEPS = 14
/** In every internal text, wherever in it: what is looked for everywhere a customer can look. */
const MARK = 'qzxmark'

const Action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('note', 'whisper'),
      text: fc.string({ unit: 'grapheme', maxLength: 60 }),
    }),
  },
  // Texts that look like something else: events, messages, subjects, markup.
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('note', 'whisper'),
      text: fc.constantFrom(
        '{"type":"message:completed","audience":"pub"}',
        't.acme.ev.c.pub',
        '</note><reply>',
        '\u2028data: pub\n\nevent: log',
        'x'.repeat(15_000),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('take'), text: fc.constant('') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release'), text: fc.string({ maxLength: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ask'), text: fc.string({ maxLength: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reply'), text: fc.string({ maxLength: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('supervise', 'unsupervise'), text: fc.constant('') }) },
)

suite('what is internal stays inside', ({ test }) => {
  test('notes, whispers, drafts and briefings cannot be found where a customer can look', async () => {
    const swarm = await startSwarm({ script: () => ({ steps: [{ say: ['Here you are.'] }] }) })
    const gateway = await openGateway(swarm.nats.url, TENANT)
    const [ann, olga] = [await gateway.client('ann'), await gateway.client('olga', ['operator'])]
    const atAnn: string[] = []
    for (const event of ['log', 'snapshot', 'swarm', 'typing', 'presence'] as const)
      ann.on(event, (said: unknown) => void atAnn.push(JSON.stringify(said)))
    const seed = 20261130
    const sessions = fc.sample(fc.array(Action, { minLength: STEPS, maxLength: STEPS }), { seed, numRuns: SESSIONS })
    let internal = 0
    for (const steps of sessions) {
      const conversationId = String((await request(ann, 'conversation:open', {}))['conversationId'])
      await request(ann, 'message:send', { conversationId, id: 'first', text: 'Hello?' })
      const opened = await openAs(ann, olga, conversationId)
      atAnn.push(JSON.stringify(opened))
      for (const [at, { do: what, text }] of steps.entries()) {
        const id = `s${at}`
        const secret = `${text.slice(0, text.length / 2)}${MARK}${text.slice(text.length / 2)}`.toWellFormed()
        const done = await act(ann, olga, conversationId, id, what, text.toWellFormed(), secret)
        if (done && ['note', 'whisper', 'release'].includes(what)) internal += 1
      }
      atAnn.push(JSON.stringify(await request(ann, 'conversation:open', { conversationId })))
      for (const path of [`conversations/${conversationId}`, `conversations/${conversationId}/messages`])
        atAnn.push(await restText(gateway.url, await gateway.token('ann'), path))
      atAnn.push(await sseText(gateway.url, await gateway.token('ann'), conversationId))
      // The other way round: what the test looks for is there for those who may see it.
      const staff = JSON.stringify(await request(olga, 'conversation:open', { conversationId, ops: true }))
      assert.is(
        staff.includes(MARK),
        steps.some(({ do: what }) => what === 'note' || what === 'whisper'),
      )
      await request(olga, 'conversation:close', { conversationId })
      await request(ann, 'conversation:close', { conversationId })
    }
    assert.ok(internal > SESSIONS, `${internal} internal texts were sent`)
    assert.not.ok(
      atAnn.some((text) => text.includes(MARK)),
      'a customer saw it',
    )
    for await (const { subject, data } of swarm.transport.read('EVT', {
      filters: [filters.eventsOfTenant(TENANT)],
      from: 1,
    })) {
      const parsed = parseSubject(subject)
      if (parsed.lane !== 'ev' || parsed.audience !== 'pub') continue
      assert.not.ok(JSON.stringify(decodeEvent(data)).includes(MARK), `${subject} holds it`)
    }
    await gateway.close()
    await swarm.close()
  })
})

async function openAs(ann: Client, olga: Client, conversationId: string): Promise<unknown> {
  await request(olga, 'conversation:open', { conversationId, ops: true })
  return await request(ann, 'conversation:open', { conversationId })
}

/** False when it was refused, as much of it is: a reply without the voice, an offer that is over. */
async function act(
  ann: Client,
  olga: Client,
  conversationId: string,
  id: string,
  what: string,
  text: string,
  secret: string,
): Promise<boolean> {
  const send = async (): Promise<unknown> => {
    switch (what) {
      case 'note':
      case 'whisper':
        return await request(olga, 'note:add', { conversationId, id, text: secret, kind: what })
      case 'take':
        return await request(olga, 'conversation:control', { conversationId, action: 'take' })
      case 'release':
        return await request(olga, 'conversation:control', { conversationId, action: 'release', learned: secret })
      case 'ask':
        return await request(ann, 'message:send', { conversationId, id, text: `${text}?` })
      case 'reply':
        return await request(olga, 'message:reply', { conversationId, id, text: `${text}.` })
      default:
        return await request(olga, 'conversation:control', {
          conversationId,
          action: 'supervise',
          on: what === 'supervise',
        })
    }
  }
  return await send().then(
    () => true,
    () => false,
  )
}

async function restText(url: string, token: string, path: string): Promise<string> {
  const response = await fetch(new URL(`/api/v1/${path}`, url), { headers: { authorization: `Bearer ${token}` } })
  assert.is(response.status, 200)
  return await response.text()
}

/** The first piece of the stream, which is the snapshot; asking for what operators see is refused. */
async function sseText(url: string, token: string, conversationId: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}` }
  const path = `/api/v1/conversations/${conversationId}/events`
  assert.is((await fetch(new URL(`${path}?ops=true`, url), { headers })).status, 403)
  const ended = new AbortController()
  const response = await fetch(new URL(path, url), { headers, signal: ended.signal })
  assert.is(response.status, 200)
  const first = await response.body!.getReader().read()
  ended.abort()
  return new TextDecoder().decode(first.value)
}
