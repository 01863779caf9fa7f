import { GatewayWorld } from '#test/integration/gateway/gateway-world.ts'
import { assert, suite } from '#test/kit/suite.ts'

const CLIENTS = 60
const STEP_MS = 50
const EACH = 10

/** All clients of a leaving gateway were sent away in the same millisecond, and came to the others a fraction of a second later. */
suite('a gateway that leaves', ({ test }) => {
  test('sends its clients away a few at a time, and takes no new ones meanwhile', async () => {
    const world = await GatewayWorld.open()
    const gateway = await world.gateway()
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => world.clientOf(gateway)))
    const heard: number[] = []
    const first = Promise.withResolvers<void>()
    for (const client of clients)
      client.on('leaving', () => {
        heard.push(performance.now())
        first.resolve()
        client.disconnect()
      })
    const closed = gateway.close()
    await first.promise
    const late = await world.clientOf(gateway).then(
      () => 'let in',
      (error: Error & { data?: { code: string } }) => error.data?.code,
    )
    await closed
    assert.is(late, 'OVERLOADED')
    assert.is(heard.length, CLIENTS)
    const spread = Math.max(...heard) - Math.min(...heard)
    assert.ok(spread >= (CLIENTS / EACH - 1) * STEP_MS * 0.8, `all left within ${spread} ms`)
    world.gateways.length = 0
    await world.close()
  })
})
