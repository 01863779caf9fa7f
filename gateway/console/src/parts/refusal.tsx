import type { ClientError } from '#shared/contracts/client.ts'

/** Why something did not work, and what to do about it. */
export function Refusal({ error }: { readonly error: ClientError | null }) {
  if (error === null) return null
  return (
    <p className="field-error" role="alert">
      {refusalInWords(error)}
    </p>
  )
}

export function refusalInWords({ message, action, details }: ClientError): string {
  const { reason, fields } = details as { readonly reason?: unknown; readonly fields?: readonly { problem: string }[] }
  const why = [...(typeof reason === 'string' ? [reason] : []), ...(fields ?? []).map(({ problem }) => `${problem}.`)]
  return [message, ...why, action].filter((part) => part !== '').join(' ')
}
