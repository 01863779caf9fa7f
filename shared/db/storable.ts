/**
 * What PostgreSQL cannot hold, made harmless at the border: a text column takes no U+0000, and jsonb neither that nor half
 * of a surrogate pair. Both become U+FFFD, the replacement character. Columns of type json keep \u0000 as it is.
 */
export function storableText(text: string): string {
  return (text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text).toWellFormed()
}

/** JSON of a value for a jsonb column, names of members included. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value) ?? 'null'
  return json.includes('\\u') ? json.replaceAll(UNSTORABLE_ESCAPE, '$1\uFFFD') : json
}

/** As JSON.stringify writes them: \u0000, and a surrogate without its other half; not where the backslash is escaped. */
const UNSTORABLE_ESCAPE = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g
