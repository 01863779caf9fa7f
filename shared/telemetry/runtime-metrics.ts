import type { Metrics } from './metrics.ts'

/**
 * Turns what the actor runtime tells about itself (its event map) into metrics. Written against the shape of the events
 * and not their types, because the runtime stands above telemetry; `test/unit/telemetry` holds it to the real map.
 */
export function observeRuntime(metrics: Metrics): (name: string, event: object) => void {
  let awake = 0
  const held = new Map<string, number>()
  const hold = (kind: string, by: number): void => {
    held.set(kind, (held.get(kind) ?? 0) + by)
    metrics.gauge('waggle_partitions_held', { kind }, held.get(kind) ?? 0)
  }
  const reactions: Readonly<Record<string, (event: Fields) => void>> = {
    'partition:acquired': (event) => {
      hold(text(event.kind), 1)
      metrics.count('waggle_takeovers_total', { kind: text(event.kind) })
    },
    'partition:released': (event) => {
      hold(text(event.kind), -1)
      metrics.count('waggle_releases_total', { kind: text(event.kind), reason: text(event.reason) })
    },
    'activation:woken': (event) => {
      metrics.gauge('waggle_activations', {}, ++awake)
      metrics.observe('waggle_activation_seconds', {}, seconds(event.ms))
    },
    'activation:slept': () => metrics.gauge('waggle_activations', {}, --awake),
    'command:handled:done': (event) => {
      metrics.count('waggle_commands_total', { kind: kindOf(event.address), outcome: 'done' })
      metrics.observe('waggle_command_seconds', { kind: kindOf(event.address) }, seconds(event.ms))
    },
    'command:handled:refused': (event) =>
      metrics.count('waggle_commands_total', { kind: kindOf(event.address), outcome: 'refused' }),
    'command:handled:duplicate': (event) =>
      metrics.count('waggle_commands_total', { kind: kindOf(event.address), outcome: 'duplicate' }),
    'command:handled:crashed': (event) =>
      metrics.count('waggle_commands_total', { kind: kindOf(event.address), outcome: 'crashed' }),
    'command:handled:buried': (event) =>
      metrics.count('waggle_commands_total', { kind: kindOf(event.address), outcome: 'buried' }),
    'call:answered:done': (event) => {
      metrics.count('waggle_calls_total', { kind: kindOf(event.address), outcome: 'done' })
      metrics.observe('waggle_call_seconds', { kind: kindOf(event.address) }, seconds(event.ms))
    },
    'call:answered:failed': (event) =>
      metrics.count('waggle_calls_total', { kind: kindOf(event.address), outcome: text(event.code) }),
    'run:ended': (event) => {
      metrics.count('waggle_runs_total', { kind: kindOf(event.address), state: text(event.state) })
      metrics.observe('waggle_run_seconds', { kind: kindOf(event.address) }, seconds(event.ms))
    },
    'run:crashed': (event) =>
      metrics.count('waggle_run_crashes_total', { kind: kindOf(event.address), decision: text(event.decision) }),
    'commit:done': (event) => {
      metrics.count('waggle_commits_total', {})
      metrics.count('waggle_commit_steps_total', {}, Number(event.steps))
      metrics.observe('waggle_commit_seconds', {}, seconds(event.ms))
    },
    'relay:retried': (event) => metrics.count('waggle_relay_retries_total', { code: text(event.code) }),
    'letter:buried': (event) =>
      metrics.count('waggle_letters_total', { kind: text(event.kind), code: text(event.code) }),
    'rows:retired': (event) => metrics.count('waggle_retired_total', { what: text(event.what) }, Number(event.rows)),
    'limit:hit': (event) => metrics.count('waggle_limits_hit_total', { limit: text(event.limit) }),
  }
  return (name, event) => reactions[name]?.(event as Fields)
}

interface Fields {
  readonly kind?: unknown
  readonly address?: unknown
  readonly ms?: unknown
  readonly code?: unknown
  readonly state?: unknown
  readonly decision?: unknown
  readonly steps?: unknown
  readonly limit?: unknown
  readonly reason?: unknown
  readonly what?: unknown
  readonly rows?: unknown
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : 'unknown'
}

/** Keys are unbounded; a label holds the kind only. */
function kindOf(address: unknown): string {
  return text(address).split('/', 1)[0]!
}

function seconds(ms: unknown): number {
  return typeof ms === 'number' ? ms / 1_000 : 0
}
