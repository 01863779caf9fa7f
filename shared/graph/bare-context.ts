/**
 * Every step of a graph runs in a context of its own, for which LangChain makes a run tree of LangSmith (an id, two times,
 * the environment's metadata) also where nothing is traced: a seventh of what a turn costs. Nothing is traced here
 * (shared/models/tracing-off.ts), so the context holds only what is read of it: the config, and the variables of an outer one.
 */
import { AsyncLocalStorageProviderSingleton as contexts } from '@langchain/core/singletons'
import type { RunnableConfig } from '@langchain/core/runnables'

const CONFIG = Symbol.for('lc:child_config')
const VARIABLES = Symbol.for('lc:context_variables')

interface Context {
  readonly tracingEnabled: false
  readonly extra?: { readonly [CONFIG]: RunnableConfig | undefined }
  [VARIABLES]?: unknown
}

contexts.runWithConfig = <Result>(
  config: RunnableConfig | undefined,
  work: () => Result,
  withoutConfig?: boolean,
): Result => {
  const storage = contexts.getInstance()
  const outer = storage.getStore() as Context | undefined
  const variables = outer?.[VARIABLES]
  if (withoutConfig === true && variables === undefined) return storage.run(undefined, work)
  const context: Context = {
    tracingEnabled: false,
    ...(withoutConfig === true ? {} : { extra: { [CONFIG]: config } }),
    ...(variables === undefined ? {} : { [VARIABLES]: variables }),
  }
  return storage.run(context as never, work)
}
