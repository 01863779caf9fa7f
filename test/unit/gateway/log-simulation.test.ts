import type { LogReader } from '#gateway/log/log-reader.ts'
import type { Address } from '#shared/wire/envelope.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { LogClient } from './log-client.ts'
import { LogWorld } from './log-world.ts'

const SEEDS = Number(process.env['WAGGLE_SEEDS'] ?? 20)
const STEPS = 220
const SCOPES = ['c1', 'c2', 'Ünïcode 3']

/**
 * What goes wrong beside slow links, slow clients and a keeper that is away:
 * - `cuts`: gateways lose the broker and find it again
 * - `loss of pub`: single live messages of that audience vanish without a sign
 * - `loss of all`: of any audience
 * - `move`: the tenant gets a log of its own, which gateways hear of late, and single live messages are lost
 *
 * Numbers are a chain within one audience, so that a lost entry of another is noticed late. Cursors say how far each had
 * come, so everybody may leave at any moment nevertheless.
 */
type Trouble = 'cuts' | 'loss of pub' | 'loss of all' | 'move'

/**
 * Three conversations whose actors are taken over, go on talking under old epochs and hand the voice on; clients that
 * come and go at random moments between two gateways. In the end everybody must hold exactly what counts, in order.
 */
async function simulate(seed: number, trouble: Trouble): Promise<void> {
  const w = await new LogWorld(seed).open()
  const { random } = w
  const chance = (rate: number): boolean => random() < rate
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  let lossRate = 0
  w.drop = (_gateway, subject) =>
    (trouble === 'loss of all' || trouble === 'move' || subject.endsWith('.pub')) && chance(lossRate)
  w.pendingRate = 0.3
  const gateways: LogReader[] = [await w.gateway('g1'), await w.gateway('g2')]
  const clients = SCOPES.flatMap((scope) => [
    new LogClient(w, scope),
    new LogClient(w, scope, true),
    new LogClient(w, scope),
  ])
  const epochs = new Map<string, number>()
  const controls = new Map<string, number>()
  const cutOff = new Set<string>()

  const speak = async (): Promise<void> => {
    const scope = pick(SCOPES)
    const by: Address = `${pick(['supervisor', 'agent', 'run'])}/${SCOPES.indexOf(scope)}`
    const epoch = epochs.get(by) ?? 1
    const control = controls.get(scope) ?? 1
    const stale = chance(0.15)
    const turn = random()
    if (turn < 0.06) {
      epochs.set(by, epoch + 1)
      await w.say({ scope, by, epoch: epoch + 1, audience: 'sys', type: 'activation:opened' })
    } else if (turn < 0.12) {
      controls.set(scope, control + 1)
      await w.say({
        scope,
        by: `supervisor/${SCOPES.indexOf(scope)}`,
        epoch: epochs.get(`supervisor/${SCOPES.indexOf(scope)}`) ?? 1,
        control: control + 1,
        type: 'control:changed',
      })
    } else {
      await w.say({
        scope,
        by,
        epoch: stale ? Math.max(1, epoch - 1) : epoch,
        control: chance(0.3) ? 0 : chance(0.15) ? Math.max(1, control - 1) : control,
        audience: pick(['pub', 'pub', 'pub', 'ops', 'ops', 'sys']),
        type: pick(['text:delta', 'turn:started', 'run:progress']),
      })
    }
  }

  const connecting = new Set<LogClient>()
  const movesAt = trouble === 'move' ? Math.floor(random() * STEPS) : -1
  for (let step = 0; step < STEPS; step++) {
    if (step === movesAt) {
      const { tell } = await w.move()
      w.clock.setTimeout(tell, Math.round(random() * 3_000))
    }
    const client = pick(clients)
    if (chance(0.5)) for (let burst = Math.ceil(random() * 8); burst > 0; burst--) await speak()
    if (chance(0.15) && client.connected) client.disconnect()
    else if (chance(0.4) && !client.connected && !connecting.has(client)) {
      connecting.add(client)
      client
        .connect(pick(gateways))
        .catch(() => undefined) // a gateway that is cut off says so; the client comes again
        .finally(() => connecting.delete(client))
    }
    if (chance(0.05)) w.broker.faults.latencyMaxMs = random() < 0.5 ? 0 : Math.ceil(random() * 30)
    if (chance(0.05) && trouble !== 'cuts') lossRate = random() < 0.5 ? 0 : random() * 0.5
    if (chance(0.03) && trouble === 'cuts') {
      const gateway = pick(['g1', 'g2'])
      if (cutOff.delete(gateway)) w.broker.heal(gateway)
      else {
        cutOff.add(gateway)
        w.broker.partition(gateway)
      }
    }
    if (chance(0.03)) client.full = !client.full
    if (chance(0.04)) w.keeperDown = !w.keeperDown
    await w.clock.advance(chance(0.1) ? random() * 3_000 : random() * 20)
  }

  lossRate = 0
  w.keeperDown = false
  w.broker.faults.latencyMaxMs = 0
  for (const gateway of cutOff) w.broker.heal(gateway)
  for (const client of clients) client.full = false
  await w.clock.advance(120_000)
  for (const client of clients) if (!client.connected) await w.clock.settle(client.connect(pick(gateways)))
  await w.clock.advance(5_000)
  for (let i = 0; i < 10; i++) await speak()
  await w.clock.advance(5_000)

  try {
    for (const client of clients) client.check()
    for (const client of clients) client.disconnect()
    await w.clock.advance(10_000)
    assert.is(w.clock.armed, 0, 'no timer is left')
  } finally {
    w.close()
  }
}

suite('reading the log: simulation', ({ test }) => {
  for (const trouble of ['cuts', 'loss of pub', 'loss of all', 'move'] as const) {
    for (let seed = 1; seed <= SEEDS; seed++) {
      test(`${trouble}, seed ${seed}: exact, in order, nothing twice`, () => simulate(seed, trouble), {
        deadlineMs: 60_000,
      })
    }
  }
})
