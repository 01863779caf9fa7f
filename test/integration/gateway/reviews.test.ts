/** Review items from the edge to the desk and back: real services, a real gateway, over REST and by the client. */
import { generateKeyPairSync } from 'node:crypto'
import { createClient } from '#gateway/client/client.ts'
import { RequestFailed } from '#gateway/client/request-failed.ts'
import { openReviews } from '#gateway/client/fold-reviews.ts'
import { signToken } from '#gateway/auth/tokens.ts'
import { startGateway } from '#gateway/main.ts'
import { directoryOf } from '#services/directory/directory.actor.ts'
import { ActorSystem } from '#shared/actor/system.ts'
import { readConfig } from '#shared/config/config.ts'
import { FeedbackList, ReviewAnswer, ReviewList } from '#shared/contracts/review-requests.ts'
import { silentLogger } from '#shared/lib/logger.ts'
import { connectNats } from '#shared/nats/connect-nats.ts'
import { Metrics } from '#shared/telemetry/metrics.ts'
import { until } from '#test/unit/client/until.ts'
import { ended, parkedItems, send } from '#test/kit/reviews.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'

suite('review items at the edge', ({ test }) => {
  test('are listed, shown, followed and decided over REST and sockets, by operators only', async () => {
    const keys = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    const config = readConfig({
      PORT: '0',
      JWT_PUBLIC_KEY: keys.publicKey,
      WAGGLE_SECRET: 'a secret of more than sixteen characters',
    })
    const { issuer, audience, tenantClaim } = config.auth
    const token = (user: string, roles: readonly string[]): Promise<string> =>
      signToken(keys.privateKey, { tenant: TENANT, user, roles }, { issuer, audience, tenantClaim, lifetimeS: 600 })
    const swarm = await startSwarm({
      script: (messages) =>
        messages.at(-1)?.getType() === 'tool'
          ? { steps: [{ say: ['Done.'] }] }
          : { steps: [{ call: [{ name: 'lookup', args: { id: '1042' } }] }] },
      toolRow: { needsApproval: true },
    })
    const transport = await connectNats({ url: swarm.nats.url, name: 'edge', onError: () => {} })
    const system = new ActorSystem({ transport, node: 'edge', streams: { memory: true } })
    await system.start()
    const transport2 = await connectNats({ url: swarm.nats.url, name: 'directory', onError: () => {} })
    const directory = new ActorSystem({ transport: transport2, node: 'directory', streams: { memory: true } })
    directory.host(directoryOf(swarm.database, async () => {}))
    await directory.start()
    const gateway = await startGateway({
      config,
      role: 'gateway',
      log: silentLogger,
      metrics: new Metrics('gateway'),
      transport,
      system,
    })
    const olga = createClient({ url: gateway.url, token: await token('olga', ['operator']) })
    const ada = createClient({ url: gateway.url, token: await token('ada', ['customer']) })
    const rest = async (path: string, user: string, roles: readonly string[], body?: unknown): Promise<Response> =>
      await fetch(new URL(`/api/v1/${path}`, gateway.url), {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${await token(user, roles)}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    const OPERATOR = ['operator']
    try {
      const code = async (promise: Promise<unknown>): Promise<string> =>
        await promise.then(
          () => 'none',
          (error: unknown) => (error instanceof RequestFailed ? error.error.code : String(error)),
        )
      await send(swarm, 'c1', 'Look')
      await parkedItems(swarm, 'c1')
      await until(olga.connection, ({ status }) => status === 'live')
      await until(ada.connection, ({ status }) => status === 'live')
      const conversation = olga.conversation('c1', { ops: true })
      // Opened after it was parked: it comes with the snapshot.
      await until(conversation, ({ state }) => openReviews(state.reviews).length === 1)

      const listed = await olga.reviews.list({ state: 'open' })
      assert.equal(
        listed.reviews.map(({ tool, conversationId }) => [tool, conversationId]),
        [['lookup', 'c1']],
      )
      assert.equal((await olga.reviews.list({ state: 'open', team: 'nobody' })).reviews, [])
      const [item] = listed.reviews
      assert.is(await code(ada.reviews.list()), 'FORBIDDEN')
      assert.is(await code(ada.reviews.decide(item!, { action: 'approve' })), 'FORBIDDEN')
      assert.is((await rest('reviews', 'ada', [])).status, 403)
      const page = ReviewList.parse(await (await rest('reviews?state=open&limit=5', 'otto', OPERATOR)).json())
      assert.equal(page.reviews, listed.reviews)
      const shown = ReviewAnswer.parse(await (await rest(`reviews/${item!.id}`, 'otto', OPERATOR)).json())
      assert.equal(shown.item, item)

      await olga.reviews.claim(item!)
      const path = `conversations/c1/reviews/${item!.id}/decision`
      const { nonce, argsHash } = item!
      const decision = { action: 'reject', reason: 'no' }
      const claimed = await rest(path, 'otto', OPERATOR, { nonce, argsHash, decision })
      assert.equal(
        [claimed.status, ((await claimed.json()) as { error: { code: string } }).error.code],
        [409, 'REVIEW_CLAIMED'],
      )
      const kept = { action: 'edit', args: { id: '7' }, reason: '', curate: true } as const
      assert.is(await code(olga.reviews.decide(item!, kept)), 'BAD_INPUT', 'it is no answer to a customer')
      const overRest = await rest(path, 'olga', OPERATOR, { nonce, argsHash, decision: kept })
      assert.match(JSON.stringify(await overRest.json()), /decision\/curate/)
      const edited = await olga.reviews.decide(item!, { action: 'edit', args: { id: '7' }, reason: 'another' })
      assert.equal([edited.state, edited.decision!.by], ['edited', 'olga'])
      await until(conversation, ({ state }) => state.reviews[0]?.state === 'edited')
      const late = await rest(path, 'otto', OPERATOR, { nonce, argsHash, decision })
      const { error } = (await late.json()) as { error: { code: string; details: Record<string, unknown> } }
      assert.equal([late.status, error.code, error.details['by']], [409, 'REVIEW_DECIDED', 'olga'])
      await ended(swarm, 'c1')
      const feedback = FeedbackList.parse(await (await rest('feedback?label=edited', 'otto', OPERATOR)).json())
      assert.equal(
        feedback.feedback.map(({ decided, reason }) => [decided, reason]),
        [[{ id: '7' }, 'another']],
      )
    } finally {
      olga.close()
      ada.close()
      await gateway.close()
      await system.stop()
      await directory.stop()
      await transport.close()
      await transport2.close()
      await swarm.close()
    }
  })
})
