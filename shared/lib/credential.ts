import type { Seal } from './seal.ts'

/**
 * The user's own token on its way through the swarm (`Principal.credential`): sealed at the edge, opened where a
 * first-party tool is called (I14), readable nowhere between. Bound to tenant and user: one user's does not open as
 * another's.
 */
export interface CredentialOwner {
  readonly tenant: string
  readonly user: string
}

export function sealCredential(seal: Seal, owner: CredentialOwner, token: string): string {
  return token === '' ? '' : seal.seal(token, ownerText(owner))
}

/** Null when there is none, or when it was sealed for somebody else. */
export function openCredential(
  seal: Seal,
  principal: CredentialOwner & { readonly credential: string },
): string | null {
  return principal.credential === '' ? null : seal.open(principal.credential, ownerText(principal))
}

function ownerText({ tenant, user }: CredentialOwner): string {
  return `${tenant}/${user}`
}
