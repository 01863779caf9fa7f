import type { Config } from '#shared/config/config.ts'
import type { Terminal } from '../terminal.ts'

/** `fail`: something essential is missing. `warn`: it works, but not all of it, or not yet. */
export interface Finding {
  readonly name: string
  readonly state: 'ok' | 'warn' | 'fail'
  /** What was found, and where. */
  readonly found: string
  /** How to get what is missing; empty when nothing is. */
  readonly action: string
}

export interface Patient {
  readonly terminal: Terminal
  /** Null when the configuration itself is broken; checks then look at what does not depend on it. */
  readonly config: Config | null
}

export type Check = (patient: Patient) => Promise<Finding>

export function ok(name: string, found: string): Finding {
  return { name, state: 'ok', found, action: '' }
}

export function warn(name: string, found: string, action: string): Finding {
  return { name, state: 'warn', found, action }
}

/** What depends on settings cannot be looked at while they make no sense. */
export function unsettled(name: string): Finding {
  return warn(name, 'not looked at, as the configuration is broken', 'Correct the configuration first.')
}

export function fail(name: string, found: string, action: string): Finding {
  return { name, state: 'fail', found, action }
}
