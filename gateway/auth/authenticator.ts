import { createHash } from 'node:crypto'
import { PLATFORM } from '#shared/actor/core.ts'
import type { ActorSystem } from '#shared/actor/system.ts'
import { Directory } from '#shared/contracts/directory.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { FreshCache } from '#shared/lib/fresh-cache.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import { tokenVerifier } from './tokens.ts'
import type { TokenOptions } from './tokens.ts'

/** What a caller shows: a token, or an API key. */
export interface Shown {
  readonly token?: string | undefined
  readonly apiKey?: string | undefined
}

export interface Authenticator {
  /** Throws UNAUTHENTICATED, TENANT_DISABLED, or UNREACHABLE when nobody can tell. */
  principal(shown: Shown): Promise<Principal>
}

/** A revoked key is refused at the latest after this. */
const KEY_FRESH_MS = 30_000
const KEYS_KEPT = 5_000
const KEY_FORM = /^wag_[A-Za-z0-9_-]{16,200}$/

/** Tokens are checked here; keys by the directory, which is told their hash only. */
export async function openAuthenticator(
  system: Pick<ActorSystem, 'reach'>,
  options: TokenOptions,
): Promise<Authenticator> {
  const verify = await tokenVerifier(options)
  const keys = new FreshCache<Principal>({
    ttlMs: KEY_FRESH_MS,
    capacity: KEYS_KEPT,
    load: async (hash) => {
      const owner = await system.reach(PLATFORM).pool(Directory, 'main').ask('apiKey', { hash })
      return { ...owner, credential: '' }
    },
  })
  return {
    async principal({ token, apiKey }) {
      if (token !== undefined && token !== '') return await verify(token)
      if (apiKey === undefined || !KEY_FORM.test(apiKey))
        throw new WaggleError('UNAUTHENTICATED', {}, { expected: true })
      return await keys.get(createHash('sha256').update(apiKey).digest('hex'))
    },
  }
}
