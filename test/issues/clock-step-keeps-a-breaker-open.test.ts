import { BREAKER_FAILURES, BREAKER_OPEN_MS, BreakerBoard } from '#shared/models/breaker.ts'
import { assert, suite } from '#test/kit/suite.ts'

const HOURS_MS = 4 * 3_600_000

/** The order forced here: a provider fails while the wall clock is hours ahead; then the clock is set right. */
suite('a breaker that opened while the wall clock was ahead', ({ test }) => {
  test('lets a call through after its time all the same', () => {
    let wall = HOURS_MS
    let elapsed = 0
    const board = new BreakerBoard({ now: () => wall, elapsed: () => elapsed } as never)
    for (let failure = 0; failure < BREAKER_FAILURES; failure++) board.failed('openai/m')
    assert.is(board.state('openai/m'), 'open')
    wall = 0
    elapsed = BREAKER_OPEN_MS + 1
    assert.is(board.enter('openai/m'), 0)
  })
})
