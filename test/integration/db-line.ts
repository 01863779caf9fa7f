/** A TCP line to a database that can be cut and mended: everything on it is reset, and nothing is accepted meanwhile. */
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

export interface Line {
  readonly url: string
  cut(): Promise<void>
  mend(): Promise<void>
  close(): Promise<void>
}

export async function openLine(target: string): Promise<Line> {
  const url = new URL(target)
  const { hostname, port: targetPort } = url
  const sockets = new Set<Socket>()
  let server: Server | null = null
  const listen = async (port: number): Promise<number> => {
    const next = createServer((near) => {
      const far = connect(Number(targetPort), hostname)
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(one)
        one.on('error', () => {})
        one.on('close', () => {
          sockets.delete(one)
          other.destroy()
        })
        one.pipe(other)
      }
    })
    server = next
    await new Promise<void>((resolve) => next.listen(port, '127.0.0.1', resolve))
    return (next.address() as AddressInfo).port
  }
  const cut = async (): Promise<void> => {
    const closing = server
    server = null
    const closed = new Promise<void>((resolve) => (closing === null ? resolve() : closing.close(() => resolve())))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  const port = await listen(0)
  url.host = `127.0.0.1:${port}`
  return {
    url: url.href,
    cut,
    async mend() {
      await listen(port)
    },
    close: cut,
  }
}
