/**
 * Takes a secret that was sent out of what came back: services echo what they were given, in error pages above all. Also
 * in the forms in which it travels.
 */
export const REDACTED = '[redacted]'
const MIN_SECRET_CHARS = 6

export function redactSecrets(text: string, secrets: readonly string[]): string {
  let kept = text
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET_CHARS) continue
    const forms = [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64'),
      JSON.stringify(secret).slice(1, -1),
    ]
    for (const form of new Set(forms)) kept = kept.replaceAll(form, REDACTED)
  }
  return kept
}
