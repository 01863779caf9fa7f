import type { z } from 'zod'
import type { Reach } from '#shared/actor/ref.ts'
import type { Principal } from '#shared/wire/envelope.ts'

/** One operation of the REST interface: the same row validates, routes and documents it. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below /api/v1, with `{name}` for path parameters. */
  readonly path: string
  readonly id: string
  readonly summary: string
  readonly tag: string
  readonly params?: z.ZodObject
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  /** It takes bytes: a form with one file, whose other fields are `body`, or the bytes alone. */
  readonly receives?: 'form' | 'bytes'
  readonly response: z.ZodType
  /** Status when it worked; 200 if absent. */
  readonly status?: number
  readonly handle: (call: Call) => Promise<unknown>
  /** The same as it comes, for whoever accepts server-sent events. */
  readonly stream?: (call: Call) => AsyncIterable<ServerSent>
}

export interface ServerSent {
  readonly event: string
  readonly data: unknown
}

/** What a request brings as bytes. It is to be read to its end before anything else is asked of it. */
export interface Received {
  /** Of a form: the file's name, and what the sender says it is. */
  readonly name: string
  readonly mime: string
  readonly content: AsyncIterable<Uint8Array>
  /** The other fields of a form, known once `content` is read. Throws BAD_INPUT where they do not fit. */
  readonly fields: () => unknown
}

export interface Call {
  readonly principal: Principal
  readonly reach: Reach
  readonly params: Readonly<Record<string, unknown>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
  /** Of a route that `receives`. */
  readonly received: Received | null
  readonly signal: AbortSignal
}

export type TypedCall<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> = Omit<
  Call,
  'params' | 'query' | 'body'
> & { readonly params: z.infer<P>; readonly query: z.infer<Q>; readonly body: z.infer<B> }

/** Gives a handler the types of its own schemas. */
export function route<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
  spec: Omit<Route, 'params' | 'query' | 'body' | 'handle' | 'stream'> & {
    readonly params?: P
    readonly query?: Q
    readonly body?: B
    readonly handle: (call: TypedCall<P, Q, B>) => Promise<unknown>
    readonly stream?: (call: TypedCall<P, Q, B>) => AsyncIterable<ServerSent>
  },
): Route {
  return spec as unknown as Route
}
