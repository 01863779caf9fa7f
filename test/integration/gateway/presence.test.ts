import type { PresenceSignal, TypingSignal } from '#shared/contracts/client-control.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { GatewayWorld, ask, good } from './gateway-world.ts'
import type { Client } from './gateway-world.ts'

async function world(body: (world: GatewayWorld) => Promise<void>): Promise<void> {
  const made = await GatewayWorld.open()
  try {
    await body(made)
  } finally {
    await made.close()
  }
}

function typingAt(client: Client): { all: TypingSignal[]; next: () => Promise<TypingSignal> } {
  const all: TypingSignal[] = []
  client.on('typing', (signal) => void all.push(signal))
  return { all, next: () => new Promise((resolve) => client.once('typing', resolve)) }
}

/** Resolves once those people are there, and no others. */
function people(client: Client, wanted: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (signal: PresenceSignal): void => {
      if (signal.people.map(({ user, state }) => `${user} ${state}`).join(', ') !== wanted) return
      client.off('presence', look)
      resolve()
    }
    client.on('presence', look)
  })
}

suite('typing and presence', ({ test }) => {
  test('colleagues see each other over several gateways, and when one leaves; a customer sees nobody', () =>
    world(async (w) => {
      const [one, two] = [await w.gateway(), await w.gateway()]
      const id = await w.conversation('ann')
      const ann = await w.clientOf(one, 'ann')
      const olga = await w.clientOf(one, 'olga', ['operator'])
      const omar = await w.clientOf(two, 'omar', ['operator'])
      const seen: unknown[] = []
      ann.on('presence', (signal) => void seen.push(signal))
      await good(ask(ann, 'conversation:open', { conversationId: id }))
      const together = people(olga, 'olga viewing, omar viewing')
      const alsoThere = people(omar, 'olga viewing, omar viewing')
      await good(ask(olga, 'conversation:open', { conversationId: id, ops: true }))
      await good(ask(omar, 'conversation:open', { conversationId: id, ops: true }))
      await Promise.all([together, alsoThere])
      const collision = people(olga, 'olga viewing, omar replying')
      await good(ask(omar, 'typing', { conversationId: id, on: true, where: 'reply' }))
      await collision
      const alone = people(olga, 'olga viewing')
      omar.disconnect()
      await alone
      assert.equal(seen, [])
    }))

  test('a customer learns that somebody writes to them, without a name, and nothing of what is written to colleagues', () =>
    world(async (w) => {
      const gateway = await w.gateway()
      const id = await w.conversation('ann')
      const ann = await w.clientOf(gateway, 'ann')
      const olga = await w.clientOf(gateway, 'olga', ['operator'])
      const eve = await w.clientOf(gateway, 'eve')
      await good(ask(ann, 'conversation:open', { conversationId: id }))
      await good(ask(olga, 'conversation:open', { conversationId: id, ops: true }))
      const heard = typingAt(ann)
      const atOlga = typingAt(olga)
      const first = heard.next()
      await good(ask(olga, 'typing', { conversationId: id, on: true, where: 'note' }))
      await good(ask(olga, 'typing', { conversationId: id, on: true, where: 'reply' }))
      assert.equal(await first, { conversationId: id, user: '', role: 'operator', on: true })
      // She has not opened it: nobody hears of it.
      await good(ask(eve, 'typing', { conversationId: id, on: true, where: 'reply' }))
      const answer = atOlga.next()
      await good(ask(ann, 'typing', { conversationId: id, on: true, where: 'reply' }))
      assert.equal(await answer, { conversationId: id, user: 'ann', role: 'customer', on: true })
      assert.equal([heard.all.length, atOlga.all.length], [1, 1])
    }))
})
