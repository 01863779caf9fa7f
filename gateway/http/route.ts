import type { z } from 'zod'
import type { Reach } from '#shared/actor/ref.ts'
import type { Principal } from '#shared/wire/envelope.ts'

/** One operation of the REST interface: the same row validates, routes and documents it. */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** Below /api/v1, with `{name}` for path parameters. */
  readonly path: string
  readonly id: string
  readonly summary: string
  readonly tag: string
  readonly params?: z.ZodObject
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  readonly response: z.ZodType
  /** Status when it worked; 200 if absent. */
  readonly status?: number
  readonly handle: (call: Call) => Promise<unknown>
}

export interface Call {
  readonly principal: Principal
  readonly reach: Reach
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
  readonly signal: AbortSignal
}

/** Gives a handler the types of its own schemas. */
export function route<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
  spec: Omit<Route, 'params' | 'query' | 'body' | 'handle'> & {
    readonly params?: P
    readonly query?: Q
    readonly body?: B
    readonly handle: (
      call: Omit<Call, 'params' | 'query' | 'body'> & {
        readonly params: z.infer<P>
        readonly query: z.infer<Q>
        readonly body: z.infer<B>
      },
    ) => Promise<unknown>
  },
): Route {
  return spec as unknown as Route
}
