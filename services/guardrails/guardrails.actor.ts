import { poolActor } from '#shared/actor/definition.ts'
import type { PoolDefinition } from '#shared/actor/definition.ts'
import { Guardrail } from '#shared/contracts/guardrail.ts'
import type { GuardrailSource } from '#shared/graph/output-guards/guardrail-row.ts'
import { checkStage } from './check-stage.ts'

/** Checks are computation alone: more at once in one process would only wait for each other. */
const CONCURRENCY = 16
const QUEUE = 2_048

/** Stateless: what it knows is the tenant's rows. A source that fails is an answer that fails, and so a refusal (I10). */
export function guardrailPool(source: GuardrailSource): PoolDefinition {
  return poolActor(Guardrail, {
    concurrency: CONCURRENCY,
    queue: QUEUE,
    on: {
      async check(ctx, request) {
        const { tenant, cause } = ctx
        const context = {
          tenant,
          agent: request.agent,
          user: cause.principal?.user ?? '',
          roles: cause.principal?.roles ?? [],
          taint: cause.taint,
          said: request.said,
          piece: request.piece,
        }
        return checkStage(await source.load(tenant), request, context, ctx.log)
      },
    },
  })
}
