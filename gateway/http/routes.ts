import type { ConversationAccess } from '#gateway/auth/conversation-access.ts'
import type { LogReader } from '#gateway/log/log-reader.ts'
import { OPERATIONS } from '#gateway/operations/operations.ts'
import { operationRoute } from './operation-route.ts'
import type { Route } from './route.ts'
import { agentRoutes } from './routes/agent-routes.ts'
import { conversationRoutes } from './routes/conversation-routes.ts'
import { letterRoutes } from './routes/letter-routes.ts'
import { runRoutes } from './routes/run-routes.ts'

/** Every operation but the event stream, which is no request and answer (event-streams.ts). */
export function restRoutes(reader: LogReader, access: ConversationAccess): readonly Route[] {
  return [
    ...conversationRoutes(),
    ...OPERATIONS.flatMap((operation) => operationRoute(operation, access) ?? []),
    ...runRoutes(),
    ...agentRoutes(reader),
    ...letterRoutes(),
  ]
}
