import { AsyncLocalStorageProviderSingleton as contexts } from '@langchain/core/singletons'
import { RunnableLambda } from '@langchain/core/runnables'
import { getContextVariable, setContextVariable } from '@langchain/core/context'
import { Annotation, END, START, StateGraph, getConfig } from '@langchain/langgraph'

import '#shared/graph/bare-context.ts'
import { assert, suite } from '#test/kit/suite.ts'

const State = Annotation.Root({ seen: Annotation<unknown[]>({ reducer: (old, more) => [...old, ...more] }) })

suite('the context of a step', ({ test }) => {
  test('holds the config of its own run, also after an await and beside other runs', async () => {
    const look = async (): Promise<{ seen: unknown[] }> => {
      const before = getConfig()?.configurable?.['thread_id'] as unknown
      await new Promise((resolve) => setImmediate(resolve))
      return { seen: [before, getConfig()?.configurable?.['thread_id']] }
    }
    const graph = new StateGraph(State).addNode('look', look).addEdge(START, 'look').addEdge('look', END).compile()
    const threads = ['a', 'b', 'c']
    const states = await Promise.all(
      threads.map((thread) => graph.invoke({ seen: [] }, { configurable: { thread_id: thread } })),
    )
    assert.equal(
      states.map((state) => state.seen),
      threads.map((thread) => [thread, thread]),
    )
    assert.is(contexts.getRunnableConfig(), undefined, 'nothing is left outside')
  })

  test('hands tags down to what a step calls, as without it', async () => {
    const inner = RunnableLambda.from((_: string, config) => config?.tags ?? [])
    const outer = RunnableLambda.from(async (text: string) => await inner.invoke(text))
    assert.equal(await outer.invoke('x', { tags: ['outer'] }), ['outer'])
  })

  test('keeps the variables of the context around it', async () => {
    const read = RunnableLambda.from(() => getContextVariable<string>('who') ?? 'nobody')
    const outer = RunnableLambda.from(async () => {
      setContextVariable('who', 'ada')
      return await read.invoke('x')
    })
    assert.is(await outer.invoke('x'), 'ada')
    assert.is(await read.invoke('x'), 'nobody')
  })

  test('makes no run tree', () => {
    contexts.runWithConfig({ tags: [] }, () => {
      assert.not.ok('id' in ((contexts.getInstance().getStore() ?? {}) as object))
    })
  })
})
