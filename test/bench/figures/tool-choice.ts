import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { HumanMessage } from '@langchain/core/messages'

import { createModel } from '#shared/models/port.ts'

import type { Figure, Row } from '../row.ts'

/**
 * How well the builtin model chooses tools and fills their slots, on the public function-calling sets of the Berkeley
 * leaderboard. It is asked as any caller asks it: tools bound, one question, what comes back. A tool counts as chosen
 * when it is called, or when a required slot of it that the question does not hold is asked for; the note says how often
 * it was called at once.
 *
 * - multiple     the right one of two to four tools is chosen
 * - irrelevance  no tool fits, and none is chosen
 * - simple       one tool, which fits, is chosen
 * - slots        simple, and every argument is one of the accepted values (text compared as the leaderboard does: without
 *                case, blanks and ,./-_*^)
 *
 * The baseline is what a textbook does: BM25 over name and description, the best tool is called, whatever its score.
 * Rows with an even index were looked at while the recognisers were written, those with an odd index were not; the note
 * gives both. The baseline fills no slots.
 */
export const figure: Figure = {
  name: 'tool-choice',
  async run({ dataDir, quick }) {
    const sets = await readSets(dataDir, quick ? QUICK_ROWS : Number.POSITIVE_INFINITY)
    if (sets === null) {
      const note = `no ${SETS.multiple} in ${dataDir}`
      return BARS.map(({ part, bar }) => row(part, null, null, bar, null, note))
    }
    const scores = {
      multiple: await score(sets.multiple, isChosen),
      irrelevance: await score(sets.irrelevance, (_, { calls, asked }) => calls.length === 0 && asked === null),
      simple: await score(sets.simple, isChosen),
      slots: await score(
        sets.simple,
        (one, { calls }) => calls.length === 1 && calls[0]?.name === one.tool && accepted(calls[0].args, one.accepted),
      ),
    }
    const baselines = {
      multiple: share(sets.multiple, (one) => bm25Best(one) === one.tool),
      irrelevance: 0,
      simple: 1,
      slots: null,
    }
    return BARS.map(({ part, bar, least }) => {
      const { all, tuned, heldOut, called } = scores[part]
      const at = part === 'slots' ? '' : `; some tool called at once: ${called.toFixed(3)}`
      const note = `even rows ${tuned.toFixed(3)}, odd rows (held out) ${heldOut.toFixed(3)}${at}`
      return row(part, all, baselines[part], bar, least === null ? null : all >= least, note)
    })
  },
}

type Part = 'multiple' | 'irrelevance' | 'simple' | 'slots'

const BARS: readonly { readonly part: Part; readonly bar: string; readonly least: number | null }[] = [
  { part: 'multiple', bar: '>= 0.95', least: 0.95 },
  { part: 'irrelevance', bar: '>= 0.60', least: 0.6 },
  { part: 'simple', bar: '>= 0.90', least: 0.9 },
  { part: 'slots', bar: 'reported', least: null },
]

function row(
  part: Part,
  value: number | null,
  baseline: number | null,
  bar: string,
  ok: boolean | null,
  note: string,
): Row {
  const ratio = value === null || baseline === null || baseline === 0 ? null : value / baseline
  return { name: `tool-choice/${part}`, value, unit: 'share of rows', baseline, ratio, bar, ok, note }
}

interface Definition {
  readonly name: string
  readonly description: string
  readonly parameters: Record<string, unknown>
}

interface Sample {
  readonly question: string
  readonly tools: readonly Definition[]
  /** Null where no tool fits. */
  readonly tool: string | null
  readonly accepted: Readonly<Record<string, readonly unknown[]>>
}

interface Call {
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
}

const SETS = { multiple: 'bfcl-multiple', irrelevance: 'bfcl-irrelevance', simple: 'bfcl-simple_python' } as const

/** Rows of each set that show that the figure runs. */
const QUICK_ROWS = 20

async function readSets(dataDir: string, rows: number): Promise<Record<keyof typeof SETS, Sample[]> | null> {
  try {
    return {
      multiple: (await readSet(dataDir, SETS.multiple, true)).slice(0, rows),
      irrelevance: (await readSet(dataDir, SETS.irrelevance, false)).slice(0, rows),
      simple: (await readSet(dataDir, SETS.simple, true)).slice(0, rows),
    }
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return null
    throw thrown
  }
}

async function readSet(dataDir: string, name: string, answered: boolean): Promise<Sample[]> {
  const rows = await readLines(join(dataDir, 'tools', `${name}.json`))
  const answers = answered ? await readLines(join(dataDir, 'tools', `${name}.answers.json`)) : []
  const byId = new Map(
    answers.map((answer) => [answer['id'], (answer['ground_truth'] as Record<string, Record<string, unknown[]>>[])[0]]),
  )
  return rows.map((one) => {
    const turns = (one['question'] as { content: string }[][])[0] ?? []
    const truth = Object.entries(byId.get(one['id']) ?? {})[0]
    return {
      question: turns.at(-1)?.content ?? '',
      tools: one['function'] as Definition[],
      tool: truth?.[0] ?? null,
      accepted: truth?.[1] ?? {},
    }
  })
}

async function readLines(path: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(path, 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

interface Score {
  readonly all: number
  readonly tuned: number
  readonly heldOut: number
  readonly called: number
}

interface Answer {
  readonly calls: readonly Call[]
  /** The tool a question was asked for. */
  readonly asked: string | null
}

function isChosen(one: Sample, { calls, asked }: Answer): boolean {
  return (calls[0]?.name ?? asked) === one.tool && calls.length <= 1
}

async function score(samples: readonly Sample[], right: (one: Sample, answer: Answer) => boolean): Promise<Score> {
  const model = createModel({ provider: 'builtin', tenant: 'bench' })
  const hits: boolean[] = []
  let called = 0
  for (const one of samples) {
    const answer = await model.bindTools([...one.tools]).invoke([new HumanMessage(one.question)])
    const calls = answer.tool_calls ?? []
    const asks = answer.response_metadata['asks'] as { tool: string } | undefined
    if (calls.length > 0) called += 1
    hits.push(right(one, { calls, asked: asks?.tool ?? null }))
  }
  const rate = (wanted: (at: number) => boolean): number => {
    const counted = hits.filter((_, at) => wanted(at))
    return counted.filter(Boolean).length / Math.max(1, counted.length)
  }
  return {
    all: rate(() => true),
    tuned: rate((at) => at % 2 === 0),
    heldOut: rate((at) => at % 2 === 1),
    called: called / Math.max(1, samples.length),
  }
}

function share(samples: readonly Sample[], right: (one: Sample) => boolean): number {
  return samples.filter(right).length / Math.max(1, samples.length)
}

/** Every argument given is an accepted one, and every one not given may be left out (an empty string among the accepted). */
export function accepted(
  args: Readonly<Record<string, unknown>>,
  allowed: Readonly<Record<string, readonly unknown[]>>,
): boolean {
  if (Object.keys(args).some((name) => !(name in allowed))) return false
  return Object.entries(allowed).every(([name, values]) => {
    const given = args[name]
    return given === undefined ? values.includes('') : values.some((value) => same(given, value))
  })
}

function same(given: unknown, wanted: unknown): boolean {
  if (typeof given === 'string' && typeof wanted === 'string') return plain(given) === plain(wanted)
  if (Array.isArray(given) && Array.isArray(wanted))
    return given.length === wanted.length && given.every((item, at) => same(item, wanted[at]))
  if (isRecord(given) && isRecord(wanted)) return accepted(given, wanted as Record<string, readonly unknown[]>)
  return given === wanted
}

function plain(text: string): string {
  return text
    .replaceAll(/[ ,./\-_*^]/g, '')
    .toLowerCase()
    .replaceAll("'", '"')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Robertson's BM25 with k1 1.2 and b 0.75, over the offered tools as the collection. */
function bm25Best({ question, tools }: Sample): string | null {
  const documents = tools.map((tool) => terms(`${tool.name} ${tool.description}`))
  const average = documents.reduce((sum, words) => sum + words.length, 0) / Math.max(1, documents.length)
  const scored = documents.map((words, at) => {
    let sum = 0
    for (const term of new Set(terms(question))) {
      const tf = words.filter((word) => word === term).length
      const holders = documents.filter((other) => other.includes(term)).length
      const idf = Math.log(1 + (documents.length - holders + 0.5) / (holders + 0.5))
      sum += (idf * tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * words.length) / average))
    }
    return { name: tools[at]?.name ?? null, sum }
  })
  return scored.toSorted((a, b) => b.sum - a.sum)[0]?.name ?? null
}

function terms(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
}
