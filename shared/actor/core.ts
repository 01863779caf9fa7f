import type { Clock } from '#shared/lib/clock.ts'
import type { NewId } from '#shared/lib/ids.ts'
import type { Logger } from '#shared/lib/logger.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import type { Transport } from '#shared/transport/port.ts'
import type { EventLog } from './event-log.ts'
import type { Limits } from './limits.ts'
import type { Observe } from './observe.ts'
import type { Store } from './store.ts'

/** What every part of one node's runtime stands on. Nothing here keeps state of an actor. */
export interface Core {
  /** Unique name of this process's runtime. */
  readonly node: string
  readonly transport: Transport
  readonly events: EventLog
  readonly clock: Clock
  /** In [0, 1): jitter and load spreading, nothing that must not be guessed. */
  readonly random: () => number
  readonly newId: NewId
  readonly limits: Limits
  readonly log: Logger
  readonly observe: Observe
}

/** The same with a store: a node that hosts virtual actors. */
export interface HostCore extends Core {
  readonly store: Store
}

/** Speaks for the platform itself where no tenant is concerned (a key is looked up before its tenant is known). */
export const PLATFORM: Principal = {
  tenant: 'platform',
  user: 'platform',
  roles: ['platform'],
  scopes: [],
  credential: '',
}
