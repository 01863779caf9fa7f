/**
 * What a log line must never hold: secrets by the name of their field, and by their look wherever they stand. Deep, but
 * bounded in depth and length, so that a log call can neither loop nor write a payload out.
 */
const SECRET_NAME =
  /(?:^|[_-])(?:authorization|cookie|pass(?:word|phrase)?|secret|credentials?|token|jwt|api[_-]?key|private[_-]?key|x-api-key)$|(?:token|secret|password|credential|apiKey|privateKey)$/i
const SECRET_LOOK =
  /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}|\bwag_[\w-]{8,}|\bs1\.[\w-]{24,}|\bsk-[\w-]{16,}|(?<=\b(?:Bearer|Basic)\s)[\w.~+/=-]{8,}|(?<=:\/\/[^\s:@/]{0,64}:)[^\s@/]+(?=@)/g
const REDACTED = '[redacted]'
const MAX_DEPTH = 6
const MAX_TEXT_CHARS = 4_000
const MAX_ITEMS = 50

export function redact(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return record(fields, 0)
}

export function redactText(text: string): string {
  const short = text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS)}… (${text.length} characters)` : text
  return short.replace(SECRET_LOOK, REDACTED)
}

function record(fields: object, depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    clean[name] = SECRET_NAME.test(name) && value !== null && value !== '' ? REDACTED : scrub(value, depth + 1)
  }
  return clean
}

function scrub(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'function' || typeof value === 'symbol') return undefined
  if (typeof value !== 'object') return value
  if (value === null) return null
  if (value instanceof Error) return describeError(value, depth)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (depth >= MAX_DEPTH) return '[deep]'
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => scrub(item, depth + 1))
  if (value instanceof Date) return value.toISOString()
  return record(value, depth)
}

function describeError(error: Error, depth: number): Record<string, unknown> {
  const more: Record<string, unknown> = {}
  for (const name of ['code', 'details'] as const) {
    const value: unknown = Reflect.get(error, name)
    if (value !== undefined) more[name] = depth >= MAX_DEPTH ? '[deep]' : scrub(value, depth + 1)
  }
  return {
    name: error.name,
    message: redactText(error.message),
    ...more,
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined || depth >= MAX_DEPTH ? {} : { cause: scrub(error.cause, depth + 1) }),
  }
}
