import type { ObjectBucket } from '#shared/transport/port.ts'
import type { ConversationAccess } from '#gateway/auth/conversation-access.ts'
import type { LogReader } from '#gateway/log/log-reader.ts'
import { OPERATIONS } from '#gateway/operations/operations.ts'
import { operationRoute } from './operation-route.ts'
import type { Route } from './route.ts'
import { agentRoutes } from './routes/agent-routes.ts'
import { conversationRoutes } from './routes/conversation-routes.ts'
import { documentRoutes } from './routes/document-routes.ts'
import { knowledgeRoutes } from './routes/knowledge-routes.ts'
import { letterRoutes } from './routes/letter-routes.ts'
import { runRoutes } from './routes/run-routes.ts'
import { uploadRoutes } from './routes/upload-routes.ts'

export interface RestRouteParts {
  readonly reader: LogReader
  readonly access: ConversationAccess
  readonly objects: ObjectBucket
}

/** Every operation but the event stream, which is no request and answer (event-streams.ts). */
export function restRoutes({ reader, access, objects }: RestRouteParts): readonly Route[] {
  return [
    ...conversationRoutes(),
    ...OPERATIONS.flatMap((operation) => operationRoute(operation, access) ?? []),
    ...runRoutes(),
    ...agentRoutes(reader),
    ...letterRoutes(),
    ...documentRoutes(objects),
    ...uploadRoutes(objects),
    ...knowledgeRoutes(),
  ]
}
