import { z } from 'zod'
import { ask, contract, spawned, tell } from '#shared/actor/contract.ts'
import { Allotment, BudgetLimits, Spent } from './budget.ts'
import { MessageFact, StopReport, TurnOutcome, Usage } from './event-map.ts'
import { CollectionName } from './knowledge.ts'
import { Pending, PendingRequest } from './pending.ts'
import { WhileRunning } from './while-running.ts'
import { Decided, DecisionMade, NewReviewItem } from './review.ts'

/** What was said before, oldest first, within HISTORY_MESSAGES and HISTORY_CHARS. */
export const Said = z.object({ role: z.enum(['user', 'assistant']), author: z.string(), text: z.string() })
export type Said = z.infer<typeof Said>
export const HISTORY_MESSAGES = 20
export const HISTORY_CHARS = 24_000

/** Which collections an agent answers from, `agents.knowledge`. */
export const AgentKnowledge = z.object({
  collections: z.array(CollectionName).min(1).max(20),
  /** Passages it is given for a question. */
  passages: z.number().int().min(1).max(20).default(6),
  /** What becomes of a cited sentence that its passage does not say: said without its mark and noted, or sent back to the model. */
  unsupported: z.enum(['flag', 'block']).default('flag'),
})
export type AgentKnowledge = z.infer<typeof AgentKnowledge>

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
  /** What people of the tenant want the agent to know, in words; never shown to the customer. */
  context: z.string().default(''),
  /** It is written and not said: a person decides what becomes of it. */
  draft: z.boolean().default(false),
  /** Begins there instead of at the beginning. */
  from: z.object({ thread: z.string(), checkpointId: z.string() }).optional(),
  /** The message that the answer follows, where that is not the one it answers. */
  follows: z.string().optional(),
  /** Said to the turn before an agent had it. */
  pending: z.array(Pending).optional(),
  /** What the run may spend in all; absent: nothing is counted. */
  budget: Allotment.optional(),
  /** The agent that handed the turn over, and why. */
  handedOver: z.object({ from: z.string(), reason: z.string() }).nullable().optional(),
  /** The run whose work this one goes on with, from its last checkpoint; its calls are not made again. */
  thread: z.string().nullable().optional(),
})
export type Prompt = z.infer<typeof Prompt>

/** The turn goes to another agent. */
export const Handover = z.object({ to: z.string(), reason: z.string() })
export type Handover = z.infer<typeof Handover>

/** What a run goes on from after people have decided. It stands in the run's row: a crash finds it again. */
const Resume = z.object({
  /** Where the checkpoints of the first run lie, and its calls in the ledger. */
  thread: z.string(),
  /** By the id of the call. */
  decisions: z.record(z.string(), DecisionMade),
  /** What had happened before, for the report of a stop (I8). */
  happened: z.array(z.string()),
})

export const RunInput = Prompt.omit({ pending: true }).extend({
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
  handover: Handover.nullable().optional(),
  /** What was spent up, where the run waits for more of it. */
  spentUp: Spent.nullable().optional(),
  parked: Parked.nullable().default(null),
})
export type RunResult = z.infer<typeof RunResult>

export const Agent = contract(
  'agent',
  {
    prompt: tell(Prompt, { fails: ['BUSY'] }),
    cancel: tell(z.object({ turnId: z.string(), reason: z.string() })),
    /** Heard by the run at its next tool boundary; what it did not hear is told to the supervisor (`unheard`). */
    steer: tell(Pending.extend({ turnId: z.string() })),
    /** Asked by a run at its boundaries: what it has not heard. Tells at the same time what it heard, for the record. */
    pending: ask(PendingRequest, z.object({ items: z.array(Pending) }), { within: '10s' }),
    /** From the desk: what became of an item that a run was parked for. */
    decided: tell(Decided),
    status: ask(z.object({}), z.object({ turns: z.number(), running: z.array(z.string()) }), { within: '1s' }),
  },
  { partitions: 32 },
)

/** One agent's work on one turn; key: conversation id, run id. Resumed from its checkpoints. */
export const Run = spawned('run', RunInput, RunResult, {
  within: '10m',
  fails: [
    'STEP_LIMIT',
    'BUDGET_SPENT',
    'LOOP_CUT',
    'OUTPUT_INVALID',
    'BLOCKED',
    'MODEL_AUTH',
    'MODEL_DOWN',
    'NOT_FOUND',
  ],
})

/** What bounds a turn, from the rows: its agent's own limits, the conversation's, and the tenant's of one day. */
export const TurnLimits = z.object({
  /** By agent, so that one who is handed the turn is bounded by its own. */
  agents: z.record(z.string(), BudgetLimits),
  conversation: BudgetLimits,
  day: BudgetLimits,
})
export type TurnLimits = z.infer<typeof TurnLimits>

export const RouteInput = z.object({
  turnId: z.string(),
  conversationId: z.string(),
  messageId: z.string().default(''),
  text: z.string(),
  history: z.array(Said),
  /** Who answered last: keeps the turn when nobody fits better. */
  current: z.string().nullable(),
  /** The agent that the sender asked for by name. */
  wanted: z.string().nullable(),
})
export const RouteResult = z.object({
  agent: z.string().nullable(),
  title: z.string(),
  reason: z.string(),
  ms: z.number(),
  limits: TurnLimits.nullable().default(null),
  /** What that agent is configured to do with messages that come while it works. */
  whileRunning: WhileRunning.nullable().default(null),
})

/** The supervisor's choice of an agent for one turn; key: conversation id, turn id. */
export const Route = spawned('route', RouteInput, RouteResult, { within: '1m' })
