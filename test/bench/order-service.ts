/** What the tool of a measured turn calls; no part of the product. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface OrderService {
  /** `host:port`. */
  readonly host: string
  readonly stop: () => void
}

export async function startOrders(): Promise<OrderService> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ order: '1042', status: 'shipped', arrives: '2026-11-23', carrier: 'DHL' }))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
