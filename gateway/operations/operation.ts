import type { z } from 'zod'
import type { Reach } from '#shared/actor/ref.ts'
import type { ClientToServer } from '#shared/contracts/client.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import type { ConversationAccess } from '#gateway/auth/conversation-access.ts'
import { requireRole } from '#gateway/auth/roles.ts'
import type { Role } from '#gateway/auth/roles.ts'

/**
 * Something a client may ask of the swarm. One row serves it as an event of Socket.IO and, where it has an address, as an
 * operation of the REST interface: the same schema, the same rights, the same answer.
 */
export interface Operation {
  readonly event: keyof ClientToServer
  readonly input: z.ZodObject
  readonly output: z.ZodObject
  /** Role it needs; without one, the conversation must be the principal's own (or the principal an operator). */
  readonly role?: Role
  /** Those of one conversation are done one after another, in the order of asking (I2). */
  readonly ordered?: boolean
  readonly rest?: Address
  readonly run: (call: OperationCall, input: never) => Promise<object>
}

export interface Address {
  readonly method: 'GET' | 'POST'
  /** Below /api/v1; `{name}` is a field of the input. The other fields are the body. */
  readonly path: string
  readonly id: string
  readonly tag: string
  readonly summary: string
  readonly status?: number
}

export interface OperationCall {
  readonly reach: Reach
  readonly principal: Principal
  /** Where the request came in: `web`, `rest`. */
  readonly channel: string
}

/** Gives a handler the types of its own schemas. */
export function operation<Input extends z.ZodObject, Output extends z.ZodObject>(
  spec: Omit<Operation, 'input' | 'output' | 'run'> & {
    readonly input: Input
    readonly output: Output
    readonly run: (call: OperationCall, input: z.infer<Input>) => Promise<z.infer<Output>>
  },
): Operation {
  return spec
}

/** Does it for whoever may: throws FORBIDDEN or NOT_FOUND before anything is asked of the swarm. */
export async function perform(
  operation: Operation,
  call: OperationCall,
  input: Readonly<Record<string, unknown>>,
  access: ConversationAccess,
): Promise<object> {
  if (operation.role !== undefined) requireRole(call.principal, operation.role)
  const conversationId = conversationOf(input)
  if (conversationId !== null) await access.require(call.principal, conversationId)
  return await operation.run(call, input as never)
}

export function conversationOf(input: Readonly<Record<string, unknown>>): string | null {
  const { conversationId } = input
  return typeof conversationId === 'string' ? conversationId : null
}
