import { Supervisor } from '#shared/contracts/supervisor.ts'
import { Team } from '#shared/contracts/team.ts'
import { saveTeam, saveTeamMember } from '#shared/db/repositories/teams.ts'
import { saveTenant } from '#shared/db/repositories/tenants.ts'
import type { Script } from '#shared/models/scripted/script.ts'
import { RELEASE, TAKE, all, isA, person } from '#test/kit/desk-people.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { TestSwarm } from '#test/kit/swarm.ts'

const quick: Script = () => ({ steps: [{ say: ['Your order ships.'] }] })
const OFFER = { action: 'offer' as const, withinMs: null, skills: [] as string[], reason: '' }
const user = (id: string): { kind: 'user'; id: string } => ({ kind: 'user', id })
const team = (id: string): { kind: 'team'; id: string } => ({ kind: 'team', id })

function settings(swarm: TestSwarm, control: Record<string, number>): Promise<void> {
  return swarm.database.tenant(TENANT, (sql) => saveTenant(sql, { name: 'Acme', settings: { control } }))
}

suite('offers of the voice', ({ test }) => {
  test('agents go on under the same epoch until it is accepted; declined or expired it is as before', async () => {
    const swarm = await startSwarm({ script: quick })
    const ada = person(swarm, 'c1', 'ada', ['customer'])
    const olga = person(swarm, 'c1', 'olga', ['operator'])
    const omar = person(swarm, 'c1', 'omar', ['operator'])
    await ada.send('Hello?')
    assert.equal(await olga.control({ ...OFFER, to: user('omar') }), { owner: '', mode: 'offered', control: 1 })
    assert.is(await codeOf(olga.control({ action: 'accept' })), 'NO_OFFER')
    const asked = await ada.send('And now?')
    await swarm.until(
      'c1',
      isA('message:completed', ({ parentId }) => parentId === asked.messageId),
    )
    await omar.control({ action: 'decline', reason: 'at lunch' })
    assert.is((await omar.snapshot(true)).control.mode, 'auto')
    await olga.control({ ...OFFER, to: user('omar'), withinMs: 100 })
    const expired = await swarm.until(
      'c1',
      isA('offer:changed', ({ outcome }) => outcome === 'expired'),
    )
    assert.is(all(expired, 'control:changed').at(-1)?.mode, 'auto')
    assert.is(await codeOf(omar.control({ action: 'accept' })), 'NO_OFFER')
    await olga.control({ ...OFFER, to: user('omar') })
    assert.equal(await omar.control({ action: 'accept' }), { owner: 'omar', mode: 'human', control: 2 })
    // From one person to another: who offers it keeps answering until then.
    assert.is((await omar.control({ ...OFFER, to: user('olga') })).mode, 'human')
    await omar.reply('One moment, I hand you over.')
    assert.equal(await olga.control({ action: 'accept' }), { owner: 'olga', mode: 'human', control: 3 })
    assert.is(await codeOf(omar.reply('Am I still here?')), 'STALE_CONTROL')
    await swarm.close()
  })

  test('a team asks the member with skill and room, the next one when that one declines; load is counted', async () => {
    const swarm = await startSwarm({ script: quick })
    await swarm.database.tenant(TENANT, async (sql) => {
      await saveTeam(sql, { id: 'support', name: 'Support' })
      await saveTeamMember(sql, 'support', { userId: 'olga', skills: ['french', 'billing'], capacity: 1 })
      await saveTeamMember(sql, 'support', { userId: 'omar', skills: ['french'], capacity: 1 })
      await saveTeamMember(sql, 'support', { userId: 'otto', skills: [], capacity: 9 })
    })
    const offer = { ...OFFER, to: team('support'), skills: ['french'] }
    const staff = (conversation: string, name: string): ReturnType<typeof person> =>
      person(swarm, conversation, name, ['operator'])
    const askedNow = (conversation: string, name: string | null): ReturnType<TestSwarm['until']> =>
      swarm.until(
        conversation,
        isA('offer:changed', ({ offer: now }) => now?.asked === name),
      )
    for (const conversation of ['c1', 'c2']) await person(swarm, conversation, 'ada', []).send('Bonjour?')
    assert.is(await codeOf(staff('c1', 'root').control({ ...offer, to: team('none') })), 'NOT_FOUND')
    await staff('c1', 'root').control(offer)
    await askedNow('c1', 'omar') // as free as olga, and with fewer other skills
    await staff('c1', 'omar').control({ action: 'decline', reason: '' })
    await askedNow('c1', 'olga')
    assert.is(await codeOf(staff('c1', 'eve').control({ action: 'accept' })), 'NO_OFFER')
    assert.is((await staff('c1', 'olga').control({ action: 'accept' })).owner, 'olga')
    await staff('c2', 'root').control(offer)
    await askedNow('c2', 'omar') // olga has no room
    const queue = swarm.reach('root', ['operator']).ref(Team, 'support')
    const { waiting, members } = await queue.ask('queue', {})
    assert.equal(
      waiting.map(({ conversationId, asked }) => [conversationId, asked]),
      [['c2', 'omar']],
    )
    assert.equal(
      members.map(({ user: name, load }) => [name, load]),
      [
        ['olga', 1],
        ['omar', 1],
        ['otto', 0],
      ],
    )
    await swarm.reach('omar', ['operator']).ref(Team, 'support').confirm('available', { available: false })
    assert.equal((await queue.ask('queue', {})).waiting[0]?.asked, null)
    await staff('c1', 'olga').control(RELEASE)
    await askedNow('c2', 'olga') // she has room again
    await swarm.close()
  })

  test('a conversation whose owner does nothing, or goes away, is handed back', async () => {
    const swarm = await startSwarm({ script: quick })
    await settings(swarm, { idleMs: 150 })
    const ada = person(swarm, 'c1', 'ada', ['customer'])
    const olga = person(swarm, 'c1', 'olga', ['operator'])
    await ada.send('Hello?')
    await olga.control(TAKE)
    await ada.send('Are you there?')
    const idle = await swarm.until(
      'c1',
      isA('control:changed', ({ reason }) => reason === 'olga is idle'),
    )
    assert.equal(
      all(idle, 'control:changed').map(({ mode, control }) => [mode, control]),
      [
        ['human', 2],
        ['auto', 3],
      ],
    )
    await settings(swarm, { idleMs: 600_000, offlineMs: 100 })
    await olga.control(TAKE)
    const seat = swarm.reach('olga', ['operator']).ref(Supervisor, 'c1')
    for (const [name, here] of [
      ['one', true],
      ['two', true],
      ['one', false],
    ] as const)
      await seat.confirm('seat', { seat: name, here })
    assert.is((await olga.snapshot(true)).control.mode, 'human', 'one of her two connections is there')
    await seat.confirm('seat', { seat: 'two', here: false })
    await swarm.until(
      'c1',
      isA('control:changed', ({ reason }) => reason === 'olga is offline'),
    )
    await swarm.close()
  })
})

suite('an owner whose gateway is killed', ({ test }) => {
  test('is offline, though nobody said so, when no other gateway has them', async () => {
    const swarm = await startSwarm({ script: quick, limits: { leaseMs: 600 } })
    await settings(swarm, { idleMs: 600_000, offlineMs: 100 })
    const [one, two] = [await swarm.edge('edge1'), await swarm.edge('edge2')]
    const ada = person(swarm, 'c1', 'ada', ['customer'])
    const olga = person(swarm, 'c1', 'olga', ['operator'])
    await ada.send('Hello?')
    const seat = swarm.reach('olga', ['operator']).ref(Supervisor, 'c1')
    await seat.confirm('seat', { seat: 'first', here: true, node: 'edge1' })
    await seat.confirm('seat', { seat: 'second', here: true, node: 'edge2' })
    await olga.control(TAKE)
    two.abandon()
    one.abandon()
    const handed = await swarm.until(
      'c1',
      isA('control:changed', ({ reason }) => reason === 'olga is offline'),
    )
    assert.is(swarm.nodes[0]!.isAlive('edge1'), false)
    assert.is(all(handed, 'control:changed').length, 2)
    await swarm.close()
  })

  test('is not, while one of their gateways is there', async () => {
    const swarm = await startSwarm({ script: quick, limits: { leaseMs: 600 } })
    await settings(swarm, { idleMs: 4_000, offlineMs: 100 })
    const [one, two] = [await swarm.edge('edge1'), await swarm.edge('edge2')]
    const ada = person(swarm, 'c1', 'ada', ['customer'])
    const olga = person(swarm, 'c1', 'olga', ['operator'])
    await ada.send('Hello?')
    const seat = swarm.reach('olga', ['operator']).ref(Supervisor, 'c1')
    await seat.confirm('seat', { seat: 'first', here: true, node: 'edge1' })
    await seat.confirm('seat', { seat: 'second', here: true, node: 'edge2' })
    await olga.control(TAKE)
    two.abandon()
    // Long after several looks at the gateways: she did nothing, and was there.
    const handed = await swarm.until(
      'c1',
      isA('control:changed', ({ mode, control }) => mode === 'auto' && control === 3),
    )
    assert.is(all(handed, 'control:changed').at(-1)!.reason, 'olga is idle')
    assert.is(swarm.nodes[0]!.isAlive('edge2'), false)
    await one.stop()
    await swarm.close()
  })
})

suite('supervised answers', ({ test }) => {
  test('are drafts: nothing of them is public until somebody approves, edits or answers', async () => {
    let calls = 0
    const systems: string[] = []
    const swarm = await startSwarm({
      script: (messages) => {
        systems.push(messages[0]?.text ?? '')
        return { steps: [{ say: ['Draft ', `number ${++calls}.`] }] }
      },
    })
    const ada = person(swarm, 'c1', 'ada', ['customer'])
    const olga = person(swarm, 'c1', 'olga', ['operator'])
    const supervisor = swarm.reach('desk', ['operator']).ref(Supervisor, 'c1')
    const decide = async (
      turnId: string,
      decision: Parameters<typeof supervisor.tell<'decided'>>[1]['decision'],
    ): Promise<void> => {
      await supervisor.confirm('decided', {
        itemId: 'i1',
        turnId,
        runId: '',
        kind: 'draft_reply',
        decision,
        by: 'olga',
        at: 0,
      })
    }
    await ada.send('Hello?')
    await swarm.until('c1', isA('turn:ended'))
    await olga.control({ action: 'supervise', on: true, reason: '' })
    const { turnId } = await ada.send('Where is it?')
    const written = await swarm.until('c1', isA('draft:completed'))
    assert.ok(written.some(isA('draft:delta')))
    assert.is((await olga.snapshot(true)).staff?.drafts[0]?.message.text, 'Draft number 2.')
    assert.is((await ada.snapshot()).staff, null)
    const publicly = (entries: typeof written): string =>
      entries
        .filter(({ audience }) => audience === 'pub')
        .map(({ event }) => JSON.stringify(event.payload))
        .join('')
    assert.not.ok(publicly(written).includes('number 2'))
    await decide(turnId, { action: 'reject', reason: 'Too short.' })
    await swarm.until(
      'c1',
      isA('draft:completed', ({ message }) => message.text === 'Draft number 3.'),
    )
    assert.ok(systems.at(-1)?.includes('Too short.'))
    await decide(turnId, { action: 'edit', args: { text: 'It is on its way.' }, reason: '' })
    const said = await swarm.until(
      'c1',
      isA('turn:ended', (end) => end.turnId === turnId),
    )
    assert.is(all(said, 'message:completed').at(-1)?.text, 'It is on its way.')
    assert.not.ok(/number [23]/.test(publicly(said)))
    // A late approval of what was written before a takeover is not said.
    const late = await ada.send('And now?')
    await swarm.until(
      'c1',
      isA('draft:completed', ({ message }) => message.text === 'Draft number 4.'),
    )
    await olga.control(TAKE)
    await decide(late.turnId, { action: 'approve' })
    await olga.reply('I say it myself.')
    const end = await swarm.until(
      'c1',
      isA('message:completed', ({ role }) => role === 'operator'),
    )
    assert.not.ok(publicly(end).includes('number 4'))
    assert.is(all(end, 'draft:decided').at(-1)?.outcome, 'superseded')
    await swarm.close()
  })
})

suite('whispers', ({ test }) => {
  test('reach the agent with its next turn, or are said to be missed; the customer hears of neither', async () => {
    const systems: string[] = []
    const swarm = await startSwarm({
      script: (messages) => {
        systems.push(messages[0]?.text ?? '')
        return { steps: [{ say: ['Fine.'] }] }
      },
    })
    const ada = person(swarm, 'c1', 'ada', ['customer'])
    const olga = person(swarm, 'c1', 'olga', ['operator'])
    await ada.send('Hello?')
    await swarm.until('c1', isA('turn:ended'))
    const { noteId } = await olga.note('Offer a discount of ten percent.', 'whisper', 'w1')
    assert.equal(await olga.note('Offer a discount of ten percent.', 'whisper', 'w1'), { noteId })
    await ada.send('It is too dear.')
    const entries = await swarm.until(
      'c1',
      isA('whisper:delivered', (payload) => payload.noteId === noteId),
    )
    assert.is(entries.filter(isA('note:added')).length, 1)
    await swarm.until(
      'c1',
      isA('run:ended', ({ turnId }) => turnId === all(entries, 'whisper:delivered')[0]?.turnId),
    )
    assert.ok(systems.at(-1)?.includes('discount of ten percent'))
    const missed = await olga.note('Be brief.', 'whisper')
    await olga.control(TAKE)
    await swarm.until(
      'c1',
      isA('whisper:missed', (payload) => payload.noteId === missed.noteId),
    )
    assert.equal(
      (await olga.snapshot(true)).staff?.notes.map(({ kind, state }) => [kind, state]),
      [
        ['whisper', 'delivered'],
        ['whisper', 'missed'],
      ],
    )
    await swarm.close()
  })
})
