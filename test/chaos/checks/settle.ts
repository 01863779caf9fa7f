import { setTimeout as delay } from 'node:timers/promises'
import { coded } from '#shared/errors/waggle-error.ts'
import { pauseFigures } from '../load/stage.ts'
import type { Pauses } from '../load/stage.ts'
import type { Senders } from '../load/senders.ts'
import type { Viewers } from '../load/viewers.ts'
import type { World } from '../world/world.ts'
import { dump } from './dump.ts'
import { checkEffects } from './effects.ts'
import { checkReaders } from './readers.ts'
import { checkStored } from './stored.ts'
import { tenantLog } from './tenant-log.ts'
import { readTruth } from './truth.ts'
import type { Truth } from './truth.ts'
import { checkTurns } from './turns.ts'
import type { TurnRules } from './turns.ts'

export interface SettleOptions extends TurnRules {
  readonly senders?: Senders | undefined
  readonly viewers?: Viewers | undefined
  readonly pauses?: Pauses | undefined
  /** Patience since something last got better. */
  readonly withinMs?: number
  /** Of the log now, where it may have begun anew. */
  readonly incarnation?: () => Promise<string>
}

export interface Settled {
  readonly problems: string[]
  readonly figures: Readonly<Record<string, number>>
  readonly truth: Truth
}

const WITHIN_MS = 60_000
/** However slowly it gets better: a machine that is busy with something else has much to catch up. */
const AT_MOST_MS = 900_000
const AGAIN_MS = 500

/** Waits until everything that must hold does, as long as it gets better; what does not hold in time is a problem. The load has stopped before. */
export async function settle(world: World, options: SettleOptions): Promise<Settled> {
  const begun = performance.now()
  const { senders, viewers, pauses, withinMs = WITHIN_MS } = options
  let fewest = Infinity
  let better = begun
  for (;;) {
    const settled = await look(world, options).catch((error: unknown) => coded(error))
    if (!(settled instanceof Error) && settled.problems.length < fewest) {
      fewest = settled.problems.length
      better = performance.now()
    }
    const late = performance.now() - better > withinMs || performance.now() - begun > AT_MOST_MS
    if (settled instanceof Error) {
      if (late) throw settled
    } else if (settled.problems.length === 0 || late) {
      const { CHAOS_DUMP: folder } = process.env
      if (settled.problems.length > 0 && folder !== undefined) await dump(world, folder, settled.problems)
      return {
        ...settled,
        problems: [
          ...settled.problems,
          ...(senders?.problems ?? []),
          ...(viewers?.problems ?? []),
          ...(pauses?.problems ?? []),
        ],
        figures: {
          ...settled.figures,
          ...(pauses ? pauseFigures(pauses) : {}),
          settledMs: Math.round(performance.now() - begun),
        },
      }
    }
    await delay(AGAIN_MS)
  }
}

async function look(
  world: World,
  { senders, viewers, incarnation, afterLostTail = false }: SettleOptions,
): Promise<Settled> {
  const { database, effects } = world
  const truth = await readTruth(await tenantLog(world))
  const accepted = new Map([...(senders?.accepted ?? []), ...(viewers?.accepted ?? [])])
  const ledger = await checkEffects(database, effects, truth)
  const problems = [
    ...checkTurns(truth, accepted, { afterLostTail }),
    ...ledger.problems,
    ...(await checkStored(database, truth)),
    ...(viewers === undefined ? [] : checkReaders(truth, viewers.all, await incarnation?.())),
  ]
  const count = (senders?.count ?? 0) + (viewers?.count ?? 0)
  return { problems, figures: { accepted: count, ...ledger.figures, voided: truth.voided }, truth }
}
