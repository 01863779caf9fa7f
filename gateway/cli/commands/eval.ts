import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { z } from 'zod'
import { DocumentSummary, SearchResult } from '#shared/contracts/knowledge.ts'
import { textbookBm25 } from '#shared/ranking/bm25.ts'
import { mean, ndcg, recall, reciprocalRank } from '#shared/ranking/metrics.ts'
import type { Judgements } from '#shared/ranking/metrics.ts'
import { usage } from '../cli-error.ts'
import { findEndpoint } from '../endpoint.ts'
import type { Endpoint } from '../endpoint.ts'
import { ExitCode } from '../exit-code.ts'
import { Receipt, ensureCollection } from '../knowledge/documents-api.ts'
import { ProgressBar } from '../knowledge/progress-bar.ts'
import { request, send } from '../rest.ts'
import type { Terminal } from '../terminal.ts'
import { parseCount, withEndpoint } from './options.ts'
import type { WithEndpoint } from './options.ts'

type EvalOptions = WithEndpoint<{
  readonly corpus: string
  readonly queries: string
  readonly qrels: string
  readonly collection: string
  readonly limit?: number
  readonly keep?: boolean
  readonly json?: boolean
}>

const PARALLEL = 8
const DEPTH = 100
const LOOK_MS = 500
const SEARCH_MS = 60_000
/** Documents are many and small: more in a minute than a person would send. */
const TRIES = 8

const HELP = `
The files are in the layout of BEIR: a corpus of JSON lines {_id, title, text}, questions {_id, text}, and right answers as
tab-separated lines "query-id  corpus-id  score" (a header line is skipped). All documents are given to a scratch
collection over the API and every question goes through the whole pipeline; beside it stands textbook BM25 (k1 1.2,
b 0.75) over the same texts. The collection is removed afterwards, unless --keep.

Example:
  waggle eval retrieval --corpus scifact/corpus.jsonl --queries scifact/queries.jsonl --qrels scifact/qrels/test.tsv
`

const Doc = z.object({ _id: z.coerce.string(), title: z.string().nullish(), text: z.string() })
const Query = z.object({ _id: z.coerce.string(), text: z.string() })

export function addEval(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const evaluate = program
    .command('eval')
    .summary('measure quality on your own data')
    .description('Measures quality on data of yours.')
  withEndpoint(evaluate.command('retrieval').description('How well passages are found: nDCG@10, recall@100, MRR.'))
    .requiredOption('--corpus <file>', 'JSON lines {_id, title, text}')
    .requiredOption('--queries <file>', 'JSON lines {_id, text}')
    .requiredOption('--qrels <file>', 'lines query-id, corpus-id, score, tab-separated')
    .option('-c, --collection <name>', 'the scratch collection', `eval-${Date.now().toString(36)}`)
    .option('-n, --limit <count>', 'only so many questions', parseCount)
    .option('--keep', 'leave the collection there')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(async (options: EvalOptions) => {
      const read = (file: string): Promise<string> =>
        readFile(resolve(terminal.cwd, file), 'utf8').catch(() => {
          throw usage(`There is no file ${file}.`, 'Check the path.')
        })
      const corpus = linesOf(await read(options.corpus), Doc, options.corpus)
      const grades = gradesOf(await read(options.qrels))
      const queries = linesOf(await read(options.queries), Query, options.queries)
        .filter(({ _id }) => grades.has(_id))
        .slice(0, options.limit)
      if (queries.length === 0) throw usage('No question has a right answer.', 'Check that the files belong together.')
      const endpoint = await findEndpoint(options, terminal)
      const bar = new ProgressBar(terminal, options.json === true)
      await ensureCollection(endpoint, options.collection)
      try {
        const ids = await ingest(endpoint, options.collection, corpus, bar)
        const ranked = await askAll(endpoint, options.collection, queries, ids, bar)
        const plain = textbookBm25(corpus.map(({ _id: id, title, text }) => ({ id, text: `${title ?? ''}\n${text}` })))
        const rows = {
          waggle: scoresOf(queries.map(({ _id }) => [ranked.get(_id) ?? [], grades.get(_id)!])),
          'textbook BM25': scoresOf(
            queries.map(({ _id, text }) => [plain(text, DEPTH).map(({ id }) => id), grades.get(_id)!]),
          ),
        }
        if (options.json === true)
          terminal.out(`${JSON.stringify({ documents: corpus.length, questions: queries.length, ...rows })}\n`)
        else print(rows, corpus.length, queries.length, terminal)
      } finally {
        if (options.keep !== true) await removeAll(endpoint, options.collection)
      }
      done(ExitCode.ok)
    })
}

function linesOf<Value>(text: string, schema: z.ZodType<Value>, file: string): Value[] {
  return text.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return []
    try {
      return [schema.parse(JSON.parse(line))]
    } catch {
      throw usage(`${file}, line ${at + 1} is not what it should be.`)
    }
  })
}

function gradesOf(text: string): Map<string, Judgements> {
  const all = new Map<string, Map<string, number>>()
  for (const line of text.split('\n')) {
    const [query, document, score] = line.trim().split('\t')
    if (query === undefined || document === undefined || !/^-?\d+$/.test(score ?? '')) continue
    const grades = all.get(query) ?? new Map<string, number>()
    grades.set(document, Math.max(0, Number(score)))
    all.set(query, grades)
  }
  return all
}

/** Gives every document to the collection and waits until all can be found. The ids of the corpus by document. */
async function ingest(
  endpoint: Endpoint,
  collection: string,
  corpus: readonly z.infer<typeof Doc>[],
  bar: ProgressBar,
): Promise<Map<string, string[]>> {
  const ids = new Map<string, string[]>()
  let sent = 0
  const waiting = corpus.filter(({ text, title }) => `${text}${title ?? ''}`.trim() !== '')
  const of = waiting.length
  const lane = async (): Promise<void> => {
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      const { _id: id, title, text } = one
      const receipt = await patiently(() => {
        const form = new FormData()
        form.append('collection', collection)
        if (title) form.append('title', title.slice(0, 300))
        form.append('file', new Blob([text === '' ? (title ?? '') : text], { type: 'text/plain' }), 'document.txt')
        return send(endpoint, 'documents', Receipt, { method: 'POST', body: form })
      })
      ids.set(receipt.documentId, [...(ids.get(receipt.documentId) ?? []), id])
      sent += 1
      bar.draw('documents', `${sent} of ${of} sent`, sent / of)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, lane))
  await untilReady(endpoint, collection, ids.size, bar)
  return ids
}

async function untilReady(endpoint: Endpoint, collection: string, of: number, bar: ProgressBar): Promise<void> {
  const Page = z.object({ documents: z.array(DocumentSummary), next: z.string().nullable() })
  for (;;) {
    let open = 0
    for (let after: string | null = ''; after !== null;) {
      const query: string = `documents?collection=${collection}&limit=200${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`
      const page: z.infer<typeof Page> = await patiently(() => request(endpoint, query, Page))
      open += page.documents.filter(({ state }) => !['ready', 'failed', 'cancelled'].includes(state)).length
      after = page.next
    }
    bar.draw('documents', `${of - open} of ${of} ready`, (of - open) / of)
    if (open === 0) return
    await delay(LOOK_MS)
  }
}

async function askAll(
  endpoint: Endpoint,
  collection: string,
  queries: readonly z.infer<typeof Query>[],
  ids: ReadonlyMap<string, readonly string[]>,
  bar: ProgressBar,
): Promise<Map<string, string[]>> {
  const ranked = new Map<string, string[]>()
  const waiting = [...queries]
  const lane = async (): Promise<void> => {
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      const { _id, text } = one
      const json = { question: text.slice(0, 4_000), collections: [collection], limit: DEPTH }
      const found = await patiently(() =>
        send(endpoint, 'search', SearchResult, { method: 'POST', json, timeoutMs: SEARCH_MS }),
      )
      // A document of several chunks counts once, where its first is found.
      const documents = [...new Set(found.passages.map(({ documentId }) => documentId))]
      ranked.set(
        _id,
        documents.flatMap((document) => ids.get(document) ?? []),
      )
      bar.draw('questions', `${ranked.size} of ${queries.length}`, ranked.size / queries.length)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL / 2 }, lane))
  return ranked
}

/** Too fast is waited for; all else is the caller's. */
async function patiently<Value>(work: () => Promise<Value>): Promise<Value> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      const { code } = error as { code?: string }
      if (tries >= TRIES || (code !== 'RATE_LIMITED' && code !== 'TENANT_BUSY')) throw error
      await delay(LOOK_MS * tries)
    }
  }
}

async function removeAll(endpoint: Endpoint, collection: string): Promise<void> {
  await send(endpoint, `collections/${collection}`, z.object({ removed: z.boolean() }), { method: 'DELETE' }).catch(
    () => null,
  )
}

interface Scores {
  readonly ndcg10: number
  readonly recall100: number
  readonly mrr: number
}

function scoresOf(lists: readonly (readonly [ranked: readonly string[], grades: Judgements])[]): Scores {
  return {
    ndcg10: mean(lists.map(([ranked, grades]) => ndcg(ranked, grades, 10))),
    recall100: mean(lists.map(([ranked, grades]) => recall(ranked, grades, DEPTH))),
    mrr: mean(lists.map(([ranked, grades]) => reciprocalRank(ranked, grades))),
  }
}

function print(rows: Readonly<Record<string, Scores>>, documents: number, questions: number, terminal: Terminal): void {
  const { outColors: colors } = terminal
  terminal.out(`${colors.bold('pipeline'.padEnd(16))}  nDCG@10  recall@100    MRR\n`)
  for (const [name, { ndcg10, recall100, mrr }] of Object.entries(rows))
    terminal.out(`${name.padEnd(16)}  ${ndcg10.toFixed(4)}   ${recall100.toFixed(4)}      ${mrr.toFixed(4)}\n`)
  terminal.out(colors.dim(`${documents} documents, ${questions} questions\n`))
}
