import { deltaChannelHistoryTests, specTest } from '@langchain/langgraph-checkpoint-validation'

import { Checkpoints } from '#shared/db/checkpoints.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import { CheckpointSaver } from '#shared/graph/checkpoint-saver.ts'
import { newId } from '#shared/lib/ids.ts'
import { servers } from '#test/integration/db-servers.ts'
import type { OpenedDatabase } from '#test/integration/db-servers.ts'
import { suite } from '#test/kit/suite.ts'

import { collectSpec } from './checkpoint-spec.ts'

for (const server of servers) {
  suite(`checkpoint saver on ${server.name}, by the specification of LangGraph`, ({ test, before, after }) => {
    let opened: OpenedDatabase | undefined
    let epoch = 0
    before(async () => {
      opened = await server.open()
      epoch = await createStore(opened.database).claim('agent', 0, 'node')
    })
    const initializer = {
      checkpointerName: 'waggle',
      /** Of a tenant of its own: a list without a thread shows everything there is. */
      async createCheckpointer() {
        if (opened === undefined) throw new Error('the database is not open')
        return new CheckpointSaver({
          checkpoints: new Checkpoints(opened.database),
          fence: { tenant: newId(), kind: 'agent', partition: 0, epoch },
        })
      },
    }
    const spec = collectSpec(() => {
      specTest(initializer)
      deltaChannelHistoryTests(initializer)
    })
    for (const each of spec.tests) test(each.name, () => each.run())
    after(async () => {
      await spec.leave()
      await opened?.close()
    })
  })
}
