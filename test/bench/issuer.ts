/** Signs the tokens of a figure's people; the gateway knows the public half. */
import { generateKeyPairSync } from 'node:crypto'

import { signToken } from '#gateway/auth/tokens.ts'

const NAMES = { issuer: 'waggle', audience: 'waggle', tenantClaim: 'tenant' }
const LIFETIME_S = 3_600

export class Issuer {
  readonly #keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })

  get publicKey(): string {
    return this.#keys.publicKey
  }

  token(tenant: string): Promise<string> {
    return signToken(
      this.#keys.privateKey,
      { tenant, user: 'ada', roles: ['customer'] },
      { ...NAMES, lifetimeS: LIFETIME_S },
    )
  }
}
