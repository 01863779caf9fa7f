/**
 * A whole swarm for a test: a real nats-server, a real database, and the services of the main job on as many nodes as
 * asked for, with a scripted model and tools of the test's own. What it reads back is the log as a voiding reader sees it.
 */
import type { Definition, PoolContext } from '#shared/actor/definition.ts'
import { poolActor } from '#shared/actor/definition.ts'
import type { Limits } from '#shared/actor/limits.ts'
import { ActorSystem } from '#shared/actor/system.ts'
import type { Reach } from '#shared/actor/ref.ts'
import { Guardrail } from '#shared/contracts/guardrail.ts'
import type { Stage, Verdict } from '#shared/contracts/guardrail.ts'
import { Tool } from '#shared/contracts/tool.ts'
import { Checkpoints } from '#shared/db/checkpoints.ts'
import { openDatabase } from '#shared/db/database.ts'
import type { Database } from '#shared/db/database.ts'
import { saveAgent } from '#shared/db/repositories/agents.ts'
import { saveTenant } from '#shared/db/repositories/tenants.ts'
import { saveTool } from '#shared/db/repositories/tools.ts'
import type { ToolInput } from '#shared/db/repositories/tools.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import { tenantConfigs } from '#shared/db/tenant-config.ts'
import { createModel } from '#shared/models/port.ts'
import type { ModelSpec } from '#shared/models/port.ts'
import type { ModelLimits } from '#shared/models/spec.ts'
import type { Script } from '#shared/models/scripted/script.ts'
import { connectNats } from '#shared/nats/connect-nats.ts'
import type { Transport } from '#shared/transport/port.ts'
import { decodeEvent } from '#shared/wire/event.ts'
import type { LogEvent } from '#shared/wire/event.ts'
import { filters, parseSubject } from '#shared/wire/subjects.ts'
import type { Audience } from '#shared/wire/subjects.ts'
import { Floors } from '#shared/wire/voiding.ts'
import { agent } from '#services/agents/agent.actor.ts'
import { runOf } from '#services/agents/run.actor.ts'
import { guardrailSource, profileSource } from '#services/agents/sources.ts'
import { desk } from '#services/desk/desk.actor.ts'
import { team } from '#services/desk/team.actor.ts'
import { directoryOf } from '#services/directory/directory.actor.ts'
import { logKeeper } from '#services/supervisor/log.actor.ts'
import { routeOf } from '#services/supervisor/route.actor.ts'
import { routeSources } from '#services/supervisor/sources.ts'
import { supervisorOf } from '#services/supervisor/supervisor.actor.ts'
import { runSaver } from '#shared/graph/run-saver.ts'

import { hold } from './leaks.ts'
import { startNats } from './nats-server.ts'
import type { TestNats } from './nats-server.ts'
import { testDatabase } from './database.ts'
import type { DatabaseKind, TestDatabase } from './database.ts'

export interface SwarmOptions {
  /** What the model says; on each node something of its own if it is a function of the node's name. */
  readonly script: Script | { readonly on: (node: string) => Script }
  readonly kind?: DatabaseKind
  readonly limits?: Partial<Limits>
  readonly outputMode?: 'gated' | 'streamed'
  /** What the tool `lookup` answers; default: its arguments. */
  readonly tool?: (args: Readonly<Record<string, unknown>>, ctx: PoolContext, call: LookupCall) => unknown
  /** Whether `lookup` may be repeated when nobody knows whether it happened; default: no. */
  readonly idempotent?: boolean
  /** `lookup` is a service of somebody else. */
  readonly foreignTool?: boolean
  /** What else the row of `lookup` says. */
  readonly toolRow?: Partial<ToolInput>
  /** Tools besides `lookup`. */
  readonly moreTools?: readonly ToolInput[]
  readonly settings?: Readonly<Record<string, unknown>>
  /** Between a run's last step and its end; its checkpoints are stored by then. */
  readonly runOver?: (node: string) => Promise<void>
  readonly maxSteps?: number
  readonly modelLimits?: Partial<ModelLimits>
  readonly outputSchema?: Readonly<Record<string, unknown>>
  readonly verdict?: (
    stage: Stage,
    text: string,
    asked: { readonly node: string; readonly taint: readonly string[]; readonly approved: boolean },
  ) => Partial<Verdict> | Promise<Partial<Verdict>>
  /** What the tools answer comes from outside (I14). */
  readonly tainted?: boolean
  readonly agents?: readonly string[]
  /** Limits of every agent, as an administrator sets them. */
  readonly agentLimits?: Readonly<Record<string, unknown>>
  /** When the watchdog ends a turn that nobody ends. */
  readonly turnSilentMs?: number
  /** What every node hosts besides; the function that it gives back ends what it opened. */
  readonly host?: (node: HostedNode) => Promise<() => Promise<void>>
}

export interface HostedNode {
  readonly name: string
  readonly system: ActorSystem
  readonly database: Database
  readonly transport: Transport
}

export interface LookupCall {
  readonly node: string
  readonly idempotencyKey: string
}

export interface SwarmEntry {
  readonly sequence: number
  readonly audience: Audience
  readonly event: LogEvent
}

export const TENANT = 'acme'

/** Somebody is asked at each stage; what they say is the test's `verdict`. */
const EVERYWHERE = (['input', 'tool_call', 'tool_result', 'output'] as const).map((stage, position) => {
  // One that looks at each sentence, and not at the whole answer once more.
  const rule = stage === 'output' ? 'secret' : 'length'
  return { id: stage, agentId: null, stage, rule, config: {}, action: 'flag', message: '', position }
})

export class TestSwarm {
  readonly nats: TestNats
  readonly database: Database
  readonly transport: Transport
  readonly nodes: ActorSystem[] = []
  readonly #base: TestDatabase
  readonly #options: SwarmOptions
  readonly #transports: Transport[] = []
  readonly #ends: (() => Promise<void>)[] = []
  readonly #release = hold('swarm', 'test swarm')

  constructor(nats: TestNats, base: TestDatabase, database: Database, transport: Transport, options: SwarmOptions) {
    this.nats = nats
    this.#base = base
    this.database = database
    this.transport = transport
    this.#options = options
  }

  /** Another process's worth of the same services. */
  async node(name: string): Promise<ActorSystem> {
    const transport = await this.#connect(name)
    const store = createStore(this.database)
    const configs = tenantConfigs(this.database)
    const checkpoints = new Checkpoints(this.database)
    const { script, runOver } = this.#options
    const own = 'on' in script ? script.on(name) : script
    const models = (spec: ModelSpec): ReturnType<typeof createModel> => createModel(spec, { script: own })
    const platformModel = { provider: 'scripted', model: 'test' } as const
    const system = new ActorSystem({
      transport,
      store,
      node: name,
      streams: { memory: true },
      ...(this.#options.limits === undefined ? {} : { limits: this.#options.limits }),
    })
    system.host(
      supervisorOf((node) => system.isAlive(node), this.#options.turnSilentMs),
      routeOf({ ...routeSources(configs, platformModel), models }),
      logKeeper(store, () => system.logs),
      desk,
      agent,
      team,
      directoryOf(this.database, async (subject, bytes, messageId) => {
        await transport.append(subject, bytes, { messageId })
      }),
      runOf({
        profiles: profileSource(configs, platformModel),
        guardrails: this.#options.verdict === undefined ? guardrailSource(configs) : { load: async () => EVERYWHERE },
        models,
        saver: (run) => {
          const saver = runSaver(checkpoints, run)
          if (runOver === undefined) return saver
          return {
            ...saver,
            over: async (thread, resumed) => {
              await saver.durable()
              await runOver(name)
              await saver.over(thread, resumed)
            },
          }
        },
      }),
      ...this.#pools(name),
    )
    const end = await this.#options.host?.({ name, system, database: this.database, transport })
    if (end !== undefined) this.#ends.push(end)
    await system.start()
    this.nodes.push(system)
    return system
  }

  /** A node without actors, as a gateway's is. */
  async edge(name: string): Promise<ActorSystem> {
    const { limits = {} } = this.#options
    const transport = await this.#connect(name)
    const system = new ActorSystem({ transport, node: name, streams: { memory: true }, limits, attend: true })
    return await system.start()
  }

  /** The node ends as a killed process does: it says nothing to anybody. */
  kill(name: string): void {
    const at = this.nodes.findIndex((node) => node.node === name)
    this.nodes[at]!.abandon()
    this.nodes.splice(at, 1)
  }

  reach(user = 'ada', roles: readonly string[] = ['customer'], tenant = TENANT): Reach {
    return this.nodes[0]!.reach({ tenant, user, roles, scopes: [], credential: '' })
  }

  /** Resolves with the entries of a conversation once one of them fits; they are read from the log, voided. */
  async until(
    conversation: string,
    fits: (entry: SwarmEntry, entries: readonly SwarmEntry[]) => boolean,
    withinMs = 15_000,
  ): Promise<SwarmEntry[]> {
    const live = Promise.withResolvers<void>()
    // It may be late while the log is being read, when nobody waits for it.
    live.promise.catch(() => {})
    const subscription = this.transport.subscribe(filters.liveOfTenant(TENANT), () => void check())
    const late = setTimeout(
      () => live.reject(new Error(`no such entry in ${conversation} within ${withinMs} ms`)),
      withinMs,
    )
    // It may be late before anybody waits for it.
    live.promise.catch(() => {})
    let entries: SwarmEntry[] = []
    let busy = false
    let again = false
    const check = async (): Promise<void> => {
      again = true
      if (busy) return
      busy = true
      while (again) {
        again = false
        entries = await this.log(conversation)
        if (entries.some((entry) => fits(entry, entries))) live.resolve()
      }
      busy = false
    }
    try {
      await check()
      await live.promise
      return entries
    } finally {
      clearTimeout(late)
      subscription.unsubscribe()
    }
  }

  async log(conversation: string): Promise<SwarmEntry[]> {
    const floors = new Floors()
    const entries: SwarmEntry[] = []
    for await (const stored of this.transport.read('EVT', {
      filters: [filters.eventsOfScope(TENANT, conversation)],
      from: 1,
    })) {
      const subject = parseSubject(stored.subject)
      if (subject.lane !== 'ev') continue
      const event = decodeEvent(stored.data)
      if (floors.admit(event, subject.audience))
        entries.push({ sequence: stored.sequence, audience: subject.audience, event })
    }
    return entries
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
    await Promise.all(this.#ends.map((end) => end()))
    await Promise.all(this.#transports.map((transport) => transport.close()))
    await this.transport.close()
    await this.database.close()
    await this.#base.drop()
    await this.nats.stop()
    this.#release()
  }

  async #connect(name: string): Promise<Transport> {
    const transport = await connectNats({ url: this.nats.url, name, onError: () => {} })
    this.#transports.push(transport)
    return transport
  }

  #pools(node: string): Definition[] {
    const { verdict, tool, tainted } = this.#options
    const guardrails = poolActor(Guardrail, {
      on: {
        check: async (ctx, { stage, text, approved = false }) => ({
          verdict: 'pass',
          text,
          reason: '',
          checks: [],
          ...(await verdict?.(stage, text, { node, taint: ctx.cause.taint, approved })),
        }),
      },
    })
    const tools = poolActor(Tool, {
      on: {
        call: async (ctx, { args, idempotencyKey }) => ({
          result: tool === undefined ? args : await tool(args, ctx, { node, idempotencyKey }),
          text: '',
          tainted: tainted === true,
          ms: 0,
        }),
      },
    })
    return [guardrails, tools]
  }
}

export async function startSwarm(options: SwarmOptions): Promise<TestSwarm> {
  const [nats, base] = await Promise.all([
    startNats(),
    testDatabase(options.kind === undefined ? {} : { kind: options.kind }),
  ])
  const database = await openDatabase({ url: base.url })
  await database.tenant(TENANT, async (sql) => {
    await saveTenant(sql, { name: 'Acme', settings: { ...options.settings } })
    await saveTool(sql, {
      id: 'lookup',
      title: 'Look up',
      description: 'Looks something up.',
      idempotent: options.idempotent ?? false,
      kind: options.foreignTool === true ? 'http_get' : 'builtin',
      parameters: { type: 'object', properties: { id: { type: 'string' } } },
      ...options.toolRow,
    })
    for (const tool of options.moreTools ?? []) await saveTool(sql, tool)
    for (const [position, id] of (options.agents ?? ['support']).entries()) {
      const model = { provider: 'scripted', model: 'test', limits: options.modelLimits ?? {} }
      await saveAgent(
        sql,
        {
          id,
          title: id,
          description: `Handles ${id}.`,
          systemPrompt: 'Help.',
          model,
          position,
          outputMode: options.outputMode ?? 'streamed',
          tools: ['lookup', ...(options.moreTools ?? []).map((tool) => tool.id)],
          limits: options.agentLimits ?? {},
          ...(options.maxSteps === undefined ? {} : { maxSteps: options.maxSteps }),
          ...(options.outputSchema === undefined ? {} : { outputSchema: options.outputSchema }),
        },
        { author: 'test' },
      )
    }
  })
  const transport = await connectNats({ url: nats.url, name: 'test', onError: () => {} })
  const swarm = new TestSwarm(nats, base, database, transport, options)
  await swarm.node('n1')
  return swarm
}
