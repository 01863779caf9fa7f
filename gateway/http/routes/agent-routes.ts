import { z } from 'zod'
import { AgentSummary, Directory } from '#shared/contracts/directory.ts'
import { ExecuteResult } from '#shared/contracts/client.ts'
import type { LogReader } from '#gateway/log/log-reader.ts'
import { executeAgent } from '../execute.ts'
import { Id, Text } from '../route-parts.ts'
import { route } from '../route.ts'
import type { Route } from '../route.ts'

/** Agents, and asking one of them one thing. */
export function agentRoutes(reader: LogReader): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/agents',
      id: 'listAgents',
      tag: 'agents',
      summary: 'The agents of the tenant, with their tools.',
      response: z.object({ agents: z.array(AgentSummary) }),
      handle: ({ reach }) => reach.pool(Directory, 'main').ask('agents', {}),
    }),
    route({
      method: 'POST',
      path: '/agents/{name}/execute',
      id: 'executeAgent',
      tag: 'agents',
      summary: 'Asks one agent one thing in a conversation of its own and waits for the end of the turn.',
      params: z.object({ name: z.string().min(1).max(60) }),
      body: z.object({
        text: Text,
        id: Id.optional(),
        conversationId: Id.optional(),
        withinMs: z.number().int().min(100).max(300_000).default(60_000),
      }),
      response: ExecuteResult,
      handle: ({ principal, reach, params, body, signal }) =>
        executeAgent({ reader, principal, reach, agent: params.name, signal, ...body }),
    }),
  ]
}
