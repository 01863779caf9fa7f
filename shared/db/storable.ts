/**
 * What PostgreSQL cannot hold, made harmless at the border: a text column takes no U+0000, and jsonb neither that nor half
 * of a surrogate pair. Both become U+FFFD, the replacement character. Columns of type json keep \u0000 as it is.
 */
export function storableText(text: string): string {
  return (text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text).toWellFormed()
}

/** JSON of a value for a jsonb column. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'string' ? storableText(item) : item)) ?? 'null'
}
