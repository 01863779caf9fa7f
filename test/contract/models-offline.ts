import dns from 'node:dns'
import { Socket } from 'node:net'

/** Run as a process of its own: loads every model and uses one, and counts who was contacted meanwhile. */
let connections = 0
let lookUps = 0
Socket.prototype.connect = function connect() {
  connections += 1
  throw new Error('no network here')
} as typeof Socket.prototype.connect
dns.lookup = (() => {
  lookUps += 1
}) as unknown as typeof dns.lookup

const { createModel } = await import('#shared/models/port.ts')
const { ORDER_TOOL, answerable } = await import('./models-conversation.ts')
createModel({ provider: 'openai', model: 'gpt-4o-mini', tenant: 'acme', apiKey: 'k' })
const builtin = createModel({ provider: 'builtin', tenant: 'acme' })
const answer = await builtin.bindTools([ORDER_TOOL]).invoke(answerable())
await builtin.getNumTokens('Where is my order?')
// Nothing is left to be done then, in the background either.
process.once('beforeExit', () => {
  process.stdout.write(`${answer.text} ${connections} connections, ${lookUps} look-ups\n`)
})
