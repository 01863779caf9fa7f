import type { Script } from '#shared/models/scripted/script.ts'
import { RELEASE, TAKE, all, isA, person } from '#test/kit/desk-people.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import { saveTenant } from '#shared/db/repositories/tenants.ts'

const WORDS = Array.from({ length: 40 }, (_, index) => `word${index} `)
/** Speaks slowly enough to be interrupted. */
const slow: Script = () => ({ steps: WORDS.flatMap((word) => [{ say: [word] }, { waitMs: 20 }]) })
const quick: Script = () => ({ steps: [{ say: ['Your order ships.'] }] })

suite('the voice of a conversation', ({ test }) => {
  test('moves to a person while an agent speaks: the agent is not heard after it, and what it had is a note', async () => {
    const swarm = await startSwarm({ script: slow })
    const ada = person(swarm, 'c1', 'ada', ['customer'])
    const olga = person(swarm, 'c1', 'olga', ['operator'])
    await ada.send('Where is my order?')
    await swarm.until(
      'c1',
      isA('text:delta', ({ offset }) => offset > 0),
    )
    const taken = await olga.control(TAKE)
    assert.equal(taken, { owner: 'olga', mode: 'human', control: 2 })
    await swarm.until('c1', isA('note:added'))
    const entries = await swarm.until('c1', isA('turn:ended'))
    const at = entries.findIndex(isA('control:changed'))
    assert.not.ok(entries.slice(at).some(isA('text:delta')), 'no text after the change')
    assert.not.ok(entries.some(isA('message:completed', ({ role }) => role === 'assistant')))
    const [note] = all(entries, 'note:added')
    assert.is(note?.kind, 'draft')
    assert.ok(note?.text.startsWith('word0 word1'))
    assert.is(all(entries, 'turn:ended')[0]?.outcome, 'stopped')
    assert.is(entries.find(isA('note:added'))?.audience, 'ops')
    await swarm.close()
  })

  test('tells the customer by the words of the tenant, and the person what it is about', async () => {
    const swarm = await startSwarm({ script: quick })
    await swarm.database.tenant(TENANT, (sql) =>
      saveTenant(sql, { name: 'Acme', settings: { notices: { taken: '{name} is with you.', released: '' } } }),
    )
    const ada = person(swarm, 'c1', 'ada', ['customer'])
    const olga = person(swarm, 'c1', 'olga', ['operator'])
    await ada.send('Where is my order?')
    await swarm.until('c1', isA('turn:ended'))
    await olga.control(TAKE)
    const entries = await swarm.until('c1', isA('control:briefed'))
    assert.is(all(entries, 'control:changed')[0]?.notice, 'olga is with you.')
    const notice = all(entries, 'message:completed').at(-1)
    assert.equal([notice?.role, notice?.text], ['system', 'olga is with you.'])
    const [briefing] = all(entries, 'control:briefed')
    assert.is(briefing?.owner, 'olga')
    assert.equal([briefing?.wants?.text, briefing?.wants?.answered], ['Where is my order?', true])
    assert.equal(briefing?.spoken, [{ author: 'support', role: 'assistant', messages: 1 }])
    await olga.control(RELEASE)
    const after = await swarm.until(
      'c1',
      isA('control:changed', ({ mode }) => mode === 'auto'),
    )
    assert.is(all(after, 'control:changed').at(-1)?.notice, null)
    await swarm.close()
  })

  test('no turn begins while a person has it; what is unanswered at hand-back is answered, with what was learned', async () => {
    const prompts: string[] = []
    const swarm = await startSwarm({
      script: (messages) => {
        prompts.push(messages.map((message) => message.text).join('\n'))
        return { steps: [{ say: ['Done.'] }] }
      },
    })
    const ada = person(swarm, 'c1', 'ada', ['customer'])
    const olga = person(swarm, 'c1', 'olga', ['operator'])
    await ada.send('Hello?')
    await swarm.until('c1', isA('turn:ended'))
    await olga.control(TAKE)
    assert.equal((await ada.send('It is broken.')).turnId, '')
    await olga.reply('I will look into it.')
    await olga.reply('It is the plug.')
    await olga.control(RELEASE)
    await olga.control(TAKE)
    assert.is(all(await swarm.log('c1'), 'turn:started').length, 1, 'it was answered by a person')
    await ada.send('And the refund?')
    await olga.control({ ...RELEASE, learned: 'She gets a full refund.' })
    const entries = await swarm.until('c1', (_entry, heard) => all([...heard], 'turn:ended').length === 2)
    assert.is(all(entries, 'turn:started').length, 2)
    const last = prompts.at(-1) ?? ''
    assert.ok(last.includes('She gets a full refund.'))
    assert.ok(last.includes('I will look into it.\nIt is the plug.'))
    assert.ok(last.endsWith('And the refund?'))
    const said = entries.filter(({ audience }) => audience === 'pub').map(({ event }) => JSON.stringify(event.payload))
    assert.not.ok(said.some((text) => text.includes('full refund')))
    await swarm.close()
  })

  test('a reply needs the voice, a role and a new id', async () => {
    const swarm = await startSwarm({ script: quick })
    const ada = person(swarm, 'c1', 'ada', ['customer'])
    const olga = person(swarm, 'c1', 'olga', ['operator'])
    const omar = person(swarm, 'c1', 'omar', ['operator'])
    const admin = person(swarm, 'c1', 'root', ['admin'])
    assert.is(await codeOf(olga.control(TAKE)), 'NOT_FOUND')
    await ada.send('Hello?')
    assert.is(await codeOf(olga.reply('Hi')), 'STALE_CONTROL')
    assert.is(await codeOf(ada.control(TAKE)), 'FORBIDDEN')
    assert.is(await codeOf(ada.reply('I am staff')), 'FORBIDDEN')
    await olga.control(TAKE)
    assert.is(await codeOf(omar.reply('Hi')), 'STALE_CONTROL')
    assert.is(await codeOf(omar.control(TAKE)), 'CONTROL_TAKEN')
    assert.is(await codeOf(omar.control({ ...TAKE, force: true })), 'CONTROL_TAKEN')
    assert.is(await codeOf(omar.control(RELEASE)), 'CONTROL_TAKEN')
    assert.is(await codeOf(omar.control({ ...TAKE, expected: 1 })), 'STALE_CONTROL')
    const first = await olga.reply('Hi', 'r1')
    assert.equal(await olga.reply('Hi', 'r1'), first)
    assert.is(await codeOf(olga.reply('Ho', 'r1')), 'ID_REUSED')
    await admin.control({ ...TAKE, force: true })
    assert.is(await codeOf(olga.reply('still me')), 'STALE_CONTROL')
    assert.equal(await olga.reply('Hi', 'r1'), first, 'it was said while she had the voice')
    const entries = await swarm.until(
      'c1',
      isA('control:changed', ({ owner }) => owner === 'root'),
    )
    assert.equal(
      all(entries, 'message:completed')
        .filter(({ role }) => role === 'operator')
        .map(({ text }) => text),
      ['Hi'],
    )
    await swarm.close()
  })
})
