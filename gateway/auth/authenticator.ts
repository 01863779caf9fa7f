import { createHash } from 'node:crypto'
import { PLATFORM } from '#shared/actor/core.ts'
import type { ActorSystem } from '#shared/actor/system.ts'
import { Directory } from '#shared/contracts/directory.ts'
import { WaggleError, refuse } from '#shared/errors/waggle-error.ts'
import { FreshCache } from '#shared/lib/fresh-cache.ts'
import { systemClock } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import { tokenVerifier } from './tokens.ts'
import type { TokenOptions } from './tokens.ts'

/** What a caller shows: a token, or an API key. */
export interface Shown {
  readonly token?: string | undefined
  readonly apiKey?: string | undefined
}

/** Who it is, for as long as that holds. */
export interface Session {
  readonly principal: Principal
  /** True while the token has not expired and the key was not revoked; asked again by long-lived connections. */
  holds(): Promise<boolean>
}

export interface Authenticator {
  /** Throws UNAUTHENTICATED, TENANT_DISABLED, or UNREACHABLE when nobody can tell. */
  session(shown: Shown): Promise<Session>
  principal(shown: Shown): Promise<Principal>
}

/** A revoked key, a disabled tenant: refused at the latest after this. */
const KEY_FRESH_MS = 30_000
const KEYS_KEPT = 5_000
const TENANTS_KEPT = 5_000
const KEY_FORM = /^wag_[A-Za-z0-9_-]{16,200}$/

/**
 * Tokens are checked here; keys by the directory, which is told their hash only. Whatever is wrong with either, the
 * answer is the same UNAUTHENTICATED. That a key is unknown is remembered too, so that guessing costs the directory
 * nothing.
 */
export async function openAuthenticator(
  system: Pick<ActorSystem, 'reach'>,
  options: TokenOptions,
  clock: Clock = systemClock,
): Promise<Authenticator> {
  const verify = await tokenVerifier(options)
  const keys = new FreshCache<Principal | null>({
    ttlMs: KEY_FRESH_MS,
    capacity: KEYS_KEPT,
    clock,
    load: async (hash) => {
      try {
        const owner = await system.reach(PLATFORM).pool(Directory, 'main').ask('apiKey', { hash })
        return { ...owner, credential: '' }
      } catch (error) {
        if (error instanceof WaggleError && error.code === 'UNAUTHENTICATED') return null
        throw error
      }
    },
  })
  const tenants = new FreshCache<'active' | 'disabled' | 'unknown'>({
    ttlMs: KEY_FRESH_MS,
    capacity: TENANTS_KEPT,
    clock,
    load: async (tenant) =>
      (
        await system
          .reach({ ...PLATFORM, tenant })
          .pool(Directory, 'main')
          .ask('tenant', {})
      ).state,
  })
  const authenticator: Authenticator = {
    principal: async (shown) => (await authenticator.session(shown)).principal,
    async session({ token, apiKey }) {
      if (token !== undefined && token !== '') {
        const { principal, expiresAt } = await verify(token)
        const state = await tenants.get(principal.tenant)
        // An issuer may sign for more tenants than there are here.
        if (state === 'unknown') throw refuse('UNAUTHENTICATED')
        if (state === 'disabled') throw refuse('TENANT_DISABLED')
        return {
          principal,
          holds: async () => clock.now() < expiresAt && (await tenants.get(principal.tenant)) === 'active',
        }
      }
      if (apiKey === undefined || !KEY_FORM.test(apiKey)) throw refuse('UNAUTHENTICATED')
      const hash = createHash('sha256').update(apiKey).digest('hex')
      const principal = await keys.get(hash)
      if (principal === null) throw refuse('UNAUTHENTICATED')
      return { principal, holds: async () => (await keys.get(hash)) !== null }
    },
  }
  return authenticator
}
