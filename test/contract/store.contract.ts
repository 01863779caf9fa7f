/**
 * What every adapter of the store port (shared/actor/store.ts) must do. Run it with a function that opens a store; the
 * suite opens one and keeps its tests apart by tenants and kinds of their own.
 */
import type { EffectIntent, EffectRow, Fence, RunChange, Step, Store, TimerRow } from '#shared/actor/store.ts'
import { newId } from '#shared/lib/ids.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

export interface OpenedStore {
  readonly store: Store
  close(): Promise<void>
}

export function storeContract(adapter: string, open: () => Promise<OpenedStore>): void {
  suite(`store on ${adapter}`, ({ test, before, after }) => {
    let opened: OpenedStore | undefined
    const store = (): Store => {
      if (opened === undefined) throw new Error('the store is not open')
      return opened.store
    }
    before(async () => {
      opened = await open()
    })
    after(() => opened?.close())

    /** A held partition of a kind that no other test uses. */
    const hold = async (partition = 0): Promise<Fence> => {
      const kind = `kind-${newId()}`
      return { tenant: 'acme', kind, partition, epoch: await store().claim(kind, partition, 'node-1') }
    }

    test('mints epochs from 1, for each partition of each kind by itself', async () => {
      const [one, two] = [await hold(), await hold(1)]
      assert.is(one.epoch, 1)
      assert.is(two.epoch, 1)
      assert.is(await store().claim(one.kind, 0, 'node-2'), 2)
      assert.is(await store().claim(one.kind, 0, 'node-2'), 3)
      assert.is(await store().claim(one.kind, 1, 'node-2'), 1)
      const holders = (await store().holders()).filter((holder) => holder.kind === one.kind)
      assert.equal(
        holders.toSorted((a, b) => a.partition - b.partition),
        [
          { kind: one.kind, partition: 0, epoch: 3, holder: 'node-2' },
          { kind: one.kind, partition: 1, epoch: 1, holder: 'node-2' },
        ],
      )
    })

    test('mints each epoch once when many claim at the same moment', async () => {
      const { kind } = await hold()
      const epochs = await Promise.all(Array.from({ length: 8 }, (_, n) => store().claim(kind, 0, `node-${n}`)))
      assert.equal(
        epochs.toSorted((a, b) => a - b),
        [2, 3, 4, 5, 6, 7, 8, 9],
      )
    })

    test('refuses a partition count that differs from the stored one', async () => {
      const kind = `kind-${newId()}`
      await store().declare([{ kind, partitions: 4 }])
      await store().declare([
        { kind, partitions: 4 },
        { kind: `kind-${newId()}`, partitions: 1 },
      ])
      assert.is(await codeOf(store().declare([{ kind, partitions: 8 }])), 'PARTITIONS_DIFFER')
    })

    test('gives back the state that was committed, and nothing for an actor that never committed', async () => {
      const fence = await hold()
      const value = {
        list: [1, 'two', null],
        text: 'zero \0, half a pair \uD800, and ünïcödé 🐝',
        nested: { deep: true },
      }
      assert.is(await store().load('acme', fence.kind, 'a'), null)
      await commit(fence, stepOf('a', { state: { version: 3, value } }))
      assert.equal(await store().load('acme', fence.kind, 'a'), { epoch: 1, version: 3, value })
      assert.is(await store().load('globex', fence.kind, 'a'), null)
    })

    test('remembers the epoch of an actor without state, and keeps state that a step leaves alone', async () => {
      const fence = await hold()
      await commit(fence, stepOf('a'))
      assert.equal(await store().load('acme', fence.kind, 'a'), { epoch: 1, version: 0, value: null })
      await commit(fence, stepOf('a', { state: { version: 1, value: { turns: 1 } } }))
      const next = { ...fence, epoch: await store().claim(fence.kind, 0, 'node-2') }
      await commit(next, stepOf('a'))
      assert.equal(await store().load('acme', fence.kind, 'a'), { epoch: 2, version: 1, value: { turns: 1 } })
    })

    test('refuses an epoch that was taken over, and one that was never minted, and writes nothing', async () => {
      const fence = await hold()
      await store().claim(fence.kind, 0, 'node-2')
      const step = stepOf('a', { command: commandOf('c1'), outbox: outboxOf('o1'), state: { version: 1, value: 1 } })
      for (const epoch of [0, 1, 3]) {
        assert.is(await codeOf(store().commit({ ...fence, epoch }, [step])), 'STALE_EPOCH')
      }
      const elsewhere = { ...fence, kind: `kind-${newId()}` }
      assert.is(await codeOf(store().commit(elsewhere, [step])), 'STALE_EPOCH')
      assert.is(await store().load('acme', fence.kind, 'a'), null)
      assert.is((await store().processed('acme', fence.kind, 'a', ['c1'])).size, 0)
      assert.is((await store().unsent(fence.kind, 0)).length, 0)
    })

    test('applies nothing of a batch that holds a command processed before, and names it', async () => {
      const fence = await hold()
      await commit(fence, stepOf('a', { command: commandOf('c1'), outbox: outboxOf('o1') }))
      const again = stepOf('a', { command: commandOf('c1'), outbox: outboxOf('o1b') })
      const fresh = stepOf('b', {
        command: commandOf('c2'),
        outbox: outboxOf('o2'),
        state: { version: 1, value: 'b' },
        timers: [{ name: 't', dueAt: 5, payload: null }],
        runs: [startOf(fence, 'b', 'r')],
        openings: [{ scope: 's-dup', who: 'b', epoch: 1 }],
      })
      assert.equal(await store().commit(fence, [fresh, again]), { duplicates: ['c1'] })
      assert.is(await store().load('acme', fence.kind, 'b'), null)
      assert.equal(
        (await store().unsent(fence.kind, 0)).map((row) => row.id),
        [`${fence.kind}-o1`],
      )
      assert.equal(await store().timers(fence.kind, 0, 10), [])
      assert.equal(await store().unfinishedRuns(fence.kind, 0), [])
      assert.equal(await store().floors('acme', 's-dup', 0), { floors: [], pending: false })
      assert.equal(await store().commit(fence, [fresh]), { duplicates: [] })
      assert.equal(await store().commit(fence, [fresh, again]), { duplicates: ['c2', 'c1'] }, 'both are known now')
    })

    test('tells the same command id of two actors, two kinds and two tenants apart', async () => {
      const [fence, other] = [await hold(), await hold()]
      const step = (key: string, outbox: string): Step =>
        stepOf(key, { command: commandOf('same'), outbox: outboxOf(outbox) })
      await commit(fence, step('a', 'o1'))
      await commit(fence, step('b', 'o2'))
      await commit(other, step('a', 'o3'))
      await commit({ ...fence, tenant: 'globex' }, step('a', 'o1'))
    })

    test('says of a command that was processed the receipt that was said then', async () => {
      const fence = await hold()
      const receipt = new Uint8Array([0, 255, 7])
      await commit(fence, stepOf('a', { command: { id: 'c1', at: 1, receipt } }))
      await commit(fence, stepOf('a', { command: { id: 'c2', at: 2, receipt: null } }))
      const processed = await store().processed('acme', fence.kind, 'a', ['c1', 'c2', 'c3'])
      assert.equal([...processed.keys()].toSorted(), ['c1', 'c2'])
      assert.equal(processed.get('c1'), receipt)
      assert.is(processed.get('c2'), null)
    })

    test('keeps the outbox in order until it is relayed', async () => {
      const fence = await hold(2)
      await store().claim(fence.kind, 3, 'node-1')
      const rows = (): Promise<readonly string[]> =>
        store()
          .unsent(fence.kind, 2)
          .then((unsent) => unsent.map((row) => row.id))
      const id = (name: string): string => `${fence.kind}-${name}`
      await commit(fence, stepOf('a', { outbox: outboxOf('o1') }), stepOf('b', { outbox: outboxOf('o2') }))
      await commit({ ...fence, tenant: 'globex' }, stepOf('a', { outbox: outboxOf('o3') }))
      await commit({ ...fence, partition: 3 }, stepOf('c', { outbox: outboxOf('o4') }))
      assert.equal(await rows(), [id('o1'), id('o2'), id('o3')])
      const [first] = await store().unsent(fence.kind, 2)
      if (first === undefined) throw new Error('a row was expected')
      const { tenant, id: rowId, kind, partition, key, epoch, entries } = first
      assert.equal(
        { tenant, id: rowId, kind, partition, key, epoch, entries },
        {
          tenant: 'acme',
          id: id('o1'),
          kind: fence.kind,
          partition: 2,
          key: 'a',
          epoch: 1,
          entries: outboxOf('o1').entries,
        },
      )
      const before = Date.now()
      await store().relayed([
        { tenant: 'acme', id: id('o2'), log: 'EVT' },
        { tenant: 'acme', id: id('o3'), log: 'EVT' },
      ])
      assert.equal(await rows(), [id('o1'), id('o3')], 'o3 is not a row of acme')
      const again = await store().relayedSince(before)
      assert.equal(
        again.filter((row) => row.kind === fence.kind).map((row) => row.id),
        [id('o2')],
      )
      assert.equal(
        (await store().relayedSince(Date.now() + 60_000)).filter((row) => row.kind === fence.kind),
        [],
      )
    })

    test('keeps timers by actor and name, and gives those that are due', async () => {
      const fence = await hold()
      const payload = { note: 'a\0b', n: 1 }
      await commit(
        fence,
        stepOf('a', {
          timers: [
            { name: 'late', dueAt: 300, payload },
            { name: 'early', dueAt: 100, payload: null },
            { name: 'gone', dueAt: 150, payload: 'x' },
          ],
        }),
        stepOf('b', { timers: [{ name: 'early', dueAt: 50, payload: 1 }] }),
      )
      await commit(
        fence,
        stepOf('a', {
          timers: [
            { name: 'late', dueAt: 200, payload },
            { name: 'gone', dueAt: null },
          ],
        }),
      )
      const due = async (at: number): Promise<unknown[]> =>
        (await store().timers(fence.kind, 0, at)).map(plain).toSorted((one, other) => one.dueAt - other.dueAt)
      const plain = ({ tenant, key, name, dueAt, payload: note }: TimerRow): TimerRow => ({
        tenant,
        key,
        name,
        dueAt,
        payload: note,
      })
      const rows = [
        { tenant: 'acme', key: 'b', name: 'early', dueAt: 50, payload: 1 },
        { tenant: 'acme', key: 'a', name: 'early', dueAt: 100, payload: null },
        { tenant: 'acme', key: 'a', name: 'late', dueAt: 200, payload },
      ]
      assert.equal(await due(1000), rows)
      assert.equal(await due(200), rows, 'what is due now is due')
      assert.equal(await due(199), rows.slice(0, 2))
      assert.equal(await due(49), [])
      assert.equal(await store().timers(fence.kind, 1, 1000), [])
    })

    test('keeps a run until it has ended, with its parent, its attempts and its result', async () => {
      const fence = await hold(5)
      await commit(fence, stepOf('a', { runs: [startOf(fence, 'a', 'r1'), startOf(fence, 'a', 'r2')] }))
      const started = {
        tenant: 'acme',
        kind: 'run',
        key: `${fence.kind}-r1`,
        parentKind: fence.kind,
        parentKey: 'a',
        partition: 5,
        state: 'running',
        attempt: 1,
        restarts: [],
        deadline: 1_900_000_000_000,
        envelope: new Uint8Array([1, 2, 3]),
        result: null,
        error: null,
      }
      assert.equal(await store().run('acme', 'run', started.key), started)
      assert.is(await store().run('globex', 'run', started.key), null)
      await commit(
        fence,
        stepOf('a', {
          runs: [updateOf(fence, 'r1', 'waiting', { attempt: 2, restarts: [5, 6] }), updateOf(fence, 'r2', 'running')],
        }),
      )
      assert.equal(
        (await store().unfinishedRuns(fence.kind, 5)).map((run) => [run.key, run.state, run.attempt, run.restarts]),
        [
          [`${fence.kind}-r1`, 'waiting', 2, [5, 6]],
          [`${fence.kind}-r2`, 'running', 1, []],
        ],
      )
      assert.equal(await store().unfinishedRuns(fence.kind, 4), [])
      await commit(
        fence,
        stepOf('a', { runs: [updateOf(fence, 'r1', 'done', { attempt: 2, result: { said: 'ok\0' } })] }),
        stepOf('a', { runs: [updateOf(fence, 'r2', 'failed', { error: { code: 'DEADLINE' } })] }),
      )
      assert.equal(await store().unfinishedRuns(fence.kind, 5), [])
      assert.equal(await store().run('acme', 'run', started.key), {
        ...started,
        state: 'done',
        attempt: 2,
        result: { said: 'ok\0' },
      })
      assert.equal((await store().run('acme', 'run', `${fence.kind}-r2`))?.error, { code: 'DEADLINE' })
    })

    test('starts and ends a run within one batch', async () => {
      const fence = await hold()
      await commit(
        fence,
        stepOf('a', { runs: [startOf(fence, 'a', 'r1')] }),
        stepOf('a', { runs: [updateOf(fence, 'r1', 'stopped')] }),
      )
      assert.is((await store().run('acme', 'run', `${fence.kind}-r1`))?.state, 'stopped')
      assert.equal(await store().unfinishedRuns(fence.kind, 0), [])
    })

    test('takes the last state of an actor that has several steps in one batch', async () => {
      const fence = await hold()
      await commit(
        fence,
        stepOf('a', { command: commandOf('c1'), state: { version: 1, value: 'first' } }),
        stepOf('a', { command: commandOf('c2'), state: { version: 1, value: 'second' } }),
        stepOf('a', { command: commandOf('c3') }),
      )
      assert.is((await store().load('acme', fence.kind, 'a'))?.value, 'second')
      assert.is((await store().processed('acme', fence.kind, 'a', ['c1', 'c2', 'c3'])).size, 3)
    })

    test('counts attempts of a command until a step clears them', async () => {
      const fence = await hold()
      const error = { code: 'CRASHED', message: 'boom \0', at: 1 }
      assert.is(await store().attempt(fence, 'a', 'c1', null), 1)
      assert.is(await store().attempt(fence, 'a', 'c1', error), 2)
      assert.is(await store().attempt(fence, 'a', 'c2', null), 1)
      assert.is(await store().attempt(fence, 'b', 'c1', null), 1)
      await commit(fence, stepOf('a', { command: commandOf('c1'), clearAttempts: 'c1' }))
      assert.is(await store().attempt(fence, 'a', 'c1', null), 1)
      assert.is(await store().attempt(fence, 'a', 'c2', error), 2)
      await store().claim(fence.kind, 0, 'node-2')
      assert.is(await codeOf(store().attempt(fence, 'a', 'c1', null)), 'STALE_EPOCH')
    })

    test('buries a letter twice as harmlessly as once, also without a tenant', async () => {
      const fence = await hold()
      const letter = {
        id: newId(),
        tenant: '-',
        subject: 'not a subject \0',
        payload: new Uint8Array([0, 1, 2]),
        code: 'UNDECODABLE',
        message: 'bytes \0',
        attempts: 1,
        history: [{ code: 'UNDECODABLE', message: 'x', at: 1 }],
        trace: '',
        at: 1,
      }
      await store().bury(letter)
      await store().bury(letter)
      const own = { ...letter, tenant: 'acme', id: newId() }
      await commit(fence, stepOf('a', { command: commandOf('c1'), deadLetter: own }))
      await store().bury(own)
      assert.is((await store().processed('acme', fence.kind, 'a', ['c1'])).size, 1)
    })

    test('writes an intended effect once, and gives back the row to whoever comes again', async () => {
      const fence = await hold()
      const intent: EffectIntent = {
        id: newId(),
        run: 'r1',
        tool: 'refund',
        argsHash: 'h1',
        repeatable: false,
      }
      assert.equal(effect(await store().intend(fence, intent)), {
        ...intent,
        status: 'intended',
        result: null,
        fresh: true,
      })
      assert.equal(effect(await store().intend(fence, intent)), {
        ...intent,
        status: 'intended',
        result: null,
        fresh: false,
      })
      assert.is(await codeOf(store().intend(fence, { ...intent, argsHash: 'h2' })), 'ID_REUSED')

      const outcomes = ['failed', 'unknown', 'failed', 'done', 'unknown', 'failed'] as const
      const known: string[] = []
      for (const status of outcomes) {
        await store().settle(fence, intent.id, { status, result: status === 'done' ? { refunded: 5 } : null })
        known.push((await store().intend(fence, intent)).status)
      }
      assert.equal(known, ['failed', 'unknown', 'unknown', 'done', 'done', 'done'], 'what is known only grows')
      assert.equal(effect(await store().intend(fence, intent)), {
        ...intent,
        status: 'done',
        result: { refunded: 5 },
        fresh: false,
      })
      assert.ok((await store().intend({ ...fence, tenant: 'globex' }, intent)).fresh, 'another tenant, another effect')
      assert.equal(await store().intendedBy(fence.tenant, intent.run), [])
      assert.equal(await store().intendedBy('globex', intent.run), [intent.id])
      await store().claim(fence.kind, 0, 'node-2')
      assert.is(await codeOf(store().intend(fence, { ...intent, id: newId() })), 'STALE_EPOCH')
      assert.is(await codeOf(store().settle(fence, intent.id, { status: 'done', result: null })), 'STALE_EPOCH')
    })

    test('sweeps what is past its retention, and only that', async () => {
      const fence = await hold()
      const step = (n: number, at: number): Step =>
        stepOf('a', { command: { id: `c${n}`, at, receipt: null }, outbox: outboxOf(`o${n}`) })
      await commit(fence, step(1, 1_000), step(2, 5_000), step(3, 9_000))
      const [first, second] = await store().unsent(fence.kind, 0)
      if (first === undefined || second === undefined) throw new Error('two rows were expected')
      await store().relayed([first, second].map(({ tenant, id }) => ({ tenant, id, log: 'EVT' })))
      assert.ok((await store().sweep({ processed: 5_000, relayed: 0 })) >= 1)
      assert.equal([...(await store().processed('acme', fence.kind, 'a', ['c1', 'c2', 'c3'])).keys()].toSorted(), [
        'c2',
        'c3',
      ])
      const ours = async (): Promise<number> =>
        (await store().relayedSince(0)).filter((row) => row.kind === fence.kind).length
      assert.is(await ours(), 2)
      await store().sweep({ processed: 0, relayed: Date.now() + 60_000 })
      assert.is(await ours(), 0)
      assert.is((await store().unsent(fence.kind, 0)).length, 1, 'what is unsent is never swept')
    })

    test('commits the step of a transaction, once', async () => {
      const fence = await hold()
      const step = stepOf('a', {
        command: commandOf('c1'),
        state: { version: 1, value: 1 },
        outbox: outboxOf('o1'),
        timers: [{ name: 't', dueAt: 1, payload: null }],
      })
      const first = await store().begin(fence)
      assert.is(first.pending, 0)
      assert.is(first.sql.tenant, 'acme')
      assert.equal(await first.commit(step), { duplicates: [] })
      const second = await store().begin(fence)
      assert.equal(await second.commit({ ...step, state: { version: 1, value: 2 } }), { duplicates: ['c1'] })
      assert.is((await store().load('acme', fence.kind, 'a'))?.value, 1)
      assert.is((await store().unsent(fence.kind, 0)).length, 1)
      assert.is((await store().timers(fence.kind, 0, 2)).length, 1)
    })

    test('leaves nothing of a transaction that is rolled back, and refuses one under a stale epoch', async () => {
      const fence = await hold()
      const transaction = await store().begin(fence)
      await transaction.rollback()
      await transaction.rollback()
      assert.is(await store().load('acme', fence.kind, 'a'), null)
      await store().claim(fence.kind, 0, 'node-2')
      assert.is(await codeOf(store().begin(fence)), 'STALE_EPOCH')
    })

    test('makes a takeover wait for an open transaction, and lets none of the old epoch in after it', async () => {
      const fence = await hold()
      const transaction = await store().begin(fence)
      let claimed = 0
      const claim = store()
        .claim(fence.kind, 0, 'node-2')
        .then((epoch) => {
          claimed = epoch
        })
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      assert.is(claimed, 0, 'the takeover did not wait')
      assert.equal(await transaction.commit(stepOf('a', { state: { version: 1, value: 'in time' } })), {
        duplicates: [],
      })
      await claim
      assert.is(claimed, 2)
      assert.is(
        await codeOf(store().commit(fence, [stepOf('a', { state: { version: 1, value: 'late' } })])),
        'STALE_EPOCH',
      )
      assert.equal(await store().load('acme', fence.kind, 'a'), { epoch: 1, version: 1, value: 'in time' })
    })

    test('commits concurrent batches of many actors of one partition without loss', async () => {
      const fence = await hold()
      const lanes = Array.from({ length: 8 }, async (_, lane) => {
        for (let n = 0; n < 10; n++) {
          const batch = [0, 1, 2].map((part) =>
            stepOf(`a${lane}-${part}`, {
              command: commandOf(`c${lane}-${part}-${n}`),
              state: { version: 1, value: n },
              outbox: outboxOf(`o${lane}-${part}-${n}`),
            }),
          )
          assert.equal(await store().commit(fence, batch), { duplicates: [] })
        }
      })
      await Promise.all(lanes)
      const unsent = await store().unsent(fence.kind, 0)
      assert.is(unsent.length, 240)
      for (let lane = 0; lane < 8; lane++) {
        const order = unsent.filter((row) => row.key === `a${lane}-0`).map((row) => row.id.split('-').at(-1))
        assert.equal(order, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'], 'rows of an actor are in its order')
        assert.is((await store().load('acme', fence.kind, `a${lane}-2`))?.value, 9)
      }
    })

    async function commit(fence: Fence, ...steps: readonly Step[]): Promise<void> {
      const named = steps.map((step) =>
        step.outbox === null ? step : { ...step, outbox: { ...step.outbox, id: `${fence.kind}-${step.outbox.id}` } },
      )
      assert.equal(await store().commit(fence, named), { duplicates: [] })
    }
  })
}

export function stepOf(key: string, parts: Partial<Step> = {}): Step {
  return {
    key,
    command: null,
    state: null,
    outbox: null,
    timers: [],
    runs: [],
    openings: [],
    deadLetter: null,
    clearAttempts: null,
    ...parts,
  }
}

export function commandOf(id: string): NonNullable<Step['command']> {
  return { id, at: Date.now(), receipt: null }
}

export function outboxOf(id: string): NonNullable<Step['outbox']> {
  return { id, entries: new TextEncoder().encode(`entries of ${id}`) }
}

/** The members that the port names. */
function effect({ id, run, tool, argsHash, repeatable, status, result, fresh }: EffectRow): EffectRow {
  return { id, run, tool, argsHash, repeatable, status, result, fresh }
}

function startOf(fence: Fence, parentKey: string, key: string): RunChange {
  return {
    change: 'start',
    run: {
      kind: 'run',
      key: `${fence.kind}-${key}`,
      parentKind: fence.kind,
      parentKey,
      deadline: 1_900_000_000_000,
      envelope: new Uint8Array([1, 2, 3]),
    },
  }
}

function updateOf(
  fence: Fence,
  key: string,
  state: 'running' | 'waiting' | 'done' | 'failed' | 'stopped',
  parts: { attempt?: number; restarts?: readonly number[]; result?: unknown; error?: unknown } = {},
): RunChange {
  const { attempt = 1, restarts = [], result = null, error = null } = parts
  return { change: 'update', kind: 'run', key: `${fence.kind}-${key}`, state, attempt, restarts, result, error }
}
