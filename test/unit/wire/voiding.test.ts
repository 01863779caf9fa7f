import fc from 'fast-check'

import { CONTROL_CHANGED } from '#shared/wire/event.ts'
import type { LogEvent } from '#shared/wire/event.ts'
import type { Audience } from '#shared/wire/subjects.ts'
import { Floors } from '#shared/wire/voiding.ts'
import { assert, suite } from '#test/kit/suite.ts'

interface Entry {
  readonly by: 'agent/1' | 'agent/2' | 'supervisor/1'
  readonly epoch: number
  readonly control: number
  readonly audience: Audience
  readonly changesControl: boolean
}

const ENTRY: fc.Arbitrary<Entry> = fc.record(
  {
    by: fc.constantFrom('agent/1', 'agent/2', 'supervisor/1'),
    epoch: fc.nat({ max: 4 }),
    control: fc.nat({ max: 4 }),
    audience: fc.constantFrom('pub', 'ops'),
    changesControl: fc.boolean(),
  },
  { noNullPrototype: true },
)
/** Any order at all: stale activations and stale voices speak between the rightful ones. */
const LOG = fc.array(ENTRY, { maxLength: 30 })

function event(entry: Entry): LogEvent {
  const { by, epoch, control, changesControl } = entry
  const type = changesControl ? CONTROL_CHANGED : 'message:sent'
  return { id: 'e', type, version: 1, by, epoch, control, at: 0, trace: '', payload: null }
}

function decisions(floors: Floors, log: readonly Entry[]): boolean[] {
  return log.map((entry) => floors.admit(event(entry), entry.audience))
}

/** The rule as it is written, by looking at all that came before. */
function counts(log: readonly Entry[], index: number): boolean {
  const entry = log[index]!
  const takenOver = (at: number): boolean =>
    log.slice(0, at).some((earlier) => earlier.by === log[at]!.by && earlier.epoch > log[at]!.epoch)
  if (takenOver(index)) return false
  if (entry.audience !== 'pub' || entry.control === 0) return true
  return !log
    .slice(0, index)
    .some((earlier, at) => earlier.changesControl && earlier.control > entry.control && !takenOver(at))
}

suite('voiding', ({ test }) => {
  test('decides by what came before in the log, and by nothing else', () => {
    fc.assert(
      fc.property(LOG, (log) => {
        assert.equal(
          decisions(new Floors(), log),
          log.map((_, index) => counts(log, index)),
        )
      }),
      { numRuns: 5000 },
    )
  })

  test('of one actor, epochs that count never step back', () => {
    fc.assert(
      fc.property(LOG, (log) => {
        const admitted = decisions(new Floors(), log)
        const highest = new Map<string, number>()
        for (const [index, { by, epoch }] of log.entries()) {
          if (!admitted[index]) continue
          assert.ok(epoch >= (highest.get(by) ?? 0))
          highest.set(by, epoch)
        }
      }),
    )
  })

  test('after a change of control nobody speaks to the customer under an older one', () => {
    fc.assert(
      fc.property(LOG, (log) => {
        const admitted = decisions(new Floors(), log)
        let control = 0
        for (const [index, entry] of log.entries()) {
          if (!admitted[index]) continue
          assert.ok(entry.audience !== 'pub' || entry.control === 0 || entry.control >= control)
          if (entry.changesControl) control = Math.max(control, entry.control)
        }
      }),
    )
  })

  test('two activations of one actor, interleaved anyhow: the old one counts until the new one speaks', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 30 }), (order) => {
        const log = order.map((fresh): Entry => {
          return { by: 'agent/1', epoch: fresh ? 2 : 1, control: 0, audience: 'pub', changesControl: false }
        })
        const first = order.indexOf(true)
        assert.equal(
          decisions(new Floors(), log),
          order.map((fresh, index) => fresh || first < 0 || index < first),
        )
      }),
    )
  })

  test('a reader that starts in the middle with the floors of its cursor decides the same', () => {
    fc.assert(
      fc.property(LOG, fc.nat(), (log, at) => {
        const cut = at % (log.length + 1)
        const whole = decisions(new Floors(), log)
        const late = new Floors()
        for (const [index, entry] of log.slice(0, cut).entries()) {
          late.raise(entry.by, entry.epoch)
          if (entry.changesControl && whole[index]) late.raise('control', entry.control)
        }
        assert.equal(decisions(late, log.slice(cut)), whole.slice(cut))
      }),
      { numRuns: 3000 },
    )
  })

  test('reading an entry twice in a row changes nothing', () => {
    fc.assert(
      fc.property(LOG, (log) => {
        const doubled = decisions(
          new Floors(),
          log.flatMap((entry) => [entry, entry]),
        )
        assert.equal(
          doubled.filter((_, index) => index % 2 === 0),
          decisions(new Floors(), log),
        )
      }),
    )
  })

  test('an activation that spoke out of turn has begun all the same', () => {
    const floors = new Floors()
    const say = (by: Entry['by'], epoch: number, control: number, changesControl = false): boolean =>
      floors.admit(event({ by, epoch, control, audience: 'pub', changesControl }), 'pub')
    assert.ok(say('supervisor/1', 1, 3, true))
    assert.ok(say('agent/1', 4, 3))
    assert.not(say('agent/1', 5, 2))
    assert.not(say('agent/1', 4, 3))
    assert.ok(say('agent/1', 5, 3))
  })

  test('a stale activation cannot hand the voice on', () => {
    const floors = new Floors()
    const say = (by: Entry['by'], epoch: number, control: number, changesControl = false): boolean =>
      floors.admit(event({ by, epoch, control, audience: 'pub', changesControl }), 'pub')
    assert.ok(say('supervisor/1', 2, 1, true))
    assert.not(say('supervisor/1', 1, 9, true))
    assert.ok(say('agent/1', 1, 1))
  })
})
