import { writeFile, chmod, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { strToU8, zipSync } from 'fflate'

import { DEFAULT_LIMITS } from '#services/knowledge/parse/limits.ts'
import type { ParseLimits } from '#services/knowledge/parse/limits.ts'
import { openParser } from '#services/knowledge/parse/parse-document.ts'
import type { Parser } from '#services/knowledge/parse/parse-document.ts'
import type { ParsedPage } from '#services/knowledge/parse/parsed-page.ts'
import type { ParseOutcome } from '#services/knowledge/parse/parse-ports.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { makePdf } from '#test/bench/documents/make-pdf.ts'
import { scratchFolder } from '#test/kit/scratch.ts'
import { assert, skip, suite } from '#test/kit/suite.ts'

interface Asked {
  readonly name?: string
  readonly mime?: string
  readonly from?: number
  readonly limits?: Partial<ParseLimits>
  readonly signal?: AbortSignal
  readonly onPage?: (page: ParsedPage) => Promise<void>
}

async function parse(
  parser: Parser,
  content: Uint8Array | string,
  { name = 'document', mime = '', from = 1, limits = {}, signal = new AbortController().signal, onPage }: Asked = {},
): Promise<ParseOutcome & { readonly read: readonly ParsedPage[] }> {
  const read: ParsedPage[] = []
  const bytes = typeof content === 'string' ? strToU8(content) : content
  const outcome = await parser.parseDocument(
    { bytes, name, mime, from },
    {
      signal,
      limits: { ...DEFAULT_LIMITS, ...limits },
      onPage: async (page) => {
        await onPage?.(page)
        read.push(page)
      },
    },
  )
  return { ...outcome, read }
}

async function failure(parsing: Promise<unknown>): Promise<WaggleError> {
  try {
    await parsing
  } catch (error) {
    if (error instanceof WaggleError) return error
    throw error
  }
  throw new Error('it was read')
}

suite('documents in parsing processes', ({ test, before, after }) => {
  let parser: Parser
  before(() => {
    parser = openParser({ processes: 2 })
  })
  after(() => parser.close())

  test('pages come in order, one at a time, and from the page that is wanted', async () => {
    const bytes = await makePdf(6, 1)
    let inside = 0
    const found = await parse(parser, bytes, {
      from: 3,
      onPage: async () => {
        inside += 1
        assert.is(inside, 1)
        await Promise.resolve()
        inside -= 1
      },
    })
    assert.is(found.pages, 6)
    assert.equal(
      found.read.map(({ number }) => number),
      [3, 4, 5, 6],
    )
    assert.ok(found.read.every(({ blocks }) => blocks.some(({ kind }) => kind === 'table')))
    // The sender's bytes are still the sender's.
    assert.is(new TextDecoder().decode(bytes.subarray(0, 5)), '%PDF-')
  })

  test('an archive that would unpack to much more is refused before it is unpacked', async () => {
    const bomb = zipSync({
      'word/document.xml': new Uint8Array(40_000_000),
      '[Content_Types].xml': strToU8('<Types/>'),
    })
    assert.ok(bomb.length < 100_000)
    const byRatio = await failure(parse(parser, bomb, { name: 'a.docx' }))
    assert.is(byRatio.code, 'DOCUMENT_TOO_LARGE')
    const bySize = await failure(parse(parser, bomb, { limits: { archiveBytes: 1_000_000 } }))
    assert.is(bySize.code, 'DOCUMENT_TOO_LARGE')
    const entries = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`x/${at}`, strToU8('x')]))
    const byEntries = await failure(
      parse(parser, zipSync({ ...entries, 'xl/workbook.xml': strToU8('<a/>') }), { limits: { archiveEntries: 50 } }),
    )
    assert.is(byEntries.code, 'DOCUMENT_TOO_LARGE')
  })

  test('a directory that lies about sizes gains nothing', async () => {
    const bomb = zipSync({ 'word/document.xml': new Uint8Array(40_000_000) })
    const view = new DataView(bomb.buffer, bomb.byteOffset, bomb.byteLength)
    for (let at = 0; at < bomb.length - 4; at += 1) {
      if (view.getUint32(at, true) === 0x02_01_4b_50) view.setUint32(at + 24, 1_000, true)
    }
    assert.is((await failure(parse(parser, bomb))).code, 'DOCUMENT_UNREADABLE')
  })

  test('what is damaged, of another type, or too large is an error of that document', async () => {
    const whole = await makePdf(3, 2)
    const codes = await Promise.all([
      failure(parse(parser, whole.slice(0, 300))),
      failure(parse(parser, zipSync({ 'word/document.xml': strToU8('<w:document><unclosed') }))),
      failure(parse(parser, zipSync({ 'xl/workbook.xml': strToU8('<a>&bomb;</a>') }))),
      failure(parse(parser, '{"a":', { name: 'a.json' })),
      failure(parse(parser, whole, { name: 'a.docx' })),
      failure(parse(parser, whole, { limits: { pages: 2 } })),
      failure(parse(parser, whole, { limits: { bytes: 100 } })),
      failure(parse(parser, whole, { limits: { chars: 100 } })),
    ])
    assert.equal(
      codes.map(({ code }) => code),
      [
        'DOCUMENT_UNREADABLE',
        'DOCUMENT_UNREADABLE',
        'DOCUMENT_UNREADABLE',
        'DOCUMENT_UNREADABLE',
        'DOCUMENT_TYPE',
        'DOCUMENT_TOO_LARGE',
        'DOCUMENT_TOO_LARGE',
        'DOCUMENT_TOO_LARGE',
      ],
    )
    assert.is((await parse(parser, 'still here')).read.length, 1)
  })

  test('a document that takes too much memory or time ends its process, and not ours', async () => {
    // Half a million small values: few bytes, far more objects than the heap.
    const heavy = `[${Array.from({ length: 500_000 }, () => '{"a":[{},{}]}').join(',')}]`
    const memory = await failure(parse(parser, heavy, { name: 'a.json', limits: { memoryMb: 32 } }))
    assert.is(memory.code, 'DOCUMENT_TOO_LARGE')
    const time = await failure(parse(parser, await makePdf(40, 3), { limits: { pageMs: 1 } }))
    assert.is(time.code, 'DOCUMENT_TOO_SLOW')
    const whole = await failure(parse(parser, await makePdf(40, 3), { limits: { documentMs: 5 } }))
    assert.is(whole.code, 'DOCUMENT_TOO_SLOW')
    assert.is((await parse(parser, 'still here')).read.length, 1)
  })

  test('nesting without end is an error, or text, and never the end of ours', async () => {
    const deep = `<html><body>${'<div>'.repeat(5_000)}deep${'</div>'.repeat(5_000)}</body></html>`
    const found = await parse(parser, deep, { name: 'a.html' }).catch((error: unknown) => error)
    if (found instanceof Error) assert.is((found as WaggleError).code, 'DOCUMENT_UNREADABLE')
    assert.is((await failure(parse(parser, '['.repeat(100_000), { name: 'a.json' }))).code, 'DOCUMENT_UNREADABLE')
    assert.is((await parse(parser, 'still here')).read.length, 1)
  })

  test('cancelling ends it while it reads, while a page is taken, and while it waits for a process', async () => {
    const bytes = await makePdf(30, 5)
    const reading = new AbortController()
    const first = failure(parse(parser, bytes, { signal: reading.signal, onPage: async () => reading.abort() }))
    assert.is((await first).code, 'CANCELLED')
    const small = openParser({ processes: 1 })
    try {
      const held = new AbortController()
      const waiting = new AbortController()
      let began = (): void => undefined
      const started = new Promise<void>((resolve) => (began = resolve))
      const one = failure(
        parse(small, bytes, {
          signal: held.signal,
          onPage: () => {
            began()
            return new Promise(() => undefined)
          },
        }),
      )
      await started
      const two = failure(parse(small, bytes, { signal: waiting.signal }))
      waiting.abort()
      assert.is((await two).code, 'CANCELLED')
      held.abort()
      assert.is((await one).code, 'CANCELLED')
    } finally {
      await small.close()
    }
  })

  test('what taking a page throws is what parsing throws', async () => {
    const problem = new WaggleError('BUDGET_SPENT')
    const found = await failure(parse(parser, 'text', { onPage: async () => Promise.reject(problem) }))
    assert.is(found, problem)
  })

  test('a video needs ffmpeg, and says so', async () => {
    const none = openParser({ ffmpeg: join(await scratchFolder('ffmpeg'), 'no-such-ffmpeg') })
    try {
      const found = await failure(parse(none, strToU8('\0\0\0\u0018ftypmp42', true), { name: 'a.mp4' }))
      assert.is(found.code, 'MEDIA_TOOL_MISSING')
    } finally {
      await none.close()
    }
  })

  test('a video is what its subtitles say in each part', async () => {
    // Speaks as ffmpeg does, and refuses what would let a video open anything but its own file.
    const command = join(await scratchFolder('ffmpeg'), 'ffmpeg')
    const srt = '1\n00:00:01,000 --> 00:00:03,000\n<i>Welcome</i>\n\n2\n00:00:31,500 --> 00:00:33,000\nSecond part\n'
    await writeFile(
      command,
      `#!${process.execPath}\nconst args = process.argv.slice(2)\nif (args[0] === '-version') process.exit(0)\n` +
        `if (args[args.indexOf('-protocol_whitelist') + 1] !== 'file' || args[args.indexOf('-f') + 1] !== 'mov') process.exit(3)\n` +
        `if (args.at(-1).endsWith('.srt')) require('node:fs').writeFileSync(args.at(-1), ${JSON.stringify(srt)})\n`,
    )
    await chmod(command, 0o755)
    const withTool = openParser({ ffmpeg: command })
    try {
      const found = await parse(withTool, strToU8('\0\0\0\u0018ftypmp42', true), { name: 'talk.mp4' })
      assert.equal(
        found.read.map(({ blocks }) => blocks.map(({ text }) => text)),
        [
          ['00:00:00', 'Welcome'],
          ['00:00:30', 'Second part'],
        ],
      )
      assert.is(found.title, 'talk')
    } finally {
      await withTool.close()
    }
  })
})

suite('the development documents', ({ test, before, after }) => {
  const folder = join(process.env['WAGGLE_DATA'] ?? '../shared/data', 'documents')
  let parser: Parser
  let names: readonly string[] = []
  before(async () => {
    names = await readdir(folder).catch(() => [])
    if (names.length === 0) skip(`no documents in ${folder}`)
    parser = openParser({ processes: 2 })
  })
  after(() => (names.length === 0 ? undefined : parser.close()))

  const read = async (name: string): Promise<Awaited<ReturnType<typeof parse>>> =>
    parse(parser, await readFile(join(folder, name)), { name })

  test('are all read, and every page of them is text', async () => {
    for (const name of names) {
      const found = await read(name)
      assert.ok(found.title !== '' && found.read.length === found.pages, name)
      assert.ok(
        found.read.some(({ blocks }) => blocks.length > 0),
        name,
      )
    }
  })

  test('a Word file that links to a file of this machine does not get it', async () => {
    const [page] = (await read('external-file-link.docx')).read
    assert.equal(
      page?.blocks.map(({ text }) => text),
      ['Testing Linked Images'],
    )
  })

  test('a statement of accounts is a table with the right cells in the right columns', async () => {
    const found = await read('sec-10q-sample.pdf')
    const table = found.read[3]?.blocks.find(({ kind, text }) => kind === 'table' && text.includes('Gross margin'))
    assert.match(table?.text ?? '', /^Net income \| \$19,442 \| \$21,744 \| \$79,082 \| \$74,129$/m)
    assert.match(table?.header ?? '', /Three Months Ended/)
    assert.not.ok(found.read.some(({ blocks }) => blocks.some(({ text }) => /Form 10-Q \| \d+$/.test(text))))
  })
})
