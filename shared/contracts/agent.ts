import { z } from 'zod'
import { ask, contract, spawned, tell } from '#shared/actor/contract.ts'
import { MessageFact, StopReport, TurnOutcome, Usage } from './event-map.ts'
import { Decided, DecisionMade, NewReviewItem } from './review.ts'

/** What was said before, oldest first, within HISTORY_MESSAGES and HISTORY_CHARS. */
export const Said = z.object({ role: z.enum(['user', 'assistant']), author: z.string(), text: z.string() })
export type Said = z.infer<typeof Said>
export const HISTORY_MESSAGES = 20
export const HISTORY_CHARS = 24_000

/** An agent in one conversation; key: conversation id, agent name. It routes and never waits for a model. */
export const Prompt = z.object({
  turnId: z.string(),
  runId: z.string(),
  /** The message to answer. */
  messageId: z.string(),
  /** Id of the message that will be the answer. */
  answerId: z.string(),
  text: z.string(),
  history: z.array(Said),
})

/** What a run goes on from after people have decided. It stands in the run's row: a crash finds it again. */
const Resume = z.object({
  /** Where the checkpoints of the first run lie, and its calls in the ledger. */
  thread: z.string(),
  /** By the id of the call. */
  decisions: z.record(z.string(), DecisionMade),
  /** What had happened before, for the report of a stop (I8). */
  happened: z.array(z.string()),
})

export const RunInput = Prompt.extend({
  conversationId: z.string(),
  agent: z.string(),
  resume: Resume.nullable().default(null),
})
export type RunInput = z.infer<typeof RunInput>

/** A run ended because people have to decide; with what another one goes on from there. */
export const Parked = z.object({
  items: z.array(z.object({ callId: z.string(), item: NewReviewItem })).min(1),
  input: RunInput,
  thread: z.string(),
  happened: z.array(z.string()),
})
export type Parked = z.infer<typeof Parked>

export const RunResult = z.object({
  outcome: z.enum([...TurnOutcome.options, 'parked']),
  message: MessageFact.nullable(),
  steps: z.number().int(),
  usage: Usage,
  report: StopReport.nullable(),
  parked: Parked.nullable().default(null),
})
export type RunResult = z.infer<typeof RunResult>

export const Agent = contract(
  'agent',
  {
    prompt: tell(Prompt, { fails: ['BUSY'] }),
    cancel: tell(z.object({ turnId: z.string(), reason: z.string() })),
    /** From the desk: what became of an item that a run was parked for. */
    decided: tell(Decided),
    status: ask(z.object({}), z.object({ turns: z.number(), running: z.array(z.string()) }), { within: '1s' }),
  },
  { partitions: 32 },
)

/** One agent's work on one turn; key: conversation id, run id. Resumed from its checkpoints. */
export const Run = spawned('run', RunInput, RunResult, {
  within: '10m',
  fails: ['STEP_LIMIT', 'OUTPUT_INVALID', 'BLOCKED', 'MODEL_AUTH', 'MODEL_DOWN'],
})

/** The supervisor's choice of an agent for one turn; key: conversation id, turn id. */
export const Route = spawned(
  'route',
  z.object({
    turnId: z.string(),
    conversationId: z.string(),
    text: z.string(),
    history: z.array(Said),
    /** Who answered last: keeps the turn when nobody fits better. */
    current: z.string().nullable(),
    /** The agent that the sender asked for by name. */
    wanted: z.string().nullable(),
  }),
  z.object({ agent: z.string().nullable(), title: z.string(), reason: z.string(), ms: z.number() }),
  { within: '1m' },
)
