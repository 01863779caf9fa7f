import { createLocalJWKSet, createRemoteJWKSet, importPKCS8, importSPKI, jwtVerify, SignJWT } from 'jose'
import type { JWTVerifyGetKey } from 'jose'
import { PLATFORM } from '#shared/actor/core.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { encodeName } from '#shared/wire/names.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import type { Seal } from '#shared/lib/seal.ts'

export interface TokenOptions {
  /** PEM (SPKI) of the issuer's RS256 key, or a JSON Web Key Set. */
  readonly publicKey: string | null
  readonly jwks: string | null
  readonly issuer: string
  readonly audience: string
  /** The claim that names the tenant. */
  readonly tenantClaim: string
  /** Seals the token itself for injection into first-party tools; null: it is not kept. */
  readonly seal: Seal | null
}

/** Who it is, and until when that is known (milliseconds since 1970). */
export interface Proved {
  readonly principal: Principal
  readonly expiresAt: number
}

/** Difference of clocks that is forgiven, seconds. */
const TOLERANCE_S = 30
const MAX_TOKEN_CHARS = 8_192
/** No control characters, no space at the ends. */
const USER_FORM = /^[^\s\p{C}](?:[^\p{C}]{0,118}[^\s\p{C}])?$/u

/**
 * Proves who is asking from an RS256 token (I9): signature, issuer, audience, expiry and tenant. Every failure is the same
 * UNAUTHENTICATED, so that nobody can learn from it what was almost right.
 */
export async function tokenVerifier(options: TokenOptions): Promise<(token: string) => Promise<Proved>> {
  const key = await keyOf(options)
  return async (token) => {
    if (key === null || token.length > MAX_TOKEN_CHARS) throw new WaggleError('UNAUTHENTICATED')
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['RS256'],
        issuer: options.issuer,
        audience: options.audience,
        clockTolerance: TOLERANCE_S,
        requiredClaims: ['exp', 'sub', options.tenantClaim],
      })
      const tenant = payload[options.tenantClaim]
      const user = payload.sub
      const isTenant = typeof tenant === 'string' && encodeName(tenant) === tenant && tenant !== PLATFORM.tenant
      if (!isTenant || typeof user !== 'string' || !USER_FORM.test(user)) throw new WaggleError('UNAUTHENTICATED')
      const credential = options.seal === null ? '' : options.seal.seal(token, `${tenant}/${user}`)
      // The platform speaks for itself only from inside; no issuer can make somebody the platform.
      const roles = texts(payload['roles']).filter((role) => !PLATFORM.roles.includes(role))
      const scopes = scopesOf(payload['scope'])
      return { principal: { tenant, user, roles, scopes, credential }, expiresAt: payload.exp! * 1_000 }
    } catch (error) {
      throw new WaggleError('UNAUTHENTICATED', {}, { cause: error, expected: true })
    }
  }
}

/** Makes a token of our own issuer, for the embedded demo and the command line. */
export async function signToken(
  privateKey: string,
  claims: { readonly tenant: string; readonly user: string; readonly roles: readonly string[] },
  options: {
    readonly issuer: string
    readonly audience: string
    readonly tenantClaim: string
    readonly lifetimeS: number
  },
): Promise<string> {
  return await new SignJWT({ [options.tenantClaim]: claims.tenant, roles: [...claims.roles] })
    .setProtectedHeader({ alg: 'RS256' })
    .setSubject(claims.user)
    .setIssuer(options.issuer)
    .setAudience(options.audience)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + options.lifetimeS)
    .sign(await importPKCS8(privateKey, 'RS256'))
}

async function keyOf(options: TokenOptions): Promise<JWTVerifyGetKey | null> {
  if (options.jwks !== null) {
    return options.jwks.trim().startsWith('{')
      ? createLocalJWKSet(JSON.parse(options.jwks) as never)
      : createRemoteJWKSet(new URL(options.jwks))
  }
  if (options.publicKey === null) return null
  const key = await importSPKI(options.publicKey, 'RS256')
  return () => key
}

function texts(claim: unknown): string[] {
  return Array.isArray(claim) ? claim.filter((item): item is string => typeof item === 'string').slice(0, 50) : []
}

function scopesOf(claim: unknown): string[] {
  return typeof claim === 'string' ? claim.split(' ').filter((scope) => scope !== '') : texts(claim)
}
