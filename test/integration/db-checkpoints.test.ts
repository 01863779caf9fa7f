/** The checkpoint saver beyond LangGraph's specification: fence, tenant, batching, and a graph that dies and is resumed. */
import { Annotation, END, START, StateGraph, interrupt } from '@langchain/langgraph'
import type { BaseCheckpointSaver, Checkpoint } from '@langchain/langgraph'
import { Client } from 'pg'

import type { Fence, Store } from '#shared/actor/store.ts'
import { Checkpoints } from '#shared/db/checkpoints.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import { CheckpointSaver } from '#shared/graph/checkpoint-saver.ts'
import type { CheckpointBatch, CheckpointStore } from '#shared/graph/checkpoint-store.ts'
import { systemClock } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { newId } from '#shared/lib/ids.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

import { servers } from './db-servers.ts'
import type { OpenedDatabase } from './db-servers.ts'

const State = Annotation.Root({
  log: Annotation<string[]>({ reducer: (old, more) => [...old, ...more], default: () => [] }),
})

/** `steps` nodes in a row; each calls `visit` and adds its number to the log. */
function chain(steps: number, visit: (n: number) => void, saver: BaseCheckpointSaver) {
  const graph = new StateGraph(State).addNode('s0', () => {
    visit(0)
    return { log: ['0'] }
  })
  let builder = graph.addEdge(START, 's0') as unknown as Builder
  for (let n = 1; n < steps; n++) {
    builder = builder
      .addNode(`s${n}`, () => {
        visit(n)
        return { log: [String(n)] }
      })
      .addEdge(`s${n - 1}`, `s${n}`)
  }
  return builder.addEdge(`s${steps - 1}`, END).compile({ checkpointer: saver })
}
interface Builder {
  addNode(name: string, node: () => { log: string[] }): Builder
  addEdge(from: string, to: string): Builder
  compile(options: { checkpointer: BaseCheckpointSaver }): {
    invoke(input: { log: string[] } | null, config: object): Promise<{ log: string[] }>
  }
}

for (const server of servers) {
  suite(`checkpoint saver on ${server.name}`, ({ test, before, after }) => {
    let opened: OpenedDatabase
    let store: Store
    let checkpoints: Checkpoints
    before(async () => {
      opened = await server.open()
      store = createStore(opened.database)
      checkpoints = new Checkpoints(opened.database)
    })
    after(() => opened.close())

    const hold = async (): Promise<Fence> => {
      const kind = `kind-${newId()}`
      return { tenant: 'acme', kind, partition: 0, epoch: await store.claim(kind, 0, 'node-1') }
    }
    const count = async (table: string, thread: string): Promise<number> => {
      const client = new Client({ connectionString: opened.url })
      await client.connect()
      const { rows } = await client.query<{ n: number }>(`select count(*)::int as n from ${table} where thread = $1`, [
        thread,
      ])
      await client.end()
      return rows[0]?.n ?? -1
    }
    const configOf = (thread: string) => ({ configurable: { thread_id: thread } })

    test('resumes a graph that died in the middle, without repeating a finished step', async () => {
      const [fence, thread] = [await hold(), newId()]
      const visited: number[] = []
      const dying = chain(
        5,
        (n) => {
          visited.push(n)
          if (n === 3 && visited.length === 4) throw new Error('died')
        },
        new CheckpointSaver({ checkpoints, fence }),
      )
      assert.is(await codeOf(dying.invoke({ log: ['in'] }, configOf(thread))), 'no code: Error: died')
      const next = { ...fence, epoch: await store.claim(fence.kind, 0, 'node-2') }
      const resumed = chain(5, (n) => visited.push(n), new CheckpointSaver({ checkpoints, fence: next }))
      const state = await resumed.invoke(null, configOf(thread))
      assert.equal(state.log, ['in', '0', '1', '2', '3', '4'])
      assert.equal(visited, [0, 1, 2, 3, 3, 4])
    })

    test('refuses everything under an epoch that was taken over, and stops the graph with it', async () => {
      const [fence, thread] = [await hold(), newId()]
      let taken = false
      const visited: number[] = []
      const saver = new CheckpointSaver({ checkpoints, fence })
      const overtaken = chain(4, (n) => visited.push(n), saver)
      const claiming = store.claim(fence.kind, 0, 'node-2').then(() => {
        taken = true
      })
      await claiming
      assert.ok(taken)
      assert.is(await codeOf(overtaken.invoke({ log: [] }, { ...configOf(thread), durability: 'sync' })), 'STALE_EPOCH')
      assert.is(await codeOf(saver.durable()), 'STALE_EPOCH')
      assert.is(await codeOf(saver.deleteThread(thread)), 'STALE_EPOCH')
      assert.is(await count('checkpoints', thread), 0)
    })

    test('keeps the threads of tenants apart, even of the same name', async () => {
      const [fence, thread] = [await hold(), newId()]
      const theirs = { ...fence, tenant: 'globex' }
      const [ours, others] = [fence, theirs].map((each) => new CheckpointSaver({ checkpoints, fence: each }))
      if (ours === undefined || others === undefined) throw new Error('two savers were expected')
      await chain(2, () => {}, ours).invoke({ log: ['ours'] }, configOf(thread))
      assert.is(await others.getTuple(configOf(thread)), undefined)
      assert.is((await Array.fromAsync(others.list(configOf(thread)))).length, 0)
      await chain(2, () => {}, others).invoke({ log: ['theirs'] }, configOf(thread))
      const tuple = await ours.getTuple(configOf(thread))
      assert.equal(tuple?.checkpoint.channel_values['log'], ['ours', '0', '1'])
      await others.deleteThread(thread)
      assert.ok(await ours.getTuple(configOf(thread)))
    })

    test('waits for a person without being kept anywhere but in its checkpoint', async () => {
      const [fence, thread] = [await hold(), newId()]
      const graph = (saver: BaseCheckpointSaver) =>
        new StateGraph(State)
          .addNode('ask', () => ({ log: [String(interrupt('may I?'))] }))
          .addEdge(START, 'ask')
          .addEdge('ask', END)
          .compile({ checkpointer: saver })
      await graph(new CheckpointSaver({ checkpoints, fence })).invoke({ log: [] }, configOf(thread))
      const { Command } = await import('@langchain/langgraph')
      const next = { ...fence, epoch: await store.claim(fence.kind, 0, 'node-2') }
      const state = await graph(new CheckpointSaver({ checkpoints, fence: next })).invoke(
        new Command({ resume: 'yes' }),
        configOf(thread),
      )
      assert.equal(state.log, ['yes'])
    })

    test('keeps the newest checkpoints only while a long run goes on, and nothing after its end', async () => {
      const [fence, thread] = [await hold(), newId()]
      const saver = new CheckpointSaver({ checkpoints, fence, keep: 2 })
      const state = await chain(20, () => {}, saver).invoke(
        { log: ['in'] },
        { ...configOf(thread), recursionLimit: 50 },
      )
      await saver.durable()
      assert.is(state.log.length, 21)
      assert.is(await count('checkpoints', thread), 2)
      const values = await count('checkpoint_blobs', thread)
      assert.ok(values <= 8, `${values} values of channels`)
      assert.ok((await count('checkpoint_writes', thread)) <= 6)
      const tuple = await saver.getTuple(configOf(thread))
      assert.equal(tuple?.checkpoint.channel_values['log'], state.log)
      await saver.prune(thread)
      for (const table of ['checkpoints', 'checkpoint_blobs', 'checkpoint_writes'])
        assert.is(await count(table, thread), 0)
    })

    test('prunes to the newest, with the values that they name', async () => {
      const [fence, thread] = [await hold(), newId()]
      const saver = new CheckpointSaver({ checkpoints, fence })
      await chain(6, () => {}, saver).invoke({ log: ['in'] }, configOf(thread))
      const before = await saver.getTuple(configOf(thread))
      assert.ok((await count('checkpoints', thread)) > 6)
      await saver.prune(thread, 1)
      assert.is(await count('checkpoints', thread), 1)
      assert.equal(await saver.getTuple(configOf(thread)), before)
    })

    test('sweeps threads that nobody wrote to for long, a bounded number at a time', async () => {
      const fence = await hold()
      const threads = [newId(), newId(), newId()]
      for (const thread of threads) {
        await chain(1, () => {}, new CheckpointSaver({ checkpoints, fence })).invoke({ log: [] }, configOf(thread))
      }
      assert.is(await checkpoints.sweep(Date.now() - 60_000, 10), 0)
      const later = Date.now() + 60_000
      assert.is(await checkpoints.sweep(later, 1), 1)
      while ((await checkpoints.sweep(later, 10)) > 0);
      for (const thread of threads) {
        for (const table of ['checkpoints', 'checkpoint_blobs', 'checkpoint_writes'])
          assert.is(await count(table, thread), 0)
      }
    })

    test('stores text that PostgreSQL has no character for', async () => {
      const [fence, thread] = [await hold(), newId()]
      const saver = new CheckpointSaver({ checkpoints, fence })
      const log = ['zero \0, half \uD800']
      await chain(1, () => {}, saver).invoke({ log }, { ...configOf(thread), metadata: { note: 'a\0' } })
      const tuple = await saver.getTuple(configOf(thread))
      assert.equal(tuple?.checkpoint.channel_values['log'], [...log, '0'])
    })
  })
}

suite('checkpoint saver, batching', ({ test }) => {
  const fence: Fence = { tenant: 'acme', kind: 'agent', partition: 0, epoch: 1 }
  const checkpointOf = (id: string, version = 1): Checkpoint => ({
    v: 4,
    id,
    ts: '',
    channel_values: { a: id },
    channel_versions: { a: version },
    versions_seen: {},
  })
  const about = { source: 'loop' as const, step: 0, parents: {} }
  const config = { configurable: { thread_id: 't', checkpoint_ns: '', checkpoint_id: '0' } }

  /** Holds every write until it is let go. */
  function slowStore() {
    const batches: CheckpointBatch[] = []
    const waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
    const begun: (() => void)[] = []
    const store: CheckpointStore = {
      write: (_, batch) =>
        new Promise((resolve, reject) => {
          batches.push(batch)
          waiting.push({ resolve, reject })
          begun.shift()?.()
        }),
      read: () => Promise.resolve(null),
      list: () => Promise.resolve([]),
      prune: () => Promise.resolve(),
    }
    const begins = (): Promise<void> => new Promise((resolve) => begun.push(resolve))
    return { store, batches, waiting, begins }
  }

  test('sends what comes while a statement is under way in one statement after it, in order', async () => {
    const slow = slowStore()
    const saver = new CheckpointSaver({ checkpoints: slow.store, fence })
    const begun = slow.begins()
    const first = saver.put(config, checkpointOf('1'), about, { a: 1 })
    await begun
    const rest = [
      saver.putWrites(config, [['a', 1]], 'task'),
      saver.put(config, checkpointOf('2'), about, { a: 2 }),
      saver.put(config, checkpointOf('3'), about, { a: 3 }),
    ]
    let durable = false
    const waiting = saver.durable().then(() => {
      durable = true
    })
    await new Promise((resolve) => setImmediate(resolve)) // all of them are serialised
    const second = slow.begins()
    slow.waiting[0]?.resolve()
    await first
    await second
    assert.is(durable, false, 'not before all of it is stored')
    slow.waiting[1]?.resolve()
    await Promise.all([...rest, waiting])
    assert.equal(
      slow.batches.map((batch) => batch.checkpoints.map((each) => each.id)),
      [['1'], ['2', '3']],
    )
    assert.is(slow.batches[1]?.writes.length, 1)
  })

  test('fails everything that is put after a failure with the same error', async () => {
    const slow = slowStore()
    const saver = new CheckpointSaver({ checkpoints: slow.store, fence })
    const begun = slow.begins()
    const first = codeOf(saver.put(config, checkpointOf('1'), about, { a: 1 }))
    await begun
    const second = codeOf(saver.put(config, checkpointOf('2'), about, { a: 2 }))
    slow.waiting[0]?.reject(new Error('lost'))
    assert.equal(await Promise.all([first, second]), Array(2).fill('no code: Error: lost'))
    assert.is(await codeOf(saver.putWrites(config, [['a', 1]], 'task')), 'no code: Error: lost')
    assert.is(await codeOf(saver.durable()), 'no code: Error: lost')
    assert.is(slow.batches.length, 1, 'no checkpoint whose parent is missing')
  })

  test('with time to linger, gathers what comes until it must be durable or the time is over', async () => {
    const slow = slowStore()
    const timers: (() => void)[] = []
    const clock: Clock = { ...systemClock, setTimeout: (fn) => (timers.push(fn), () => void timers.splice(0)) }
    const saver = new CheckpointSaver({ checkpoints: slow.store, fence, lingerMs: 100, clock })
    await saver.putWrites(config, [['a', 1]], 'task')
    await saver.put(config, checkpointOf('1', 1), about, { a: 1 })
    const after1 = { configurable: { ...config.configurable, checkpoint_id: '1' } }
    await saver.putWrites(after1, [['a', 2]], 'task')
    await saver.put(after1, checkpointOf('2', 2), about, { a: 2 })
    assert.is(slow.batches.length, 0, 'nobody waits for a statement')
    let begun = slow.begins()
    const durable = saver.durable()
    await begun
    await saver.put(config, checkpointOf('3'), about, { a: 3 })
    slow.waiting[0]?.resolve()
    await durable
    assert.is(slow.batches.length, 1, 'what came later is not waited for')
    assert.is(timers.length, 1)
    begun = slow.begins()
    timers[0]?.()
    await begun
    slow.waiting[1]?.reject(new Error('lost'))
    assert.is(await codeOf(saver.durable()), 'no code: Error: lost')
    assert.is(await codeOf(saver.put(config, checkpointOf('4'), about, {})), 'no code: Error: lost')
    assert.equal(
      slow.batches.map((batch) => batch.checkpoints.map((each) => each.id)),
      [['2'], ['3']],
      'of those gathered together the newest',
    )
    assert.is(slow.batches[0]?.checkpoints[0]?.parentId, '0')
    assert.equal(
      slow.batches[0]?.blobs.map(({ channel, version }) => [channel, version]),
      [['a', '2']],
    )
    assert.equal(
      slow.batches[0]?.writes.map((write) => write.checkpointId),
      ['0'],
    )
  })

  test('of two writes at the same place the first counts, of two errors the last', async () => {
    for (const server of servers) {
      const opened = await server.open()
      const epoch = await createStore(opened.database).claim('agent', 0, 'node')
      const saver = new CheckpointSaver({ checkpoints: new Checkpoints(opened.database), fence: { ...fence, epoch } })
      await saver.put({ configurable: { thread_id: 't' } }, checkpointOf('0'), about, {})
      await Promise.all([
        saver.putWrites(config, [['a', 'first']], 'task'),
        saver.putWrites(config, [['a', 'second']], 'task'),
        saver.putWrites(config, [['__error__', 'first']], 'task'),
        saver.putWrites(config, [['__error__', 'second']], 'task'),
      ])
      await saver.putWrites(config, [['a', 'third']], 'task')
      await saver.putWrites(config, [['__error__', 'third']], 'task')
      const tuple = await saver.getTuple(config)
      assert.equal(tuple?.pendingWrites, [
        ['task', '__error__', 'third'],
        ['task', 'a', 'first'],
      ])
      await opened.close()
    }
  })
})
