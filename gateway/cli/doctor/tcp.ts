import { createConnection, createServer } from 'node:net'

const CONNECT_TIMEOUT_MS = 2_000

/** Why nobody answers at this address; null when somebody does. */
export function tcpProblem(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: CONNECT_TIMEOUT_MS })
    const done = (problem: string | null): void => {
      socket.destroy()
      resolve(problem)
    }
    socket.once('connect', () => done(null))
    socket.once('timeout', () => done('no answer'))
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
  })
}

/** Whether this machine lets us listen there. */
export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
