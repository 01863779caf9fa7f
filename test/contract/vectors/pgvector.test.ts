import { PgVectorStore } from '#shared/vectors/pgvector/pgvector-store.ts'
import { servers } from '#test/integration/db-servers.ts'

import { vectorStoreContract } from './vector-store.contract.ts'

for (const server of servers) {
  vectorStoreContract(`pgvector on ${server.name}, exact`, async () => {
    const opened = await server.open()
    return { store: new PgVectorStore(opened.database), close: () => opened.close() }
  })
  // From the eleventh point on every generation has an approximate index.
  vectorStoreContract(`pgvector on ${server.name}, approximate`, async () => {
    const opened = await server.open()
    return { store: new PgVectorStore(opened.database, { exactLimit: 10 }), close: () => opened.close() }
  })
}
