/** A turn whose run was given up is a dead letter; replayed, its message is answered after all. */
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { listDeadLetters, showDeadLetter } from '#shared/db/repositories/dead-letters.ts'
import { again } from '#services/directory/replay.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'

suite('a turn that was given up', ({ test }) => {
  test('is answered in a new turn of the same message when its dead letter is replayed', async () => {
    let broken = true
    const swarm = await startSwarm({
      script: () => {
        if (broken) throw new Error('the model fails')
        return { steps: [{ say: ['Here you are.'] }] }
      },
    })
    try {
      const message = { clientId: 'm1', text: 'hello', agent: 'support', channel: 'test' }
      const { messageId } = (await swarm.reach().ref(Supervisor, 'c1').confirm('send', message)) as {
        messageId: string
      }
      await swarm.until('c1', ({ event }) => event.type === 'turn:ended', 40_000)
      broken = false
      const letter = await swarm.database.tenant(TENANT, async (sql) => {
        const [head] = await listDeadLetters(sql, { kind: 'agent' })
        return head === undefined ? null : await showDeadLetter(sql, head.id)
      })
      assert.ok(letter, 'the run is a dead letter')
      const { subject, bytes, id } = again(TENANT, letter, undefined)
      await swarm.transport.append(subject, bytes, { messageId: id })
      const entries = await swarm.until('c1', ({ event }) => event.type === 'message:completed', 20_000)
      const answer = entries.find(({ event }) => event.type === 'message:completed')!.event.payload
      const { parentId, text } = answer as { parentId: string; text: string }
      assert.equal([parentId, text], [messageId, 'Here you are.'])
    } finally {
      await swarm.close()
    }
  })
})
