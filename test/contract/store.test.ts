import { MemoryDatabase } from '#shared/actor/testkit/memory-store.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import { systemClock } from '#shared/lib/clock.ts'
import { servers } from '#test/integration/db-servers.ts'

import { storeContract } from './store.contract.ts'
import type { OpenedStore } from './store.contract.ts'
import { storeLogsContract } from './store-logs.contract.ts'

function contracts(adapter: string, open: () => Promise<OpenedStore>): void {
  storeContract(adapter, open)
  storeLogsContract(adapter, open)
}

contracts('memory', () => {
  const store = new MemoryDatabase({ clock: systemClock }).connect('node')
  return Promise.resolve({ store, close: () => Promise.resolve() })
})

for (const server of servers) {
  contracts(server.name, async () => {
    const opened = await server.open()
    return { store: createStore(opened.database), close: () => opened.close() }
  })
}
