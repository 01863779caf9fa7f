import { readdir, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Option } from 'commander'
import type { Command } from 'commander'
import type { DocumentSummary } from '#shared/contracts/knowledge.ts'
import { CliError, asCliError, usage } from '../cli-error.ts'
import { findEndpoint } from '../endpoint.ts'
import type { Endpoint } from '../endpoint.ts'
import { ExitCode } from '../exit-code.ts'
import { addUrl, documentState, ensureCollection, upload } from '../knowledge/documents-api.ts'
import type { Receipt } from '../knowledge/documents-api.ts'
import { ProgressBar } from '../knowledge/progress-bar.ts'
import type { Terminal } from '../terminal.ts'
import { parseDuration, parseList, withEndpoint } from './options.ts'
import type { WithEndpoint } from './options.ts'

type IngestOptions = WithEndpoint<{
  readonly collection: string
  readonly title?: string
  readonly tag?: readonly string[]
  readonly wait: boolean
  readonly json?: boolean
  readonly timeout: number
}>

const LOOK_MS = 300
const DEFAULT_TIMEOUT_MS = 1_800_000

const HELP = `
Files, folders (everything in them) or http addresses. PDF, DOCX, XLSX, PPTX, HTML, Markdown, text, CSV, JSON, JSON lines,
e-mail, pictures and scans (their text is recognised), videos where ffmpeg is installed. The same content twice is taken
once. The command waits until each document can be found, and shows how far that is.

Examples:
  waggle ingest handbook.pdf
  waggle ingest docs/ --collection handbook --tag public
  waggle ingest https://example.com/returns --collection handbook
  waggle ingest big-scan.pdf --no-wait
`

export function addIngest(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  withEndpoint(
    program
      .command('ingest')
      .summary('give documents to a collection')
      .description('Gives files, folders or addresses to a collection, and waits until they can be found.')
      .argument('<path...>', 'files, folders, http addresses'),
  )
    .option('-c, --collection <name>', 'the collection, made if there is none of this name', 'default')
    .option('--title <title>', 'of the document; only for one')
    .option('--tag <tag>', 'labels to search by; repeatable', parseList)
    .option('--no-wait', 'only hand them over')
    .option('--json', 'print what became of each as one line of JSON')
    .addOption(
      new Option('--timeout <time>', 'wait no longer than this; reading goes on')
        .argParser(parseDuration)
        .default(DEFAULT_TIMEOUT_MS, '30m'),
    )
    .addHelpText('after', HELP)
    .action(async (given: readonly string[], options: IngestOptions) => {
      const sources = await sourcesOf(given, terminal.cwd)
      if (sources.length === 0)
        throw usage('There are no files in it.', 'Name files, folders with files, or addresses.')
      if (options.title !== undefined && sources.length > 1)
        throw usage('A title is for one document.', 'Give them one by one.')
      const endpoint = await findEndpoint(options, terminal)
      await ensureCollection(endpoint, options.collection)
      const failed = await new Ingesting(endpoint, options, terminal).all(sources)
      done(failed === 0 ? ExitCode.ok : ExitCode.failed)
    })
}

interface Source {
  readonly name: string
  readonly path: string
  readonly url: boolean
}

async function sourcesOf(given: readonly string[], cwd: string): Promise<Source[]> {
  const sources: Source[] = []
  for (const one of given) {
    if (/^https?:\/\//i.test(one)) {
      sources.push({ name: one, path: one, url: true })
      continue
    }
    const path = resolve(cwd, one)
    const found = await stat(path).catch(() => {
      throw usage(`There is no file ${one}.`, 'Check the path.')
    })
    if (!found.isDirectory()) sources.push({ name: one, path, url: false })
    else
      for (const entry of (await readdir(path, { recursive: true, withFileTypes: true })).toSorted((a, b) =>
        join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1,
      ))
        if (entry.isFile() && !entry.name.startsWith('.')) {
          const file = join(entry.parentPath, entry.name)
          sources.push({ name: join(one, relative(path, file)), path: file, url: false })
        }
  }
  return sources
}

/** Hands sources over one after another and follows each to its end. Owns the progress line. */
class Ingesting {
  readonly #endpoint: Endpoint
  readonly #options: IngestOptions
  readonly #terminal: Terminal
  readonly #bar: ProgressBar

  constructor(endpoint: Endpoint, options: IngestOptions, terminal: Terminal) {
    this.#endpoint = endpoint
    this.#options = options
    this.#terminal = terminal
    this.#bar = new ProgressBar(terminal, options.json === true)
  }

  /** How many failed. One that does is told, and the others go on. */
  async all(sources: readonly Source[]): Promise<number> {
    let failed = 0
    for (const source of sources) {
      try {
        if (!(await this.#one(source))) failed += 1
      } catch (thrown) {
        const error = asCliError(thrown)
        if (error.exitCode === ExitCode.noGateway || error.exitCode === ExitCode.notAllowed) throw error
        failed += 1
        this.#told(source.name, { error: { code: error.code, message: error.message, action: error.action } }, false)
      }
    }
    return failed
  }

  async #one(source: Source): Promise<boolean> {
    const { collection, title, tag: tags, wait } = this.#options
    const receipt = source.url
      ? await addUrl(this.#endpoint, source.path, collection, { title, tags })
      : await upload(this.#endpoint, source.path, collection, { title, tags }, (sent, of) =>
          this.#bar.draw(source.name, 'sending', of === 0 ? null : sent / of),
        )
    if (!wait) {
      this.#told(source.name, receipt, true)
      return true
    }
    const document = await this.#follow(source, receipt)
    this.#told(source.name, document, document.state === 'ready', receipt.duplicate)
    return document.state === 'ready'
  }

  async #follow(source: Source, receipt: Receipt): Promise<DocumentSummary> {
    const until = Date.now() + this.#options.timeout
    for (;;) {
      const document = await documentState(this.#endpoint, receipt.documentId)
      const { state, pagesDone, pagesTotal } = document
      if (document.version >= receipt.version && (state === 'ready' || state === 'failed' || state === 'cancelled'))
        return document
      const pages = pagesTotal === null ? '' : ` ${pagesDone} of ${pagesTotal} pages`
      this.#bar.draw(source.name, `${state}${state === 'parsing' || state === 'ocr' ? pages : ''}`, shareOf(document))
      if (Date.now() > until)
        throw new CliError(
          ExitCode.tooLate,
          `${source.name} is not read yet.`,
          `It goes on: GET /api/v1/documents/${receipt.documentId}`,
          'DEADLINE',
        )
      await delay(LOOK_MS)
    }
  }

  #told(
    name: string,
    about: Partial<DocumentSummary> | Receipt | { error: object },
    well: boolean,
    again = false,
  ): void {
    if (this.#options.json === true) {
      this.#terminal.out(`${JSON.stringify({ source: name, ...about })}\n`)
      return
    }
    const { errColors: colors } = this.#terminal
    this.#bar.line(`${well ? colors.green('✓') : colors.red('✗')} ${name}  ${colors.dim(inWords(about, again))}`)
    const error = 'error' in about ? (about.error as { action?: string } | null) : null
    if (error?.action !== undefined && error.action !== '') this.#terminal.err(`  → ${error.action}\n`)
  }
}

/** Reading is most of it. */
function shareOf({ state, pagesDone, pagesTotal }: DocumentSummary): number | null {
  switch (state) {
    case 'parsing':
    case 'ocr':
      return pagesTotal === null || pagesTotal === 0 ? null : 0.8 * (pagesDone / pagesTotal)
    case 'chunking':
      return 0.85
    case 'embedding':
      return 0.9
    case 'ready':
      return 1
    case 'queued':
    case 'fetching':
    case 'failed':
    case 'cancelled':
      return null
  }
}

function inWords(about: Partial<DocumentSummary> | Receipt | { error: object }, again: boolean): string {
  if ('error' in about && about.error) {
    const { code, message, reason, page } = about.error as {
      code: string
      message: string
      reason?: string
      page?: number | null
    }
    return `${code}: ${reason === undefined || reason === '' ? message : reason}${page == null ? '' : ` (page ${page})`}`
  }
  if ('duplicate' in about) return about.duplicate ? 'was here before' : `handed over as ${about.documentId}`
  const { chunks = 0, pagesDone = 0, state } = about as Partial<DocumentSummary>
  if (state === 'cancelled') return 'cancelled'
  return `${again ? 'was here before, ' : ''}${pagesDone} ${pagesDone === 1 ? 'page' : 'pages'}, ${chunks} ${chunks === 1 ? 'chunk' : 'chunks'}`
}
