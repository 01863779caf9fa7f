/**
 * Two processes of services under a load of turns; one of them is killed -9, again and again, and started anew. The tools
 * and the senders live here and are not killed, so that everything that happened outside is known.
 *
 * Holds: every accepted message is answered (its turn ends); answers come in the order of the questions; no effect that
 * may not be repeated happens twice; every effect of such a tool that was begun and has no outcome is told as `unknown`.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'

import { poolActor } from '#shared/actor/definition.ts'
import { ActorSystem } from '#shared/actor/system.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { Tool } from '#shared/contracts/tool.ts'
import { openDatabase } from '#shared/db/database.ts'
import type { Database } from '#shared/db/database.ts'
import { saveAgent } from '#shared/db/repositories/agents.ts'
import { saveTenant } from '#shared/db/repositories/tenants.ts'
import { saveTool } from '#shared/db/repositories/tools.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { seededRandom } from '#shared/lib/random.ts'
import { connectNats } from '#shared/nats/connect-nats.ts'
import type { Transport } from '#shared/transport/port.ts'
import { decodeEvent } from '#shared/wire/event.ts'
import { filters, parseSubject } from '#shared/wire/subjects.ts'
import { Floors } from '#shared/wire/voiding.ts'
import { startNats } from '#test/kit/nats-server.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly kills: number
  readonly leaseMs: number
  readonly conversations: number
  readonly databaseUrl: string
  readonly say: (line: string) => void
}

export interface ChaosResult {
  readonly problems: readonly string[]
  readonly figures: Readonly<Record<string, number>>
}

const TENANT = 'chaos'
const TOOLS = ['idempotent', 'keyed', 'plain'] as const
const UP_MS = 30_000
const SETTLE_MS = 45_000

export async function twoNodes(options: ChaosOptions): Promise<ChaosResult> {
  const random = seededRandom(options.seed)
  const nats = await startNats()
  const database = await openDatabase({ url: options.databaseUrl })
  await seed(database)
  const transport = await connectNats({ url: nats.url, name: 'chaos', onError: () => {} })
  /** Calls of each tool by idempotency key, as the outside saw them. */
  const calls = new Map<string, { readonly tool: string; count: number }>()
  const system = new ActorSystem({ transport, node: 'outside', limits: { leaseMs: options.leaseMs } }).host(
    poolActor(Tool, {
      on: {
        call: async (_ctx, { tool, idempotencyKey, args }) => {
          const known = calls.get(idempotencyKey) ?? { tool, count: 0 }
          known.count++
          calls.set(idempotencyKey, known)
          await new Promise((resolve) => setTimeout(resolve, 20 + random() * 60))
          return { result: args, text: '', tainted: false, ms: 0 }
        },
      },
    }),
  )
  await system.start()
  const env = {
    ...process.env,
    NATS_URL: nats.url,
    DATABASE_URL: options.databaseUrl,
    WAGGLE_SECRET: 'a secret of the chaos run',
    LEASE: `${options.leaseMs}ms`,
    DATABASE_STATEMENT: `${Math.floor(options.leaseMs / 2) - 100}ms`,
    LOG_LEVEL: 'error',
  }
  const peers = [await startPeer('one', env), await startPeer('two', env)]
  const accepted: { readonly conversation: string; readonly messageId: string }[] = []
  let sending = true
  const senders = Array.from({ length: options.conversations }, (_, index) =>
    sendUntil(system, `c${index}`, random, () => sending, accepted),
  )
  const gaps: number[] = []
  for (let kill = 0; kill < options.kills; kill++) {
    await new Promise((resolve) => setTimeout(resolve, 600 + random() * 1_200))
    const victim = kill % 2
    const before = accepted.length
    process.kill(peers[victim]!.pid!, 'SIGKILL')
    const since = performance.now()
    peers[victim] = await startPeer(victim === 0 ? 'one' : 'two', env)
    gaps.push(performance.now() - since)
    options.say(
      `kill ${kill + 1} of ${options.kills}: ${accepted.length} accepted (${accepted.length - before} while it was down)`,
    )
  }
  sending = false
  await Promise.all(senders)
  options.say(`${accepted.length} accepted in all; waiting until every turn has ended`)
  const problems = await settle(transport, accepted, options.conversations)
  problems.push(...(await checkEffects(database, calls)))
  for (const peer of peers) await endPeer(peer)
  await system.stop()
  await transport.close()
  await database.close()
  await nats.stop()
  const repeated = [...calls.values()].filter((call) => call.count > 1)
  return {
    problems,
    figures: {
      kills: options.kills,
      accepted: accepted.length,
      effects: calls.size,
      repeatedWhereAllowed: repeated.filter((call) => call.tool !== 'plain').length,
      restartMs: Math.round(gaps.reduce((sum, gap) => sum + gap, 0) / Math.max(1, gaps.length)),
    },
  }
}

async function seed(database: Database): Promise<void> {
  await database.migrate()
  await database.tenant(TENANT, async (sql) => {
    await saveTenant(sql, { name: 'Chaos' })
    for (const id of TOOLS) {
      await saveTool(sql, {
        id,
        title: id,
        description: id,
        kind: 'builtin',
        parameters: { type: 'object', properties: { of: { type: 'string' } } },
        idempotent: id === 'idempotent',
        keyHeader: id === 'keyed' ? 'idempotency-key' : null,
        trusted: true,
      })
    }
    await saveAgent(
      sql,
      {
        id: 'worker',
        title: 'Worker',
        description: 'Works.',
        systemPrompt: 'Work.',
        model: { provider: 'scripted', model: 'chaos' },
        outputMode: 'streamed',
        tools: [...TOOLS],
      },
      { author: 'chaos' },
    )
  })
}

async function startPeer(name: string, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'peer.ts')], {
    env: { ...env, PEER: name },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const up = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()))
  const late = new Promise<never>(
    (_resolve, reject) => void setTimeout(() => reject(new Error(`peer ${name} is not up`)), UP_MS).unref(),
  )
  await Promise.race([up, late])
  return child
}

async function endPeer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  await ended
}

/** One conversation: the next message when the one before is accepted; the same id again until it is. */
async function sendUntil(
  system: ActorSystem,
  conversation: string,
  random: () => number,
  goesOn: () => boolean,
  accepted: { conversation: string; messageId: string }[],
): Promise<void> {
  const ref = system
    .reach({ tenant: TENANT, user: 'ada', roles: ['customer'], scopes: [], credential: '' })
    .ref(Supervisor, conversation)
  for (let number = 0; goesOn(); number++) {
    const clientId = `m${number}`
    const send = {
      clientId,
      text: `${number}: use ${TOOLS[Math.floor(random() * TOOLS.length)]!}`,
      agent: null,
      channel: 'chaos',
    }
    for (;;) {
      try {
        const receipt = (await ref.confirm('send', send, { id: `${conversation}-${clientId}`, within: '2s' })) as {
          messageId: string
        }
        accepted.push({ conversation, messageId: receipt.messageId })
        break
      } catch (error) {
        const { code } = coded(error)
        if (code === 'BUSY' || code === 'MAILBOX_FULL' || code === 'TENANT_BUSY')
          await new Promise((resolve) => setTimeout(resolve, 200))
        else if (code !== 'DEADLINE' && code !== 'BROKER_DOWN') throw error
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 100 + random() * 300))
  }
}

/** Waits until every accepted message has an end, then looks at what the log says of it. */
async function settle(
  transport: Transport,
  accepted: readonly { conversation: string; messageId: string }[],
  conversations: number,
): Promise<string[]> {
  const until = performance.now() + SETTLE_MS
  for (;;) {
    const problems: string[] = []
    for (let index = 0; index < conversations; index++) {
      const conversation = `c${index}`
      problems.push(
        ...(await look(
          transport,
          conversation,
          new Set(accepted.filter((one) => one.conversation === conversation).map((one) => one.messageId)),
        )),
      )
    }
    if (problems.length === 0 || performance.now() > until) return problems
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

async function look(transport: Transport, conversation: string, accepted: ReadonlySet<string>): Promise<string[]> {
  const floors = new Floors()
  const received: string[] = []
  const turns = new Map<string, string>()
  const ended: string[] = []
  const completed: string[] = []
  const seen = new Set<string>()
  for await (const stored of transport.read('EVT', {
    filters: [filters.eventsOfScope(TENANT, conversation)],
    from: 1,
  })) {
    const subject = parseSubject(stored.subject)
    if (subject.lane !== 'ev') continue
    const event = decodeEvent(stored.data)
    if (!floors.admit(event, subject.audience) || seen.has(event.id)) continue
    seen.add(event.id)
    const payload = event.payload as { id: string; parentId: string; turnId: string; messageId: string }
    if (event.type === 'message:received') received.push(payload.id)
    if (event.type === 'turn:started') turns.set(payload.turnId, payload.messageId)
    if (event.type === 'turn:ended') ended.push(turns.get(payload.turnId) ?? '?')
    if (event.type === 'message:completed') completed.push(payload.parentId)
  }
  const problems: string[] = []
  const once = (list: readonly string[], what: string): void => {
    if (new Set(list).size !== list.length) problems.push(`${conversation}: a message was ${what} twice`)
  }
  once(received, 'received')
  once(ended, 'ended')
  once(completed, 'answered')
  for (const id of accepted)
    if (!ended.includes(id)) problems.push(`${conversation}: ${id} was accepted and its turn has not ended`)
  if (JSON.stringify(ended) !== JSON.stringify(received.filter((id) => ended.includes(id))))
    problems.push(`${conversation}: turns ended in another order than their messages came`)
  return problems
}

async function checkEffects(
  database: Database,
  calls: ReadonlyMap<string, { readonly tool: string; readonly count: number }>,
): Promise<string[]> {
  const problems: string[] = []
  const rows = await database.tenant(TENANT, (sql) =>
    sql.query<{ id: string; tool: string; status: string }>('select id, tool, status from effects where tenant = $1', [
      TENANT,
    ]),
  )
  const ledger = new Map(rows.map((row) => [row.id, row]))
  for (const [key, { tool, count }] of calls) {
    const row = ledger.get(key)
    if (row === undefined) problems.push(`${tool} ${key} happened and is not in the ledger`)
    if (tool === 'plain' && count > 1) problems.push(`plain ${key} happened ${count} times`)
  }
  for (const row of rows)
    if (row.status === 'intended')
      problems.push(`${row.tool} ${row.id} was begun and is neither done, failed nor unknown`)
  return problems
}
