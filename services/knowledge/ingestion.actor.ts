import { actor } from '#shared/actor/definition.ts'
import type { ActorDefinition, ChildEnd } from '#shared/actor/definition.ts'
import { Ingestion } from '#shared/contracts/ingestion.ts'
import { add, cancel, recrawl, relabel, remove, retry } from './ingest/documents.ts'
import { configureCollection, createCollection, reindex, removeCollection, rollback } from './ingest/collections.ts'
import { buildEnded } from './ingest/builds.ts'
import { curate } from './ingest/curate.ts'
import { ingestEnded } from './ingest/queue.ts'
import { initialState } from './ingest/state.ts'
import type { Ctx } from './ingest/state.ts'
import { sweep, sweepEnded } from './ingest/sweeps.ts'
import { abandonUpload, addPart, beginUpload, endUpload } from './ingest/uploads.ts'

/**
 * The one writer of a tenant's knowledge (key: `main`). Versions wait in its state and are read by child runs, at most
 * MAX_AT_WORK at a time, so that a tenant with a thousand files takes its share of the machines and no more. What it says
 * has the scope `knowledge`.
 *
 * A document is *live* in one version, *hidden* by one row, and gone when a sweep has found nothing left of it.
 */
export const ingestion: ActorDefinition = actor(Ingestion, {
  state: { version: 1, initial: initialState },
  sleepAfter: '2m',
  // A broker or a database that is down for a while is waited for; a hostile file fails at once by its code.
  children: { restarts: 5, within: '10m', backoff: ['1s', '30s'] },
  on: {
    createCollection,
    configureCollection,
    removeCollection,
    reindex,
    rollback,
    add,
    beginUpload,
    addPart,
    endUpload,
    abandonUpload,
    relabel,
    remove,
    cancel,
    retry,
    curate,
  },
  ended: async (ctx: Ctx, child: ChildEnd) => {
    if (child.kind === 'ingest') await ingestEnded(ctx, child)
    else if (child.kind === 'sweep') sweepEnded(ctx, child)
    else await buildEnded(ctx, child)
  },
  timers: { sweep, recrawl },
})
