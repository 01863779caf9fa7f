import { runService } from '#shared/service/service.ts'
import type { Service } from '#shared/service/service.ts'
import { noCheckpoints } from '#shared/graph/run-saver.ts'
import { agent } from './agent.actor.ts'
import { runOf } from './run.actor.ts'
import { guardrailSource, profileSource } from './sources.ts'

/** The agents role: every agent of every tenant, and their runs. */
export function hostAgents({ system, configs, platformModel, models }: Service): void {
  system.host(
    agent,
    runOf({
      profiles: profileSource(configs, platformModel),
      guardrails: guardrailSource(configs),
      models,
      saver: () => noCheckpoints(),
    }),
  )
}

if (import.meta.main) await runService('agents', hostAgents)
