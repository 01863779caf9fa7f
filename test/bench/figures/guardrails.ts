import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { spanRules } from '#shared/graph/output-guards/span-rules.ts'
import type { SpanRuleName } from '#shared/graph/output-guards/span-rules.ts'
import { silentLogger } from '#shared/lib/logger.ts'
import { checkStage } from '#services/guardrails/check-stage.ts'
import { RULES } from '#services/guardrails/rules.ts'
import { textSubject } from '#services/guardrails/subject.ts'

import type { Figure, Row } from '../row.ts'

/**
 * How well the guardrails find what they are for, on public sets, and what a check costs.
 *
 * - email … ip_address  F1 of each kind of personal data that has a form, on presidio-research's generated texts: a span
 *                       is found when one of its kind overlaps with it
 * - patterns            F1 of all of them together
 * - injection/recall    share of the attacks of deepset's training set that the rule (medium) finds
 * - injection/…-fpr     share of benign texts it takes for attacks: deepset's own, NotInject (alarming words on
 *                       purpose), and banking77 (what customers ask)
 * - check-us            one text through five output guardrails, in microseconds
 *
 * The baselines are the regular expressions anybody writes first. The sets were looked at while the rules were written;
 * none is held out. Names and addresses of people have no form and are not looked for.
 */
export const figure: Figure = {
  name: 'guardrails',
  async run({ dataDir, quick }) {
    return [...(await entityRows(dataDir)), ...(await injectionRows(dataDir)), cost(quick)]
  },
}

const ENTITIES = {
  email: { label: 'EMAIL_ADDRESS', naive: /\S+@\S+\.\S+/g },
  phone: { label: 'PHONE_NUMBER', naive: /\+?\d[\d ().-]{6,}\d/g },
  payment_card: { label: 'CREDIT_CARD', naive: /\b(?:\d[ -]?){13,16}\b/g },
  iban: { label: 'IBAN_CODE', naive: /\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b/g },
  us_ssn: { label: 'US_SSN', naive: /\b\d{3}-\d{2}-\d{4}\b/g },
  ip_address: { label: 'IP_ADDRESS', naive: /\b(?:\d{1,3}\.){3}\d{1,3}\b/g },
} as const satisfies Partial<Record<SpanRuleName, { label: string; naive: RegExp }>>

type EntityName = keyof typeof ENTITIES

interface Stretch {
  readonly start: number
  readonly end: number
}

interface Labelled {
  readonly full_text: string
  readonly spans: readonly { entity_type: string; start_position: number; end_position: number }[]
}

class Tally {
  right = 0
  wrong = 0
  missed = 0

  count(expected: readonly Stretch[], found: readonly Stretch[]): void {
    const used = new Set<Stretch>()
    for (const one of expected) {
      const hit = found.find((other) => !used.has(other) && other.start < one.end && other.end > one.start)
      if (hit === undefined) this.missed += 1
      else {
        used.add(hit)
        this.right += 1
      }
    }
    this.wrong += found.length - used.size
  }

  get f1(): number {
    return (2 * this.right) / Math.max(1, 2 * this.right + this.wrong + this.missed)
  }

  get note(): string {
    const precision = this.right / Math.max(1, this.right + this.wrong)
    const recall = this.right / Math.max(1, this.right + this.missed)
    return `precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)}, ${this.right + this.missed} labelled`
  }
}

async function entityRows(dataDir: string): Promise<Row[]> {
  const names = Object.keys(ENTITIES) as EntityName[]
  const path = join(dataDir, 'pii', 'presidio-generated-large.json')
  const texts = await readJson<Labelled>(path)
  if (texts === null) return [...names, 'patterns'].map((name) => row(name, null, null, 'F1', `no ${path}`))
  const all = { ours: new Tally(), naive: new Tally() }
  const rows = names.map((name) => {
    const { label, naive } = ENTITIES[name]
    const rules = spanRules(name, {})
    const ours = new Tally()
    const theirs = new Tally()
    for (const { full_text: text, spans } of texts) {
      const expected = spans
        .filter(({ entity_type }) => entity_type === label)
        .map(({ start_position: start, end_position: end }) => ({ start, end }))
      const found = rules.flatMap(({ recogniser }) => recogniser.find(text))
      const plain = Array.from(text.matchAll(naive), ({ 0: match, index }) => ({
        start: index,
        end: index + match.length,
      }))
      for (const tally of [ours, all.ours]) tally.count(expected, found)
      for (const tally of [theirs, all.naive]) tally.count(expected, plain)
    }
    return row(name, ours.f1, theirs.f1, 'F1', ours.note)
  })
  return [...rows, row('patterns', all.ours.f1, all.naive.f1, 'F1', all.ours.note)]
}

const NAIVE_INJECTION =
  /ignore (?:all |the )?(?:previous|above|prior)|disregard|forget (?:everything|all)|you are now|system prompt|jailbreak|\bDAN\b|act as/i

async function injectionRows(dataDir: string): Promise<Row[]> {
  const deepset = await readJson<{ text: string; label: number }>(join(dataDir, 'injection', 'deepset-train.json'))
  const notInject = await readJson<{ prompt: string }>(join(dataDir, 'injection', 'NotInject_one.json'))
  const banking = await readText(join(dataDir, 'intents', 'banking77-train.csv'))
  const attacks = deepset?.filter(({ label }) => label === 1).map(({ text }) => text) ?? null
  const benign = deepset?.filter(({ label }) => label === 0).map(({ text }) => text) ?? null
  const questions =
    banking
      ?.split('\n')
      .slice(1)
      .filter((line) => line !== '') ?? null
  return [
    shareRow('injection/recall', attacks, 'share of attacks'),
    shareRow('injection/deepset-fpr', benign, 'share of benign'),
    shareRow('injection/notinject-fpr', notInject?.map(({ prompt }) => prompt) ?? null, 'share of benign'),
    shareRow('injection/banking77-fpr', questions, 'share of benign'),
  ]
}

function shareRow(name: string, texts: readonly string[] | null, unit: string): Row {
  if (texts === null) return row(name, null, null, unit, 'no data')
  const look = RULES.get('injection')!.compile({}, 'flag')
  const context = { tenant: 'bench', agent: 'bench', user: '', roles: [], taint: [], said: [], piece: false }
  const found = texts.filter((text) => look(textSubject(text), context) !== null).length
  const naive = texts.filter((text) => NAIVE_INJECTION.test(text)).length
  return row(name, found / texts.length, naive / texts.length, unit, `${found} of ${texts.length}`)
}

const TEXT =
  'Order 1042 is on its way with Nordpost (tracking number NP-1042-7731) and is expected on Monday 23 November. It holds 1 desk lamp and 2 light bulbs. '

function cost(quick: boolean): Row {
  const rules = ['email', 'payment_card', 'iban', 'secret', 'hidden_text']
  const rows = rules.map((rule, position) => ({
    id: rule,
    agentId: null,
    stage: 'output',
    rule,
    config: {},
    action: 'rewrite',
    message: '',
    position,
  }))
  const request = { stage: 'output', agent: 'bench', text: TEXT.repeat(2), tool: null, said: [], piece: false } as const
  const context = { tenant: 'bench', agent: 'bench', user: '', roles: [], taint: [], said: [], piece: false }
  const rounds = quick ? 50 : 5_000
  const run = (times: number): number => {
    const begun = performance.now()
    for (let round = 0; round < times; round++) checkStage(rows, request, context, silentLogger)
    return ((performance.now() - begun) * 1_000) / times
  }
  run(rounds)
  return row(
    'check-us',
    run(rounds),
    null,
    'µs',
    `${request.text.length} characters, ${rules.length} guardrails, in process`,
  )
}

function row(name: string, value: number | null, baseline: number | null, unit: string, note: string): Row {
  const ratio = value === null || baseline === null || baseline === 0 ? null : value / baseline
  return { name: `guardrails/${name}`, value, unit, baseline, ratio, bar: 'reported', ok: null, note }
}

async function readJson<Entry>(path: string): Promise<Entry[] | null> {
  const text = await readText(path)
  return text === null ? null : (JSON.parse(text) as Entry[])
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return null
    throw thrown
  }
}
