import { z } from 'zod'
import { contract, tell } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { assert, suite } from '#test/kit/suite.ts'

const Box = contract('box', { put: tell(z.object({})) })

/** The order forced here: a command was given up; its sender, who has not heard it, sends it again under its id. */
suite('a command that became a dead letter', ({ test }) => {
  test('is one dead letter though it is sent again, and its sender hears the same', async () => {
    const kit = testSystem({ limits: { attempts: 2 } })
    const box = actor(Box, {
      state: { version: 1, initial: () => null },
      on: {
        put: () => {
          throw new Error('cannot')
        },
      },
    })
    await kit.node('a', box)
    const ref = kit.reach().ref(Box, 'b')
    const codes: string[] = []
    for (let times = 0; times < 2; times++) {
      await kit.clock
        .settle(ref.confirm('put', {}, { id: 'same' }))
        .catch((error: unknown) => codes.push(coded(error).code))
    }
    assert.equal([codes, kit.database.letters.size], [['GAVE_UP', 'GAVE_UP'], 1])
    await kit.close()
  })
})
