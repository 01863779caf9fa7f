import type { ActorSystem } from '#shared/actor/system.ts'
import { Directory } from '#shared/contracts/directory.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { FreshCache } from '#shared/lib/fresh-cache.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import { hasRole } from './roles.ts'

/** The owner of a conversation never changes; this only bounds how long one that is gone is remembered. */
const OWNER_FRESH_MS = 300_000
const OWNERS_KEPT = 20_000

/**
 * Whether a conversation is this principal's. A cursor proves nothing: whoever resumes with one is checked here, at the
 * price of one indexed read for the first of them, and without waking the conversation's supervisor, so that a gateway
 * whose clients all come back at once asks nobody twice.
 */
export class ConversationAccess {
  readonly #owners: FreshCache<string>

  constructor(system: Pick<ActorSystem, 'reach'>, clock: Clock) {
    this.#owners = new FreshCache({
      ttlMs: OWNER_FRESH_MS,
      capacity: OWNERS_KEPT,
      clock,
      load: async (key) => {
        const [tenant, id] = key.split(' ') as [string, string]
        const { user } = await system.reach(edgeOf(tenant)).pool(Directory, 'main').ask('conversation', { id })
        return user
      },
    })
  }

  /** Throws NOT_FOUND, or FORBIDDEN when it belongs to somebody else and the principal is no operator. */
  async require(principal: Principal, conversationId: string): Promise<void> {
    const owner = await this.#owners.get(`${principal.tenant} ${conversationId}`)
    if (owner !== principal.user && !hasRole(principal, 'operator')) throw refuse('FORBIDDEN')
  }
}

/** The edge asks in its own name, once for everybody. */
function edgeOf(tenant: string): Principal {
  return { tenant, user: 'gateway', roles: ['operator'], scopes: [], credential: '' }
}
