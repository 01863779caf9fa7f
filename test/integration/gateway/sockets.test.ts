import type { Socket } from 'socket.io-client'
import { MAX_OPEN } from '#gateway/sockets/connection.ts'
import type { LogEntry, SendReceipt } from '#shared/contracts/client.ts'
import { systemClock } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { API_KEY, GatewayWorld, ask, good } from './gateway-world.ts'
import type { Client, Opened, WorldOptions } from './gateway-world.ts'

async function world(body: (world: GatewayWorld) => Promise<void>, options: WorldOptions = {}): Promise<void> {
  const made = await GatewayWorld.open(options)
  try {
    await body(made)
  } finally {
    await made.close()
  }
}

/** Entries as they come, and a promise for the first that fits. */
function listen(
  client: Client,
  event: 'log' | 'swarm' = 'log',
): { all: LogEntry[]; until: (fits: (entry: LogEntry) => boolean) => Promise<LogEntry> } {
  const all: LogEntry[] = []
  const waiting: { fits: (entry: LogEntry) => boolean; found: (entry: LogEntry) => void }[] = []
  client.on(event, (entries) => {
    for (const entry of entries) {
      all.push(entry)
      for (const waiter of waiting) if (waiter.fits(entry)) waiter.found(entry)
    }
  })
  return {
    all,
    until: (fits) => {
      const known = all.find(fits)
      return known === undefined
        ? new Promise((resolve) => waiting.push({ fits, found: resolve }))
        : Promise.resolve(known)
    },
  }
}

/** Whatever the names in the contract say: also the library's own events. */
function once(client: Client, event: string): Promise<unknown[]> {
  return new Promise((resolve) => void (client as Socket).once(event, (...args: unknown[]) => resolve(args)))
}

const isEnd = (entry: LogEntry): boolean => entry.type === 'turn:ended'

async function refusal(work: Promise<unknown>): Promise<string> {
  const outcome = await work.then(
    () => null,
    (error: unknown) => error as { data?: { code?: string } },
  )
  return outcome?.data?.code ?? 'let in'
}

suite('sockets: who may come in', ({ test }) => {
  test('a token, or a key; not nothing, nonsense, an expired token or another protocol', () =>
    world(async (w) => {
      const gateway = await w.gateway()
      assert.ok((await w.clientOf(gateway)).connected)
      assert.ok((await w.client(gateway, { apiKey: API_KEY })).connected)
      assert.is(await refusal(w.client(gateway, {})), 'UNAUTHENTICATED')
      assert.is(await refusal(w.client(gateway, { token: 'nonsense' })), 'UNAUTHENTICATED')
      assert.is(await refusal(w.client(gateway, { token: await w.token('ann', [], -3_600) })), 'UNAUTHENTICATED')
      assert.is(await refusal(w.client(gateway, { apiKey: `wag_${'x'.repeat(32)}` })), 'UNAUTHENTICATED')
      assert.is(await refusal(w.client(gateway, { token: 7 })), 'BAD_INPUT')
      assert.is(
        await refusal(w.client(gateway, { token: await w.token('ann', [], 600, 'unheard') })),
        'UNAUTHENTICATED',
      )
      assert.is(
        await refusal(w.client(gateway, { token: await w.token('ann', [], 600, 'disabled') })),
        'TENANT_DISABLED',
      )
      assert.is(await refusal(w.client(gateway, { token: await w.token(), protocol: 9 })), 'BAD_INPUT')
      assert.is(await gateway.metrics.value('waggle_sockets'), 2)
    }))

  test('whoever guesses is slowed down, and right credentials from there too, until it stops', () =>
    world(async (w) => {
      const gateway = await w.gateway()
      const codes = new Set<string>()
      for (let i = 0; i < 40; i++) codes.add(await refusal(w.client(gateway, { token: `guess-${i}` })))
      assert.equal([...codes], ['UNAUTHENTICATED', 'RATE_LIMITED'])
    }))

  test('a socket is sent away when its token has expired', () => {
    let ahead = 0
    // A clock that runs its timers a hundred times as fast, and whose hour a test may set.
    const clock: Clock = {
      ...systemClock,
      now: () => Date.now() + ahead,
      setTimeout: (fn, ms) => systemClock.setTimeout(fn, ms / 100),
    }
    return world(
      async (w) => {
        const gateway = await w.gateway()
        const brief = await w.client(gateway, { token: await w.token('ann', [], 60) })
        const long = await w.client(gateway, { token: await w.token('bob', [], 7_200) })
        ahead = 3_600_000
        const [reason] = await once(brief, 'disconnect')
        assert.is(reason, 'io server disconnect')
        assert.ok(long.connected)
        assert.is(await gateway.metrics.value('waggle_sockets_closed_total', { reason: 'session over' }), 1)
      },
      { clock },
    )
  })
})

suite('sockets: a conversation', ({ test }) => {
  test('is opened, talked in, and heard in the order of the log', () =>
    world(async (w) => {
      const client = await w.clientOf(await w.gateway())
      const heard = listen(client)
      const { conversationId, snapshot } = await good<Opened>(ask(client, 'conversation:open', {}))
      assert.is(snapshot!.conversationId, conversationId)
      const receipt = await good<SendReceipt>(ask(client, 'message:send', { conversationId, id: 'm1', text: 'hello' }))
      assert.is(receipt.status, 'accepted')
      await heard.until(isEnd)
      const lines = heard.all.map(({ cursor, type }) => `${cursor.split('.')[1]}:${type}`)
      const from = Number(snapshot!.cursor.split('.')[1])
      assert.equal(
        lines,
        (await w.truth(conversationId)).filter((line) => Number(line.split(':')[0]) > from),
      )
      assert.ok(heard.all.every(({ audience }) => audience === 'pub'))
      assert.ok(heard.all.every((entry) => entry.conversationId === conversationId))
    }))

  test('the same message again is the same; another one under its id is refused', () =>
    world(async (w) => {
      const client = await w.clientOf(await w.gateway())
      const { conversationId } = await good<Opened>(ask(client, 'conversation:open', {}))
      const message = { conversationId, id: 'm1', text: 'hello' }
      const first = await good<SendReceipt>(ask(client, 'message:send', message))
      const other = await w.clientOf(await w.gateway())
      assert.equal(await good<SendReceipt>(ask(other, 'message:send', message)), first)
      const refused = await ask(client, 'message:send', { ...message, text: 'something else' })
      assert.is(!refused.ok && refused.error.code, 'ID_REUSED')
      const received = (await w.truth(conversationId)).filter((line) => line.endsWith('message:received'))
      assert.is(received.length, 1)
    }))

  test('messages sent without waiting are stored in their order', () =>
    world(async (w) => {
      const client = await w.clientOf(await w.gateway())
      const heard = listen(client)
      const { conversationId } = await good<Opened>(ask(client, 'conversation:open', {}))
      const texts = Array.from({ length: 40 }, (_, index) => `number ${index}`)
      await Promise.all(
        texts.map((text, index) => good(ask(client, 'message:send', { conversationId, id: `m${index}`, text }))),
      )
      await heard.until(
        (entry) => entry.type === 'message:completed' && JSON.stringify(entry.payload).includes('number 39'),
      )
      const stored = heard.all
        .filter(({ type }) => type === 'message:received')
        .map(({ payload }) => (payload as { text: string }).text)
      assert.equal(stored, texts)
    }))

  test('a stop is heard while a turn is at work', () =>
    world(async (w) => {
      const client = await w.clientOf(await w.gateway())
      const heard = listen(client)
      const { conversationId } = await good<Opened>(ask(client, 'conversation:open', {}))
      const { turnId } = await good<SendReceipt>(
        ask(client, 'message:send', { conversationId, id: 'm1', text: 'wait for it' }),
      )
      assert.equal(await good(ask(client, 'run:stop', { conversationId, turnId })), {
        ok: true,
        turnId,
        status: 'stopping',
      })
      assert.is(((await heard.until(isEnd)).payload as { outcome: string }).outcome, 'stopped')
    }))

  test('opening it again on the same socket neither doubles nor loses anything', () =>
    world(async (w) => {
      const client = await w.clientOf(await w.gateway())
      const heard = listen(client)
      const { conversationId, snapshot } = await good<Opened>(ask(client, 'conversation:open', {}))
      const from = Number(snapshot!.cursor.split('.')[1])
      for (let i = 0; i < 60; i++) {
        await w.say(conversationId, 'run:progress', { n: i })
        if (i % 7 === 0) {
          const after = heard.all.at(-1)?.cursor ?? snapshot!.cursor
          // Twice at once: both are answered, one of them reads.
          await Promise.all([
            good(ask(client, 'conversation:open', { conversationId, after })),
            good(ask(client, 'conversation:open', { conversationId, after })),
          ])
        }
      }
      await w.say(conversationId, 'turn:ended', {})
      await heard.until(isEnd)
      const lines = heard.all.map(({ cursor, type }) => `${cursor.split('.')[1]}:${type}`)
      assert.equal(
        lines,
        (await w.truth(conversationId)).filter((line) => Number(line.split(':')[0]) > from),
      )
    }))

  test('after closing it nothing of it comes any more', () =>
    world(async (w) => {
      const client = await w.clientOf(await w.gateway())
      const heard = listen(client)
      const one = await good<Opened>(ask(client, 'conversation:open', {}))
      const two = await good<Opened>(ask(client, 'conversation:open', {}))
      await good(ask(client, 'conversation:close', { conversationId: one.conversationId }))
      const before = heard.all.length
      await w.say(one.conversationId, 'run:progress', {})
      await w.say(two.conversationId, 'turn:ended', {})
      await heard.until(isEnd)
      assert.ok(heard.all.slice(before).every(({ conversationId }) => conversationId === two.conversationId))
    }))
})

suite('sockets: what is not theirs', ({ test }) => {
  test('a stranger opens neither with a cursor nor without, sends nothing and stops nothing', () =>
    world(async (w) => {
      const gateway = await w.gateway()
      const ann = await w.clientOf(gateway, 'ann')
      const { conversationId, snapshot } = await good<Opened>(ask(ann, 'conversation:open', {}))
      const mallory = await w.clientOf(gateway, 'mallory')
      const heard = listen(mallory)
      for (const request of [
        { conversationId },
        { conversationId, after: snapshot!.cursor },
        { conversationId, after: 'x.1' },
      ]) {
        const answer = await ask(mallory, 'conversation:open', request)
        assert.is(!answer.ok && answer.error.code, 'FORBIDDEN')
      }
      const sent = await ask(mallory, 'message:send', { conversationId, id: 'm1', text: 'hello' })
      assert.is(!sent.ok && sent.error.code, 'FORBIDDEN')
      const stopped = await ask(mallory, 'run:stop', { conversationId })
      assert.is(!stopped.ok && stopped.error.code, 'FORBIDDEN')
      const unknown = await ask(mallory, 'conversation:open', { conversationId: 'nowhere' })
      assert.is(!unknown.ok && unknown.error.code, 'NOT_FOUND')
      await good(ask(ann, 'message:send', { conversationId, id: 'm1', text: 'hello' }))
      await good(ask(mallory, 'swarm:unwatch', {}))
      assert.equal(heard.all, [])
    }))

  test('another tenant is another world, even under the same name and id', () =>
    world(async (w) => {
      const gateway = await w.gateway()
      const ann = await w.clientOf(gateway, 'ann')
      const { conversationId, snapshot } = await good<Opened>(ask(ann, 'conversation:open', {}))
      w.owners.delete(conversationId)
      const other = await w.client(gateway, { token: await w.token('ann', ['operator'], 600, 'globex') })
      const answer = await ask(other, 'conversation:open', { conversationId, after: snapshot!.cursor })
      assert.is(!answer.ok && answer.error.code, 'NOT_FOUND')
    }))

  test("operators' events are for operators: neither asked for, nor watched, nor slipped in", () =>
    world(async (w) => {
      const gateway = await w.gateway()
      const ann = await w.clientOf(gateway, 'ann')
      const olga = await w.clientOf(gateway, 'olga', ['operator'])
      const annHears = listen(ann)
      const olgaHears = listen(olga)
      const { conversationId } = await good<Opened>(ask(ann, 'conversation:open', {}))
      const asked = await ask(ann, 'conversation:open', { conversationId, ops: true })
      assert.is(!asked.ok && asked.error.code, 'FORBIDDEN')
      const watched = await ask(ann, 'swarm:watch', {})
      assert.is(!watched.ok && watched.error.code, 'FORBIDDEN')
      await good(ask(ann, 'conversation:open', { conversationId }))
      await good(ask(olga, 'conversation:open', { conversationId, ops: true }))
      await w.say(conversationId, 'tool:called', {}, { audience: 'ops' })
      await w.say(conversationId, 'activation:opened', {}, { audience: 'sys', epoch: 2 })
      await w.say(conversationId, 'turn:ended', {}, { epoch: 1 }) // void now
      await w.say(conversationId, 'turn:ended', {}, { epoch: 2 })
      await Promise.all([annHears.until(isEnd), olgaHears.until(isEnd)])
      assert.ok(annHears.all.every(({ audience }) => audience === 'pub'))
      assert.equal(annHears.all.filter(isEnd).length, 1)
      assert.equal(
        olgaHears.all.slice(-2).map(({ type }) => type),
        ['tool:called', 'turn:ended'],
      )
    }))

  test('two who watch the swarm hear everything of it, each once', () =>
    world(async (w) => {
      const gateway = await w.gateway()
      const watchers = [await w.clientOf(gateway, 'olga', ['operator']), await w.clientOf(gateway, 'omar', ['admin'])]
      const heard = watchers.map((watcher) => listen(watcher, 'swarm'))
      for (const watcher of watchers) await good(ask(watcher, 'swarm:watch', {}))
      const ids = [await w.conversation('ann'), await w.conversation('bob')]
      for (let i = 0; i < 10; i++)
        await w.say(ids[i % 2]!, 'tool:called', { i }, { audience: i % 3 === 0 ? 'ops' : 'pub' })
      await w.say(ids[0]!, 'turn:ended', {})
      for (const { until } of heard) await until(isEnd)
      for (const { all } of heard) {
        assert.is(all.filter(({ type }) => type === 'tool:called').length, 10)
        assert.is(new Set(all.map(({ id }) => id)).size, all.length)
        assert.ok(ids.every((id) => all.some(({ conversationId }) => conversationId === id)))
      }
      await good(ask(watchers[0]!, 'swarm:unwatch', {}))
      await w.say(ids[1]!, 'turn:ended', { again: true })
      await heard[1]!.until((entry) => isEnd(entry) && 'again' in (entry.payload as object))
      assert.is(
        heard[0]!.all.some((entry) => isEnd(entry) && 'again' in (entry.payload as object)),
        false,
      )
    }))

  test('two who open the same conversation hear it once each, and so does whoever comes when one has gone', () =>
    world(async (w) => {
      const gateway = await w.gateway()
      const conversationId = await w.conversation('ann')
      const open = async (): Promise<{
        client: Client
        all: LogEntry[]
        until: ReturnType<typeof listen>['until']
      }> => {
        const client = await w.clientOf(gateway, 'ann')
        const heard = listen(client)
        await good(ask(client, 'conversation:open', { conversationId }))
        return { client, ...heard }
      }
      const first = await open()
      const second = await open()
      first.client.disconnect()
      const third = await open()
      for (let i = 0; i < 20; i++) await w.say(conversationId, 'run:progress', { i })
      await w.say(conversationId, 'turn:ended', {})
      for (const { until, all } of [second, third]) {
        await until(isEnd)
        assert.is(all.filter(({ type }) => type === 'run:progress').length, 20)
      }
    }))
})

suite('sockets: hostile and hasty clients', ({ test }) => {
  test('what does not fit its schema is refused by field, and harms nobody', () =>
    world(async (w) => {
      const client = await w.clientOf(await w.gateway())
      const { conversationId } = await good<Opened>(ask(client, 'conversation:open', {}))
      const bad: readonly unknown[] = [
        null,
        7,
        'text',
        [],
        {},
        { conversationId, id: 'm1' },
        { conversationId, id: 'm1', text: '' },
        { conversationId, id: 'm1', text: 'x'.repeat(16_001) },
        { conversationId, id: 'm.1', text: 'x' },
        { conversationId: '../other', id: 'm1', text: 'x' },
        { conversationId: { $gt: '' }, id: 'm1', text: 'x' },
        { conversationId, id: 'm1', text: ['x'] },
      ]
      for (const request of bad) {
        const answer = await ask(client, 'message:send', request as never)
        assert.is(!answer.ok && answer.error.code, 'BAD_INPUT', JSON.stringify(request))
      }
      const answer = await ask(client, 'message:send', { conversationId, id: 'm1' } as never)
      assert.match(JSON.stringify(answer), /"path":"text"/)
      const anything = client as Socket
      anything.emit('message:send', { conversationId, id: 'm2', text: 'no acknowledgement' })
      anything.emit('no:such', {}, () => {})
      assert.is(
        (await good<SendReceipt>(ask(client, 'message:send', { conversationId, id: 'm3', text: 'ok' }))).status,
        'accepted',
      )
    }))

  test('an event beyond the size limit ends the connection', () =>
    world(async (w) => {
      const client = await w.clientOf(await w.gateway())
      client.emit('message:send', { conversationId: 'c', id: 'm', text: 'x'.repeat(300_000) }, () => {})
      await once(client, 'disconnect')
    }))

  test('too many events are refused with the time to wait, unknown ones too; then it goes on', () =>
    world(
      async (w) => {
        const client = await w.clientOf(await w.gateway())
        for (let i = 0; i < 3; i++) (client as Socket).emit('no:such')
        const answers = await Promise.all(Array.from({ length: 6 }, () => ask(client, 'swarm:unwatch', {})))
        const refused = answers.filter((answer) => !answer.ok)
        assert.ok(refused.length >= 3, `${refused.length} refused`)
        const [first] = refused
        assert.is(!first!.ok && first!.error.code, 'RATE_LIMITED')
        const waitMs = !first!.ok && Number(first!.error.details['retryAfterMs'])
        assert.ok(waitMs > 0 && waitMs <= 1_000)
        await new Promise((resolve) => setTimeout(resolve, Number(waitMs) + 50))
        assert.ok((await ask(client, 'swarm:unwatch', {})).ok)
      },
      { env: { RATE_SOCKET_PER_SECOND: '2', RATE_SOCKET_BURST: '5' } },
    ))

  test('who never slows down is sent away', () =>
    world(
      async (w) => {
        const client = await w.clientOf(await w.gateway())
        for (let i = 0; i < 400; i++) client.emit('swarm:unwatch', {}, () => {})
        await once(client, 'disconnect')
      },
      { env: { RATE_SOCKET_PER_SECOND: '1', RATE_SOCKET_BURST: '2' } },
    ))

  test('the sockets of one principal share one rate', () =>
    world(
      async (w) => {
        const gateway = await w.gateway()
        const [one, two, other] = [
          await w.clientOf(gateway),
          await w.clientOf(gateway),
          await w.clientOf(gateway, 'bob'),
        ]
        for (let i = 0; i < 4; i++) await ask(one!, 'swarm:unwatch', {})
        const answer = await ask(two!, 'swarm:unwatch', {})
        assert.is(!answer.ok && answer.error.code, 'RATE_LIMITED')
        assert.ok((await ask(other!, 'swarm:unwatch', {})).ok)
      },
      { env: { RATE_PER_SECOND: '1', RATE_BURST: '4' } },
    ))

  test('one socket has a bounded number of conversations open', () =>
    world(async (w) => {
      const client = await w.clientOf(await w.gateway())
      for (let i = 0; i < MAX_OPEN; i++) await good(ask(client, 'conversation:open', {}))
      const answer = await ask(client, 'conversation:open', {})
      assert.is(!answer.ok && answer.error.code, 'OVERLOADED')
    }))
})

suite('sockets: coming and going', ({ test }) => {
  test('a gateway that leaves says so, ends its connections, and another goes on from the cursor', () =>
    world(async (w) => {
      const [one, two] = [await w.gateway(), await w.gateway()]
      const client = await w.clientOf(one)
      const heard = listen(client)
      const { conversationId, snapshot } = await good<Opened>(ask(client, 'conversation:open', {}))
      await w.say(conversationId, 'run:progress', { n: 1 })
      await heard.until(({ type }) => type === 'run:progress')
      const leaving = once(client, 'leaving')
      const gone = once(client, 'disconnect')
      await one.close()
      w.gateways.splice(0, 1)
      await leaving
      await gone
      await w.say(conversationId, 'run:progress', { n: 2 })
      const next = await w.clientOf(two)
      const nextHeard = listen(next)
      const after = heard.all.at(-1)!.cursor
      const opened = await good<Opened>(ask(next, 'conversation:open', { conversationId, after }))
      assert.is(opened.snapshot, null)
      await w.say(conversationId, 'turn:ended', {})
      await nextHeard.until(isEnd)
      const lines = [...heard.all, ...nextHeard.all].map(({ cursor, type }) => `${cursor.split('.')[1]}:${type}`)
      const from = Number(snapshot!.cursor.split('.')[1])
      assert.equal(
        lines,
        (await w.truth(conversationId)).filter((line) => Number(line.split(':')[0]) > from),
      )
    }))

  test('a disconnect stops nothing but the listening', () =>
    world(async (w) => {
      const gateway = await w.gateway()
      const client = await w.clientOf(gateway)
      const { conversationId } = await good<Opened>(ask(client, 'conversation:open', {}))
      await good(ask(client, 'message:send', { conversationId, id: 'm1', text: 'wait for it' }))
      client.disconnect()
      const again = await w.clientOf(gateway)
      const { snapshot } = await good<Opened>(ask(again, 'conversation:open', { conversationId }))
      assert.is(snapshot!.turns.length, 1, 'the turn is still at work')
      assert.is(await gateway.metrics.value('waggle_log_readers'), 1)
    }))

  test('a client that does not read is put aside, disturbs nobody, and has every fact in order when it reads again', () =>
    world(async (w) => {
      const gateway = await w.gateway()
      const conversationId = await w.conversation('ann')
      const slow = await w.clientOf(gateway, 'ann')
      const quick = await w.clientOf(gateway, 'ann')
      const slowHears = listen(slow)
      const quickHears = listen(quick)
      await good(ask(slow, 'conversation:open', { conversationId }))
      await good(ask(quick, 'conversation:open', { conversationId }))
      const raw = (slow.io.engine as unknown as { transport: { ws: { _socket: { pause(): void; resume(): void } } } })
        .transport.ws._socket
      raw.pause()
      const filler = 'x'.repeat(20_000)
      // Beyond what the kernel takes for it, and beyond its budget.
      for (let i = 0; i < 700; i++) await w.say(conversationId, 'run:progress', { i, filler })
      await w.say(conversationId, 'turn:ended', {})
      await quickHears.until(isEnd)
      assert.ok((await gateway.metrics.value('waggle_log_slow_readers_total', { action: 'put aside' })) > 0)
      raw.resume()
      await slowHears.until(isEnd)
      assert.equal(
        slowHears.all.map(({ id }) => id),
        quickHears.all.map(({ id }) => id),
      )
    }))
})
