/** Every bound of the runtime with its default and unit (I11). A limit that is hit is said with the code behind it. */
export interface Limits {
  /** A node that has not renewed its presence for this long is taken for dead. Fences nothing: the epoch does (I1). */
  readonly leaseMs: number
  /** How long a new holder waits for the old one to let go by itself. */
  readonly handoverMs: number
  /** How long a leaving node lets its runs finish before it leaves them to the next holder. */
  readonly drainMs: number
  /**
   * Unacknowledged commands of one partition in one process: what is there to take turns with. Twice `tenantCredit`, or a
   * tenant whose keys lie together fills it, and everybody else's commands wait at the broker behind all of its own.
   */
  readonly window: number
  /** Commands waiting for one actor, at the broker: MAILBOX_FULL. At most half of `window`: no actor fills it alone. */
  readonly mailbox: number
  /** Calls waiting for one actor in memory: MAILBOX_FULL. */
  readonly calls: number
  /** Unacknowledged commands of one tenant over all partitions: TENANT_BUSY. */
  readonly tenantCredit: number
  /** Bytes of events that one tenant may write to the log in an hour before it may begin nothing new: LOG_QUOTA. */
  readonly tenantLogBytes: number
  /** All commands waiting at the broker: OVERLOADED. */
  readonly commands: number
  /** Handlers at work at the same time in one process. */
  readonly handlers: number
  /** Runs at work at the same time in one process; more wait in turn, by tenant. */
  readonly runs: number
  /** Started attempts of one command before it is a dead letter (GAVE_UP). */
  readonly attempts: number
  readonly retryFirstMs: number
  readonly retryMaxMs: number
  /** Redelivery when a holder hangs without having died; a takeover does not wait for it. */
  readonly ackWaitMs: number
  /** Older commands are refused (TOO_OLD): the ids of handled ones are kept this long. */
  readonly processedMs: number
  /** Relayed outbox rows are kept this long, to re-emit after a lost tail of the log. */
  readonly relayedMs: number
  /** Transactions of the group commit at the same time in one process; more wait in turn, by tenant. */
  readonly commits: number
  /** Steps in one transaction of the group commit. */
  readonly batch: number
  /** How long a cancelled callee or child has to say what it stopped. */
  readonly cancelGraceMs: number
  /** How long an outbox entry is offered to a full addressee before it is a dead letter. */
  readonly relayGiveUpMs: number
}

/** How long things are kept once nobody works with them any more, milliseconds; a tenant may set terms of its own. */
export interface Terms {
  /** Dead letters that were replayed or discarded. */
  readonly lettersMs: number
  /** Dead letters that nobody decided about. */
  readonly undecidedLettersMs: number
  /** Runs that are over, with their effects. */
  readonly runsMs: number
  /** Checkpoints that nobody wrote to. Not a tenant's to set. */
  readonly checkpointsMs: number
  readonly auditMs: number
  /** Messages of closed conversations; null: for ever. */
  readonly messagesMs: number | null
}

const DAY_MS = 86_400_000

export const DEFAULT_TERMS: Terms = {
  lettersMs: 30 * DAY_MS,
  undecidedLettersMs: 365 * DAY_MS,
  runsMs: 30 * DAY_MS,
  checkpointsMs: 30 * DAY_MS,
  auditMs: 365 * DAY_MS,
  messagesMs: null,
}

export const DEFAULT_LIMITS: Limits = {
  leaseMs: 6_000,
  handoverMs: 3_000,
  drainMs: 10_000,
  window: 4_096,
  mailbox: 256,
  calls: 128,
  tenantCredit: 2_000,
  tenantLogBytes: 1024 * 1024 * 1024,
  commands: 200_000,
  handlers: 64,
  runs: 128,
  attempts: 5,
  retryFirstMs: 100,
  retryMaxMs: 5_000,
  ackWaitMs: 60_000,
  processedMs: 7 * 86_400_000,
  relayedMs: 86_400_000,
  commits: 3,
  batch: 64,
  cancelGraceMs: 1_000,
  relayGiveUpMs: 300_000,
}
