import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import type { Bucket, BucketEntry } from '#shared/transport/port.ts'
import type { Core } from './core.ts'

/**
 * What of the log a tenant may write in an hour (I11). The log lets go of the oldest by age alone, never by size, so no
 * tenant's volume evicts what another has said; this bound is what keeps the disk behind it finite, and is enforced at the
 * publishers:
 *
 * - work that begins something (`begins` in its contract) is refused at the edge with LOG_QUOTA, and the time to wait;
 * - what is volatile, the pieces of a text that will be said whole, is not written;
 * - facts of work that was accepted are always written: they cannot be taken back, and how many they are is bounded by
 *   what could be accepted before.
 *
 * Everybody who writes counts its own bytes of this hour; whoever has written another STEP_SHARE of the tenant's share
 * says so in a bucket, which the others add up. So small tenants cost nothing, and together publishers overshoot by at
 * most a step each. A publisher that cannot read the bucket refuses nobody: the log is then not writable either.
 */
export class LogShare {
  readonly #core: Core
  readonly #accounts = new Map<string, Account>()
  #window = 0
  #bucket: Promise<Bucket> | null = null
  #stop: () => void = () => {}
  #closed = false

  constructor(core: Core) {
    this.#core = core
  }

  close(): void {
    this.#closed = true
    this.#stop()
  }

  /** Counts an event that is being written. */
  note(tenant: string, bytes: number): void {
    const account = this.#accountOf(tenant)
    account.own += bytes
    if (account.own - account.told < this.#core.limits.tenantLogBytes * STEP_SHARE) return
    account.told = account.own
    void this.#tell(tenant, { window: this.#window, bytes: account.own })
  }

  /** True: what is volatile is not to be written. It is counted as a limit that was hit. */
  withholds(tenant: string): boolean {
    if (!this.#isSpent(tenant)) return false
    this.#core.observe('limit:hit', { limit: 'tenantLogBytes', tenant, code: 'LOG_QUOTA' })
    return true
  }

  /** Throws LOG_QUOTA when the tenant may begin nothing before the hour is over. */
  async admit(tenant: string): Promise<void> {
    await this.#open().catch(() => undefined)
    if (!this.withholds(tenant)) return
    const { clock, limits } = this.#core
    const retryAfterMs = (this.#window + 1) * WINDOW_MS - clock.now()
    throw new WaggleError('LOG_QUOTA', { limitBytes: limits.tenantLogBytes, retryAfterMs })
  }

  #isSpent(tenant: string): boolean {
    const { own, others } = this.#accountOf(tenant)
    let sum = own
    for (const bytes of others.values()) sum += bytes
    return sum >= this.#core.limits.tenantLogBytes
  }

  /** Of this hour: with it, all accounts begin anew. */
  #accountOf(tenant: string): Account {
    const window = Math.floor(this.#core.clock.now() / WINDOW_MS)
    if (window !== this.#window) {
      this.#window = window
      this.#accounts.clear()
    }
    let account = this.#accounts.get(tenant)
    if (account === undefined) {
      account = { own: 0, told: 0, others: new Map() }
      this.#accounts.set(tenant, account)
    }
    return account
  }

  async #tell(tenant: string, told: Told): Promise<void> {
    try {
      const bucket = await this.#open()
      await bucket.put(`${tenant}.${this.#core.node}`, new TextEncoder().encode(JSON.stringify(told)))
    } catch (error) {
      this.#core.log.debug({ tenant, code: coded(error).code }, 'what a tenant wrote could not be told; later')
    }
  }

  #hear(key: string, entry: BucketEntry | null): void {
    const dot = key.indexOf('.')
    const node = key.slice(dot + 1)
    if (entry === null || node === this.#core.node) return
    const { window, bytes } = JSON.parse(new TextDecoder().decode(entry.value)) as Told
    const account = this.#accountOf(key.slice(0, dot))
    if (window === this.#window) account.others.set(node, bytes)
  }

  /** With the first need of it: most processes never have one. */
  #open(): Promise<Bucket> {
    this.#bucket ??= this.#listen().catch((error: unknown) => {
      this.#bucket = null
      throw error
    })
    return this.#bucket
  }

  async #listen(): Promise<Bucket> {
    const bucket = await this.#core.transport.bucket(BUCKET, { ttlMs: WINDOW_MS + SLACK_MS })
    this.#stop = await bucket.watch((key, entry) => this.#hear(key, entry))
    if (this.#closed) this.#stop()
    for (const [key, entry] of await bucket.entries()) this.#hear(key, entry)
    return bucket
  }
}

interface Account {
  /** Bytes that this process wrote, and how many of them it has told the others of. */
  own: number
  told: number
  readonly others: Map<string, number>
}

interface Told {
  readonly window: number
  readonly bytes: number
}

const BUCKET = 'log-share'
/** The share is one of an hour: nobody is refused for longer. */
export const WINDOW_MS = 3_600_000
const SLACK_MS = 60_000
/** Of the share: so much more written is worth telling the others. */
const STEP_SHARE = 1 / 64
