import { createHash } from 'node:crypto'
import { z } from 'zod'
import { parse } from '#shared/actor/schema.ts'
import type { Reach } from '#shared/actor/ref.ts'
import {
  AssignRequest,
  AvailableRequest,
  ControlInput,
  NoteRequest,
  ReadRequest,
  ReplyRequest,
  TeamRequest,
} from '#shared/contracts/client-control.ts'
import { ControlReceipt, ControlRequest } from '#shared/contracts/control.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { Team, TeamQueue } from '#shared/contracts/team.ts'
import { operation } from './operation.ts'
import type { Operation } from './operation.ts'

/** How long a person waits for the confirmation of what they did. */
const CONFIRM_WITHIN = '8s'

const Assigned = z.object({ user: z.string().nullable(), team: z.string().nullable() })
const Nothing = z.object({})

/** What people of the tenant do in conversations: move the voice, answer, and say things beside it. */
export const CONTROL_OPERATIONS: readonly Operation[] = [
  operation({
    event: 'conversation:control',
    input: ControlInput,
    output: ControlReceipt,
    role: 'operator',
    ordered: true,
    rest: {
      method: 'POST',
      path: '/conversations/{conversationId}/control',
      id: 'controlConversation',
      tag: 'conversations',
      summary: 'Moves the voice: take, offer, accept, decline, release, supervise. CONTROL_TAKEN names who has it.',
    },
    run: async ({ reach }, input) => {
      const receipt = await reach
        .ref(Supervisor, input.conversationId)
        .confirm('control', controlRequest(input), { within: CONFIRM_WITHIN })
      return ControlReceipt.parse(receipt)
    },
  }),
  operation({
    event: 'message:reply',
    input: ReplyRequest,
    output: z.object({ messageId: z.string() }),
    role: 'operator',
    ordered: true,
    rest: {
      method: 'POST',
      path: '/conversations/{conversationId}/replies',
      id: 'replyToCustomer',
      tag: 'conversations',
      status: 201,
      summary: 'Answers the customer, for whoever has the voice. The same id again is harmless.',
    },
    run: async ({ reach }, { conversationId, id, text }) => {
      const command = commandId(reach, ['reply', conversationId, id, text])
      const receipt = await reach
        .ref(Supervisor, conversationId)
        .confirm('reply', { clientId: id, text }, { id: command, within: CONFIRM_WITHIN })
      return receipt as { messageId: string }
    },
  }),
  operation({
    event: 'note:add',
    input: NoteRequest,
    output: z.object({ noteId: z.string() }),
    role: 'operator',
    ordered: true,
    rest: {
      method: 'POST',
      path: '/conversations/{conversationId}/notes',
      id: 'addNote',
      tag: 'conversations',
      status: 201,
      summary: 'A note for colleagues, or a whisper to the agent; the customer sees neither.',
    },
    run: async ({ reach }, { conversationId, id, text, kind }) => {
      const command = commandId(reach, [kind, conversationId, id, text])
      const receipt = await reach
        .ref(Supervisor, conversationId)
        .confirm('note', { clientId: id, text, kind }, { id: command, within: CONFIRM_WITHIN })
      return receipt as { noteId: string }
    },
  }),
  operation({
    event: 'conversation:assign',
    input: AssignRequest,
    output: Assigned,
    role: 'operator',
    ordered: true,
    rest: {
      method: 'POST',
      path: '/conversations/{conversationId}/assignment',
      id: 'assignConversation',
      tag: 'conversations',
      summary: 'Gives the conversation to a person or a team to look after; `to: null` takes it back.',
    },
    run: async ({ reach }, { conversationId, to }) =>
      Assigned.parse(await reach.ref(Supervisor, conversationId).confirm('assign', { to }, { within: CONFIRM_WITHIN })),
  }),
  operation({
    event: 'conversation:read',
    input: ReadRequest,
    output: Nothing,
    rest: {
      method: 'POST',
      path: '/conversations/{conversationId}/read',
      id: 'markRead',
      tag: 'conversations',
      summary: 'Marks the conversation as read up to a message. A mark only moves forward.',
    },
    run: async ({ reach }, { conversationId, messageId }) => {
      await reach.ref(Supervisor, conversationId).confirm('read', { messageId }, { within: CONFIRM_WITHIN })
      return {}
    },
  }),
  operation({
    event: 'team:available',
    input: AvailableRequest,
    output: Nothing,
    role: 'operator',
    rest: {
      method: 'POST',
      path: '/teams/{team}/availability',
      id: 'setAvailability',
      tag: 'teams',
      summary: 'Says whether you can be asked for conversations of a team of yours.',
    },
    run: async ({ reach }, { team, available }) => {
      await reach.ref(Team, team).confirm('available', { available }, { within: CONFIRM_WITHIN })
      return {}
    },
  }),
  operation({
    event: 'team:queue',
    input: TeamRequest,
    output: TeamQueue,
    role: 'operator',
    rest: {
      method: 'GET',
      path: '/teams/{team}/queue',
      id: 'getTeamQueue',
      tag: 'teams',
      summary: 'What waits for a team, who is asked, and how much each member has.',
    },
    run: ({ reach }, { team }) => reach.ref(Team, team).ask('queue', {}),
  }),
]

/** The fields that an action has, checked; what may be left out has its default. */
export function controlRequest({
  conversationId: _conversation,
  ...given
}: z.infer<typeof ControlInput>): ControlRequest {
  const { expected = null, force = false, withinMs = null, skills = [], reason = '', learned = '', ...rest } = given
  return parse(ControlRequest, { expected, force, withinMs, skills, reason, learned, ...rest })
}

/** The same thing said again is the same command. */
function commandId({ principal: { tenant, user } }: Reach, parts: readonly string[]): string {
  return `p-${createHash('sha256')
    .update(JSON.stringify([tenant, user, ...parts]))
    .digest('hex')
    .slice(0, 40)}`
}
