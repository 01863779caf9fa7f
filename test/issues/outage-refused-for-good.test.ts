import { WaggleError, publicError } from '#shared/errors/waggle-error.ts'
import { Outbox } from '#gateway/client/outbox.ts'
import { RequestFailed } from '#gateway/client/request-failed.ts'
import { assert, suite } from '#test/kit/suite.ts'

const TRIES = 20

/** The broker is restarted while somebody writes: the gateway said INTERNAL, and the client gave the message up after five tries. */
suite('a message sent while the broker or the database is away', ({ test }) => {
  for (const code of ['BROKER_DOWN', 'DATABASE_DOWN', 'LEAVING'] as const)
    test(`is sent again until it is accepted (${code})`, async () => {
      const told = publicError(new WaggleError(code, { reason: 'nats://10.0.0.7:4222' }))
      assert.is(told.code, 'UNREACHABLE')
      assert.equal(told.details, {})
      let tries = 0
      const outbox = new Outbox({
        send: () => {
          if (++tries < TRIES) return Promise.reject(new RequestFailed(told))
          return Promise.resolve({ messageId: 'm', turnId: 't', status: 'accepted' })
        },
        changed: () => {},
        retryFirstMs: 1,
        retryMaxMs: 1,
      })
      outbox.open()
      const receipt = await outbox.add({ id: 'a', text: 'hello', agent: null, at: 0 })
      assert.is(receipt.messageId, 'm')
      outbox.end()
    })
})
