/** People of a tenant at work on conversations of a test swarm: what they say, as the edge would say it for them. */
import type { ControlReceipt, ControlRequest } from '#shared/contracts/control.ts'
import type { SendReceipt, Snapshot } from '#shared/contracts/client.ts'
import type { EventPayload, EventType } from '#shared/contracts/event-map.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import type { SwarmEntry, TestSwarm } from './swarm.ts'

export interface Person {
  readonly control: (request: ControlRequest) => Promise<ControlReceipt>
  readonly reply: (text: string, clientId?: string) => Promise<{ messageId: string }>
  readonly note: (text: string, kind?: 'note' | 'whisper', clientId?: string) => Promise<{ noteId: string }>
  readonly send: (text: string, clientId?: string) => Promise<SendReceipt>
  readonly snapshot: (staff?: boolean) => Promise<Omit<Snapshot, 'cursor'>>
}

let ids = 0

export function person(swarm: TestSwarm, conversation: string, user: string, roles: readonly string[]): Person {
  const ref = swarm.reach(user, roles).ref(Supervisor, conversation)
  const next = (): string => `x${++ids}`
  return {
    control: async (request) => (await ref.confirm('control', request)) as ControlReceipt,
    reply: async (text, clientId = next()) => (await ref.confirm('reply', { clientId, text })) as { messageId: string },
    note: async (text, kind = 'note', clientId = next()) =>
      (await ref.confirm('note', { clientId, text, kind })) as { noteId: string },
    send: async (text, clientId = next()) =>
      (await ref.confirm('send', { clientId, text, agent: null, channel: 'test' })) as SendReceipt,
    snapshot: (staff = false) => ref.ask('snapshot', { staff }),
  }
}

export const TAKE = { action: 'take', expected: null, force: false, reason: '' } as const
export const RELEASE = { action: 'release', learned: '', reason: '' } as const

export function isA<Type extends EventType>(
  type: Type,
  fits: (payload: EventPayload<Type>) => boolean = () => true,
): (entry: SwarmEntry) => boolean {
  return ({ event }) => event.type === type && fits(event.payload as EventPayload<Type>)
}

export function all<Type extends EventType>(entries: readonly SwarmEntry[], type: Type): EventPayload<Type>[] {
  return entries.filter(({ event }) => event.type === type).map(({ event }) => event.payload as EventPayload<Type>)
}
