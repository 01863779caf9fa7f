import { runService } from '#shared/service/service.ts'
import type { Service } from '#shared/service/service.ts'
import { Checkpoints } from '#shared/db/checkpoints.ts'
import { runSaver } from '#shared/graph/run-saver.ts'
import { agent } from './agent.actor.ts'
import { runOf } from './run.actor.ts'
import { guardrailSource, profileSource } from './sources.ts'

/** The agents role: every agent of every tenant, and their runs. */
export function hostAgents({ system, database, configs, platformModel, models }: Service): void {
  const checkpoints = new Checkpoints(database)
  system.host(
    agent,
    runOf({
      profiles: profileSource(configs, platformModel),
      guardrails: guardrailSource(configs),
      models,
      saver: (run) => runSaver(checkpoints, run),
    }),
  )
}

if (import.meta.main) await runService('agents', hostAgents)
