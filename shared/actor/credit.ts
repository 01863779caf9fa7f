import { WaggleError } from '#shared/errors/waggle-error.ts'
import { filters } from '#shared/wire/subjects.ts'
import type { Core } from './core.ts'
import { COMMANDS } from './streams.ts'

/**
 * The tenant's credit of unacknowledged commands, at the publisher (TENANT_BUSY). The work queue holds exactly what is
 * not acknowledged, so the broker can be asked what a tenant has waiting. To ask seldom, each publisher counts what it
 * has published since it last asked and asks again when that could have used up the rest: a tenant at peace is asked
 * about once in many commands, one at its limit at most every REFRESH_MS. A fast tenant whose commands are handled as fast
 * is not at its limit: it is asked about again after each ASK_SHARE of its credit, however soon that is. Publishers can
 * together overshoot by what they publish between two questions; the per-actor limit and the size of the stream are exact
 * (MAILBOX_FULL, OVERLOADED).
 */
export class TenantCredit {
  readonly #core: Core
  readonly #accounts = new Map<string, Account>()

  constructor(core: Core) {
    this.#core = core
  }

  async take(tenant: string): Promise<void> {
    const { limits, clock, observe } = this.#core
    let account = this.#accounts.get(tenant)
    if (account === undefined) {
      account = { waiting: 0, published: 0, askedAt: -REFRESH_MS, asking: null }
      this.#accounts.set(tenant, account)
      this.#forget()
    }
    account.published++
    if (account.waiting + account.published <= limits.tenantCredit) return
    const due = clock.elapsed() - account.askedAt >= REFRESH_MS || account.published > limits.tenantCredit * ASK_SHARE
    if (due || account.asking !== null) await (account.asking ??= this.#ask(tenant, account))
    if (account.waiting + account.published > limits.tenantCredit) {
      account.published--
      observe('limit:hit', { limit: 'tenantCredit', tenant, code: 'TENANT_BUSY' })
      throw new WaggleError('TENANT_BUSY', {
        waiting: account.waiting,
        limit: limits.tenantCredit,
        retryAfterMs: REFRESH_MS,
      })
    }
  }

  async #ask(tenant: string, account: Account): Promise<void> {
    try {
      const info = await this.#core.transport.streamInfo(COMMANDS, filters.commandsOfTenant(tenant))
      let waiting = 0
      for (const count of info.subjects.values()) waiting += count
      account.waiting = waiting
      account.published = 0
      account.askedAt = this.#core.clock.elapsed()
    } finally {
      account.asking = null
    }
  }

  #forget(): void {
    if (this.#accounts.size <= MAX_ACCOUNTS) return
    const [oldest] = this.#accounts.keys()
    if (oldest !== undefined) this.#accounts.delete(oldest)
  }
}

const REFRESH_MS = 200
/** Of the credit: published since the last question, so many are worth another one. */
const ASK_SHARE = 1 / 8
const MAX_ACCOUNTS = 10_000

interface Account {
  waiting: number
  published: number
  askedAt: number
  asking: Promise<void> | null
}
