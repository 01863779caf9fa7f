/**
 * A tool as a tenant's row describes it. What a model sees of it is id, description, parameters, examples and template;
 * where it goes and what is sent along never leaves this role.
 */
export interface ToolRow {
  readonly id: string
  readonly kind: 'http_get' | 'http_post' | 'builtin'
  /** JSON Schema of its arguments. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** A template: {name} is an argument, in path or query; scheme, host and port stand as they are. */
  readonly url: string
  /** Values may be templates as well. */
  readonly headers: Readonly<Record<string, string>>
  /** Nothing; the token of the user, injected (I14); or the tenant's secret named by `secretId`. */
  readonly auth: 'none' | 'user_token' | 'secret'
  readonly secretId: string | null
  readonly outputTemplate: string
  readonly timeoutMs: number
  readonly maxResultBytes: number
  readonly idempotent: boolean
  /** Takes our key in this header, so that a repetition is recognised there. */
  readonly keyHeader: string | null
  /** Its result comes from within and does not taint the turn. */
  readonly trusted: boolean
}

export interface ToolSource {
  /** Null: there is no such tool, or it is disabled. The same row for as long as it has not changed. */
  byName(tenant: string, name: string): Promise<ToolRow | null>
}

/** Opens a secret of a tenant; null when there is none of that name. */
export interface SecretSource {
  open(tenant: string, id: string): Promise<string | null>
}
