import { createStore } from '#shared/db/runtime/store.ts'
import { servers } from '#test/integration/db-servers.ts'

import { storeContract } from './store.contract.ts'

for (const server of servers) {
  storeContract(server.name, async () => {
    const opened = await server.open()
    return { store: createStore(opened.database), close: () => opened.close() }
  })
}
