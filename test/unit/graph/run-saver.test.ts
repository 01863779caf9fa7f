import { emptyCheckpoint } from '@langchain/langgraph'
import type { CheckpointStore } from '#shared/graph/checkpoint-store.ts'
import { runSaver } from '#shared/graph/run-saver.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { Deferred } from '#shared/lib/deferred.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

const fence = { tenant: 'acme', kind: 'agent', partition: 1, epoch: 3 }
const config = { configurable: { thread_id: 't', checkpoint_ns: '' } }

/** A saver of a run whose words are stored, or not, as `said` comes to. */
function saverOf(said: () => Promise<void>): {
  readonly put: () => Promise<unknown>
  readonly durable: () => Promise<void>
  readonly written: readonly number[]
} {
  const written: number[] = []
  const store: CheckpointStore = {
    write: async (_, { checkpoints }) => void written.push(checkpoints.length),
    read: async () => null,
    list: async () => [],
    prune: async () => {},
  }
  const saver = runSaver(store, { fence, factsStored: said })
  const put = (): Promise<unknown> =>
    saver.checkpoints!.put(config, emptyCheckpoint(), { source: 'loop', step: 1, parents: {} }, {})
  return { put, durable: () => saver.durable(), written }
}

suite('the checkpoints of a run', ({ test }) => {
  test('are written after what the run has said', async () => {
    const said = new Deferred<void>()
    const { put, durable, written } = saverOf(() => said.promise)
    await put()
    const stored = durable()
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(written, [])
    said.resolve()
    await stored
    assert.equal(written, [1])
  })

  test('are not written when a word of it was lost: whoever goes on would not say it again', async () => {
    const { put, durable, written } = saverOf(() => Promise.reject(new WaggleError('LEAVING')))
    await put()
    assert.equal([await codeOf(durable()), await codeOf(put())], ['LEAVING', 'LEAVING'])
    assert.equal(written, [])
  })
})
