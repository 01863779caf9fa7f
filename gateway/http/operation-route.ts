import type { ConversationAccess } from '#gateway/auth/conversation-access.ts'
import { perform } from '#gateway/operations/operation.ts'
import type { Operation } from '#gateway/operations/operation.ts'
import { CHANNEL } from './route-parts.ts'
import type { Route } from './route.ts'

/** The address of an operation; null where it has none. Fields named in the path come from there, the rest is the body. */
export function operationRoute(operation: Operation, access: ConversationAccess): Route | null {
  const { rest, input, output } = operation
  if (rest === undefined) return null
  const inPath = Object.fromEntries([...rest.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name!, true as const]))
  const body = input.omit(inPath as never)
  const hasBody = rest.method === 'POST'
  return {
    ...rest,
    params: input.pick(inPath as never),
    ...(hasBody ? { body } : { query: body }),
    response: output,
    handle: async ({ principal, reach, params, query, body: given }) =>
      await perform(
        operation,
        { principal, reach, channel: CHANNEL },
        { ...(hasBody ? (given as object) : query), ...params },
        access,
      ),
  }
}
