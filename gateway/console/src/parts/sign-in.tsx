import type { FormEvent } from 'react'
import type { ClientError } from '#shared/contracts/client.ts'
import { beginSession, endSession } from '../session-store.ts'
import { Mark } from './mark.tsx'

/** Asked for only when the address brings no token, or the gateway refused the one we had. */
export function SignIn({ error }: { readonly error: ClientError | null }) {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const token = new FormData(event.currentTarget).get('token')
    if (typeof token === 'string' && token.trim() !== '') beginSession(token.trim())
  }
  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <Mark size={52} />
        <h1>Waggle</h1>
        <p>
          Paste a token or an API key. <code>npm start</code> prints one for the demo tenant, and a link that brings it
          along.
        </p>
        <label htmlFor="token">Token or API key</label>
        <input
          id="token"
          name="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          autoFocus
          required
          aria-invalid={error !== null}
          aria-describedby={error === null ? undefined : 'token-error'}
        />
        {error === null ? null : (
          <p id="token-error" className="field-error" role="alert">
            {error.message} {error.action}
          </p>
        )}
        <button type="submit" className="button primary">
          Open the console
        </button>
        {error === null ? null : (
          <button type="button" className="button quiet" onClick={endSession}>
            Forget the token
          </button>
        )}
      </form>
    </main>
  )
}
