/** Every metric this system has: its type, labels and meaning. Names follow Prometheus: base units, `_total` for counters. */
interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  readonly buckets?: readonly number[]
}

const SHORT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const
const LONG_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const

export const METRICS = {
  // Process
  waggle_process_cpu_seconds: { type: 'gauge', help: 'CPU time used so far.', labels: [] },
  waggle_process_resident_bytes: { type: 'gauge', help: 'Resident memory.', labels: [] },
  waggle_process_heap_bytes: { type: 'gauge', help: 'Heap in use.', labels: [] },

  // The edge
  waggle_sockets: { type: 'gauge', help: 'Connected sockets.', labels: [] },
  waggle_socket_events_total: { type: 'counter', help: 'Events of clients, by answer.', labels: ['event', 'code'] },
  waggle_sockets_closed_total: {
    type: 'counter',
    help: 'Sockets closed by the gateway, by reason.',
    labels: ['reason'],
  },
  waggle_http_requests_total: {
    type: 'counter',
    help: 'HTTP requests, by answer.',
    labels: ['route', 'method', 'status'],
  },
  waggle_http_seconds: {
    type: 'histogram',
    help: 'HTTP request to answer.',
    labels: ['route', 'method'],
    buckets: SHORT_SECONDS,
  },
  waggle_sse_streams: { type: 'gauge', help: 'Open event streams over HTTP.', labels: [] },
  waggle_limited_total: { type: 'counter', help: 'Requests refused because of a limit.', labels: ['limit'] },
  waggle_unauthenticated_total: { type: 'counter', help: 'Refused credentials.', labels: ['by'] },

  // Reading the log
  waggle_log_entries_total: {
    type: 'counter',
    help: 'Entries of the log taken in, by audience.',
    labels: ['audience'],
  },
  waggle_log_voided_total: {
    type: 'counter',
    help: 'Entries that count for nothing: said under an old epoch.',
    labels: [],
  },
  waggle_log_unreadable_total: { type: 'counter', help: 'Entries that could not be decoded.', labels: [] },
  waggle_log_healed_total: { type: 'counter', help: 'Lost live entries found again in the log.', labels: [] },
  waggle_log_replays_total: { type: 'counter', help: 'Readings of the stored log, by cause.', labels: ['cause'] },
  waggle_log_snapshots_total: {
    type: 'counter',
    help: 'Readers that were given a snapshot, by cause.',
    labels: ['cause'],
  },
  waggle_log_readers: { type: 'gauge', help: 'Open subscriptions to the log.', labels: [] },
  waggle_log_scopes: { type: 'gauge', help: 'Scopes of the log with a reader.', labels: [] },
  waggle_log_slow_readers_total: {
    type: 'counter',
    help: 'Readers put aside or ended for falling behind.',
    labels: ['action'],
  },

  // The runtime
  waggle_commands_total: {
    type: 'counter',
    help: 'Commands handled, by kind and outcome.',
    labels: ['kind', 'outcome'],
  },
  waggle_command_seconds: {
    type: 'histogram',
    help: 'Handling of a command.',
    labels: ['kind'],
    buckets: SHORT_SECONDS,
  },
  waggle_calls_total: {
    type: 'counter',
    help: 'Asks and streams answered, by kind and outcome.',
    labels: ['kind', 'outcome'],
  },
  waggle_call_seconds: { type: 'histogram', help: 'Answering of an ask.', labels: ['kind'], buckets: SHORT_SECONDS },
  waggle_runs_total: { type: 'counter', help: 'Runs ended, by kind and state.', labels: ['kind', 'state'] },
  waggle_run_seconds: {
    type: 'histogram',
    help: 'From the start of a run to its end.',
    labels: ['kind'],
    buckets: LONG_SECONDS,
  },
  waggle_run_crashes_total: {
    type: 'counter',
    help: 'Crashes of runs, by what the supervision decided.',
    labels: ['kind', 'decision'],
  },
  waggle_activations: { type: 'gauge', help: 'Actors awake in this process.', labels: [] },
  waggle_activation_seconds: { type: 'histogram', help: 'Waking of an actor.', labels: [], buckets: SHORT_SECONDS },
  waggle_partitions_held: { type: 'gauge', help: 'Partitions held by this process.', labels: ['kind'] },
  waggle_releases_total: {
    type: 'counter',
    help: 'Partitions let go, by reason: STALE_EPOCH is one that was taken over before its holder knew.',
    labels: ['kind', 'reason'],
  },
  waggle_takeovers_total: { type: 'counter', help: 'Partitions acquired.', labels: ['kind'] },
  waggle_commits_total: { type: 'counter', help: 'Transactions of handlers.', labels: [] },
  waggle_commit_steps_total: { type: 'counter', help: 'Handler executions inside those transactions.', labels: [] },
  waggle_commit_seconds: { type: 'histogram', help: 'One transaction.', labels: [], buckets: SHORT_SECONDS },
  waggle_relay_retries_total: {
    type: 'counter',
    help: 'Outbox entries that had to be offered again.',
    labels: ['code'],
  },
  waggle_letters_total: {
    type: 'counter',
    help: 'Dead letters, by whom they were for and why.',
    labels: ['kind', 'code'],
  },
  waggle_retired_total: { type: 'counter', help: 'Rows let go after their term, by what they were.', labels: ['what'] },
  waggle_limits_hit_total: { type: 'counter', help: 'Limits of the runtime that were hit.', labels: ['limit'] },
} as const satisfies Record<string, MetricSpec>

export type MetricName = keyof typeof METRICS
export type NamesOfType<Type extends MetricSpec['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never
}[MetricName]
export type LabelsOf<Name extends MetricName> = Readonly<Record<(typeof METRICS)[Name]['labels'][number], string>>
