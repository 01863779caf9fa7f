import type { Client } from '#gateway/client/client.ts'

/** Says once that the connection is gone, and once that it is back, however often it was tried. Gives what stops it. */
export function noteConnection(client: Client, note: (line: string) => void): () => void {
  let gone = false
  return client.connection.subscribe(() => {
    const { status, recovered } = client.connection.getSnapshot()
    if (status === 'offline' && !gone) {
      gone = true
      note('the connection is gone; trying again')
    } else if (status === 'live' && gone) {
      gone = false
      const entries = recovered?.entries ?? 0
      note(entries === 0 ? 'caught up' : `caught up: ${entries} events`)
    }
  })
}
