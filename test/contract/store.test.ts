import { MemoryDatabase } from '#shared/actor/testkit/memory-store.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import { systemClock } from '#shared/lib/clock.ts'
import { servers } from '#test/integration/db-servers.ts'

import { storeContract } from './store.contract.ts'

storeContract('memory', () => {
  const store = new MemoryDatabase({ clock: systemClock }).connect('node')
  return Promise.resolve({ store, close: () => Promise.resolve() })
})

for (const server of servers) {
  storeContract(server.name, async () => {
    const opened = await server.open()
    return { store: createStore(opened.database), close: () => opened.close() }
  })
}
