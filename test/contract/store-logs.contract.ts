/** What an adapter of the store port knows of the logs of events: marks, places, and where epochs were opened. */
import type { Fence, RelayedRow, Store } from '#shared/actor/store.ts'
import { newId } from '#shared/lib/ids.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { commandOf, outboxOf, stepOf } from './store.contract.ts'
import type { OpenedStore } from './store.contract.ts'

export function storeLogsContract(adapter: string, open: () => Promise<OpenedStore>): void {
  suite(`logs known to the store on ${adapter}`, ({ test, before, after }) => {
    let opened: OpenedStore | undefined
    const store = (): Store => {
      if (opened === undefined) throw new Error('the store is not open')
      return opened.store
    }
    before(async () => {
      opened = await open()
    })
    after(() => opened?.close())

    const hold = async (): Promise<Fence> => {
      const kind = `kind-${newId()}`
      return { tenant: 'acme', kind, partition: 0, epoch: await store().claim(kind, 0, 'node-1') }
    }

    test('knows the floors of a scope at any cursor, and that an opening has no place yet', async () => {
      const [fence, scope] = [await hold(), newId()]
      const opened = (who: string, epoch: number, sequence: number): Promise<void> =>
        store().opened({ tenant: 'acme', scope, who, epoch, sequence, log: 'EVT' })
      const write = (who: string, epoch: number): Promise<void> =>
        store()
          .commit(fence, [stepOf('a', { openings: [{ scope, who, epoch }] })])
          .then(() => undefined)
      await write('agent/a', 1)
      assert.equal(await store().floors('acme', scope, 100), { floors: [], pending: true })
      await opened('agent/a', 1, 10)
      await opened('agent/a', 1, 10)
      await write('agent/a', 1)
      assert.is((await store().floors('acme', scope, 100)).pending, false, 'its place is known from before')
      await write('agent/a', 2)
      await write('control', 5)
      await opened('agent/a', 2, 20)
      assert.is((await store().floors('acme', scope, 100)).pending, true, 'one of two')
      await opened('control', 5, 15)
      assert.equal(await store().floors('acme', scope, 9), { floors: [], pending: false })
      assert.equal(await store().floors('acme', scope, 10), { floors: [{ who: 'agent/a', epoch: 1 }], pending: false })
      const floors = await store().floors('acme', scope, 20)
      assert.equal(
        floors.floors.toSorted((a, b) => a.who.localeCompare(b.who)),
        [
          { who: 'agent/a', epoch: 2 },
          { who: 'control', epoch: 5 },
        ],
      )
      assert.equal(await store().floors('globex', scope, 100), { floors: [], pending: false })
    })

    test('keeps the mark of a stream', async () => {
      const stream = `EVT-${newId()}`
      assert.is(await store().logMark(stream), null)
      const mark = { incarnation: newId(), created: 1_700_000_000_000, sequence: 2 ** 40, at: 3 }
      await store().saveLogMark(stream, { ...mark, sequence: 1 })
      await store().saveLogMark(stream, mark)
      assert.equal(await store().logMark(stream), mark)
    })

    test('places the log of a tenant once, and marks no row that went to another', async () => {
      const tenant = 'globex'
      const fence = { ...(await hold()), tenant }
      const placed = async (): Promise<unknown> =>
        (await store().logPlaces()).find((row) => row.tenant === tenant)?.place
      const unsent = async (): Promise<string[]> => (await store().unsent(fence.kind, 0)).map(({ id }) => id)
      const ids = Array.from({ length: 3 }, () => newId())
      const steps = ids.map((id) => stepOf('a', { command: commandOf(newId()), outbox: { ...outboxOf('o'), id } }))
      await store().commit(fence, steps)
      const went = (id: string, log: string): RelayedRow => ({ tenant, id, log })
      assert.equal(await store().relayed([went(ids[0]!, 'EVT')]), [])
      const from = 2 ** 40
      const place = { tenant, stream: `EVT-${tenant}`, after: 12, from, at: 1_700_000_000_000, shared: newId() }
      assert.is(await store().placeLog(place), false, 'nobody has asked for it')
      await store().askForLog(tenant)
      await store().askForLog(tenant)
      assert.is(await placed(), null)
      assert.equal(await store().relayed([went(ids[1]!, 'EVT')]), [went(ids[1]!, 'EVT')], 'while it is being moved')
      assert.is(await store().placeLog(place), true)
      assert.is(await store().placeLog({ ...place, after: 13 }), false)
      await store().askForLog(tenant)
      assert.equal(await placed(), place)
      assert.equal(await store().relayed([went(ids[1]!, 'EVT'), went(ids[2]!, place.stream)]), [went(ids[1]!, 'EVT')])
      assert.equal(await unsent(), [ids[1]])
    })
  })
}
