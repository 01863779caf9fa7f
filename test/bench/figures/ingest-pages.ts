import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs'

import { makePdf } from '../documents/make-pdf.ts'
import { quantile } from '../interleave.ts'
import { knowledgeBench } from '../knowledge-bench.ts'
import type { Figure } from '../row.ts'

const PAGES = 100
const DOCUMENTS = 3
const QUICK_PAGES = 4
const TENANT = 'acme'
const LEAST = 0.5
const MOST_MS = 50
const PROBE_MS = 50

/**
 * From a 100-page PDF at the API to when it can be found: read by geometry, cut, indexed, embedded. Beside it pdf.js
 * giving the text of the same pages and nothing else, in turns. Meanwhile `/healthz` is asked every 50 ms.
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
        Array.from({ length: quick ? 1 : DOCUMENTS + 1 }, (_, seed) => makePdf(pages, seed + 1)),
      )
      const waits: number[] = []
      const ours: number[] = []
      const raw: number[] = []
      for (const [at, pdf] of pdfs.entries()) {
        const probing = new AbortController()
        const probe = askAgainAndAgain(`${bench.url}/healthz`, waits, probing.signal)
        const begun = performance.now()
        const { state, error } = await client.ingest('main', `${at}.pdf`, pdf)
        const took = performance.now() - begun
        probing.abort()
        await probe
        if (state !== 'ready') throw new Error(`${state}: ${JSON.stringify(error)}`)
        const alone = await extractAlone(pdf)
        // The first one starts the reader's process.
        if (at === 0 && !quick) continue
        ours.push((pages * 1_000) / took)
        raw.push((pages * 1_000) / alone)
        say(`${ours.length} of ${DOCUMENTS} documents of ${pages} pages`)
      }
      const [value, baseline] = [quantile(ours, 0.5), quantile(raw, 0.5)]
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
