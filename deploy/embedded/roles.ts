import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { backoffMs } from '#shared/lib/backoff.ts'
import type { StateFolder } from './state-folder.ts'

/** The entry of each role, as a process of its own. */
export const ROLE_ENTRIES = {
  supervisor: 'services/supervisor/main.ts',
  agents: 'services/agents/main.ts',
  tools: 'services/tools/main.ts',
  guardrails: 'services/guardrails/main.ts',
  desk: 'services/desk/main.ts',
  directory: 'services/directory/main.ts',
  knowledge: 'services/knowledge/main.ts',
  gateway: 'gateway/main.ts',
} as const
export type Role = keyof typeof ROLE_ENTRIES

export interface RoleProcess {
  readonly role: Role
  readonly pid: () => number
  readonly stop: () => Promise<void>
}

const STOP_MS = 20_000
const RESTART_FIRST_MS = 200
const RESTART_MAX_MS = 5_000

/**
 * Runs a role as a process, its log in `logs` and its pid in `processes`, and starts it again when it ends without having
 * been asked to.
 */
export function startRole(
  role: Role,
  root: string,
  env: NodeJS.ProcessEnv,
  { logs, processes }: Pick<StateFolder, 'logs' | 'processes'>,
  say: (line: string) => void,
): RoleProcess {
  let child: ChildProcess
  let stopping = false
  let restarts = 0
  const run = (): void => {
    const log = openSync(join(logs, `${role}.log`), 'a')
    const entry = join(root, ROLE_ENTRIES[role])
    child = spawn(process.execPath, [entry], {
      cwd: root,
      env,
      detached: true,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    if (child.pid !== undefined) processes.note(role, child.pid, entry)
    child.unref()
    child.once('exit', (code, signal) => {
      processes.forget(role)
      if (stopping) return
      const wait = backoffMs(restarts++, RESTART_FIRST_MS, RESTART_MAX_MS, Math.random)
      say(`${role} ended (${signal ?? code}); started again in ${wait} ms, see ${join(logs, `${role}.log`)}`)
      void delay(wait).then(() => {
        if (!stopping) run()
      })
    })
  }
  run()
  return {
    role,
    pid: () => child.pid ?? 0,
    stop: async () => {
      stopping = true
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      process.kill(child.pid, 'SIGTERM')
      const late = new AbortController()
      const patience = delay(STOP_MS, undefined, { signal: late.signal }).then(
        () => void process.kill(child.pid!, 'SIGKILL'),
        () => {},
      )
      await Promise.race([ended, patience])
      late.abort()
    },
  }
}
