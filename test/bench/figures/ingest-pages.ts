import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs'

import { makePdf } from '../documents/make-pdf.ts'
import { quantile } from '../interleave.ts'
import { knowledgeBench } from '../knowledge-bench.ts'
import type { Figure } from '../row.ts'

const PAGES = 100
const DOCUMENTS = 6
const QUICK_PAGES = 4
const TENANT = 'acme'
const LEAST = 0.5
const MOST_MS = 50
const PROBE_MS = 50

/**
 * From 100-page PDFs at the API, given one after the other without waiting, to when all can be found: read by geometry, cut,
 * indexed, embedded. Beside it pdf.js giving the text of the same files and nothing else, one after the other. Meanwhile
 * `/healthz` is asked every 50 ms. How fast one alone is, is told beside it.
 */
export const figure: Figure = {
  name: 'ingest-pages',
  async run({ quick, say }) {
    const bar = `>= ${LEAST}x`
    const bench = await knowledgeBench([TENANT], say)
    if ('problem' in bench)
      return [
        {
          name: 'ingest-pages',
          value: null,
          unit: 'pages/s',
          baseline: null,
          ratio: null,
          bar,
          ok: null,
          note: bench.problem,
        },
      ]
    try {
      const client = await bench.client(TENANT)
      await client.collection('main')
      const pages = quick ? QUICK_PAGES : PAGES
      const pdfs = await Promise.all(
        Array.from({ length: quick ? 1 : DOCUMENTS + 2 }, (_, seed) => makePdf(pages, seed + 1)),
      )
      const waits: number[] = []
      const give = async (some: readonly Uint8Array[], name: string): Promise<number> => {
        const begun = performance.now()
        const settled = await Promise.all(some.map((pdf, at) => client.ingest('main', `${name}-${at}.pdf`, pdf)))
        const took = performance.now() - begun
        for (const { state, error } of settled)
          if (state !== 'ready') throw new Error(`${state}: ${JSON.stringify(error)}`)
        return (some.length * pages * 1_000) / took
      }
      const [first, ...others] = pdfs
      // The first one starts the reader's process.
      await give([first!], 'first')
      const one = quick ? 0 : await give([others[0]!], 'alone')
      const more = quick ? [await makePdf(pages, DOCUMENTS)] : others.slice(1)
      const probing = new AbortController()
      const probe = askAgainAndAgain(`${bench.url}/healthz`, waits, probing.signal)
      const value = await give(more, 'many')
      probing.abort()
      await probe
      say(`${more.length} documents of ${pages} pages are read`)
      let alone = 0
      for (const pdf of more) alone += await extractAlone(pdf)
      const baseline = (more.length * pages * 1_000) / alone
      const wait = quantile(waits, 0.95)
      return [
        {
          name: 'ingest-pages',
          value,
          unit: 'pages/s',
          baseline,
          ratio: value / baseline,
          bar,
          ok: value / baseline >= LEAST,
          note: `${more.length} documents; one alone ${one.toFixed(1)} pages/s`,
        },
        {
          name: 'ingest-pages/healthz-p95',
          value: wait,
          unit: 'ms',
          baseline: null,
          ratio: null,
          bar: `<= ${MOST_MS} ms`,
          ok: wait <= MOST_MS,
          note: `${waits.length} requests`,
        },
      ]
    } finally {
      await bench.stop()
    }
  },
}

async function askAgainAndAgain(url: string, waits: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const begun = performance.now()
    await (await fetch(url)).text()
    waits.push(performance.now() - begun)
    await new Promise((resolve) => setTimeout(resolve, PROBE_MS))
  }
}

async function extractAlone(pdf: Uint8Array): Promise<number> {
  const begun = performance.now()
  const task = getDocument({ data: Uint8Array.from(pdf), useSystemFonts: false })
  const document = await task.promise
  for (let number = 1; number <= document.numPages; number += 1) {
    const page = await document.getPage(number)
    await page.getTextContent()
    page.cleanup()
  }
  const took = performance.now() - begun
  await task.destroy()
  return took
}
