import { strToU8, zipSync } from 'fflate'

import { assert, suite } from '#test/kit/suite.ts'

import { outline, readPages } from './read-pages.ts'

const REL = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'

function office(files: Readonly<Record<string, string>>): Uint8Array {
  return zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])))
}

function rels(...targets: readonly (readonly [id: string, type: string, target: string])[]): string {
  const all = targets.map(([id, type, target]) => `<Relationship Id="${id}" Type="${REL}/${type}" Target="${target}"/>`)
  return `<Relationships xmlns="r">${all.join('')}</Relationships>`
}

suite('documents of every format', ({ test }) => {
  test('a workbook is a page for each visible sheet, with dates as dates and computed values', async () => {
    const sheet = `<worksheet><sheetData>
      <row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="inlineStr"><is><t>Paid</t></is></c></row>
      <row r="2"><c r="A2" t="str"><f>"An"&amp;"na"</f><v>Anna</v></c><c r="B2" s="1"><v>46082</v></c><c r="C2" t="b"><v>1</v></c></row>
      <row r="3"><c r="A3" t="s"><v>2</v></c><c r="C3"><v>0.30000000000000004</v></c></row>
      <row r="9"><c r="A9" t="s"><v>2</v></c></row></sheetData></worksheet>`
    const found = await readPages(
      office({
        'xl/workbook.xml': `<workbook xmlns:r="${REL}"><sheets><sheet name="Orders" sheetId="1" r:id="a"/><sheet name="Secret" sheetId="2" state="hidden" r:id="b"/></sheets></workbook>`,
        'xl/_rels/workbook.xml.rels': rels(
          ['a', 'worksheet', 'worksheets/sheet1.xml'],
          ['b', 'worksheet', 'worksheets/sheet2.xml'],
        ),
        'xl/worksheets/sheet1.xml': sheet,
        'xl/worksheets/sheet2.xml': sheet,
        'xl/sharedStrings.xml':
          '<sst><si><t>Customer</t></si><si><r><t>Or</t></r><r><t>dered</t></r></si><si><t>Åsa &amp; Co</t></si></sst>',
        'xl/styles.xml': '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
      }),
      'orders.xlsx',
    )
    assert.is(found.pages, 1)
    assert.is(found.metadata['hiddenSheets'], '1')
    assert.equal(outline(found), [
      'heading1: Orders',
      'table: Customer | Ordered | Paid\nAnna | 2026-03-01 | TRUE\nÅsa & Co | | 0.3',
      'heading2: Åsa & Co',
    ])
    assert.is(found.read[0]?.blocks[1]?.header, 'Customer | Ordered | Paid')
  })

  test('a presentation is a page for each slide in the order they are shown, with title first and notes last', async () => {
    const shape = (type: string, ...paragraphs: readonly string[]): string =>
      `<p:sp><p:nvSpPr><p:nvPr><p:ph type="${type}"/></p:nvPr></p:nvSpPr><p:txBody>${paragraphs.map((text) => `<a:p><a:r><a:t>${text}</a:t></a:r></a:p>`).join('')}</p:txBody></p:sp>`
    const slide = (...parts: readonly string[]): string => `<p:sld xmlns:p="p" xmlns:a="a">${parts.join('')}</p:sld>`
    const cell = (text: string): string => `<a:tc><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`
    const found = await readPages(
      office({
        'ppt/presentation.xml': `<p:presentation xmlns:p="p" xmlns:r="${REL}"><p:sldIdLst><p:sldId id="1" r:id="two"/><p:sldId id="2" r:id="one"/></p:sldIdLst></p:presentation>`,
        'ppt/_rels/presentation.xml.rels': rels(
          ['one', 'slide', 'slides/slide1.xml'],
          ['two', 'slide', 'slides/slide2.xml'],
        ),
        'ppt/slides/slide1.xml': slide(
          `<a:tbl><a:tr>${cell('Year')}${cell('Parcels')}</a:tr><a:tr>${cell('2025')}${cell('120')}</a:tr></a:tbl>`,
        ),
        'ppt/slides/slide2.xml': slide(
          shape('body', 'Faster', 'Cheaper'),
          shape('title', 'Our aims'),
          shape('sldNum', '1'),
        ),
        'ppt/slides/_rels/slide2.xml.rels': rels(['n', 'notesSlide', '../notesSlides/notesSlide1.xml']),
        'ppt/notesSlides/notesSlide1.xml': slide(shape('sldImg'), shape('body', 'Wait for questions.')),
      }),
      'aims.pptx',
    )
    assert.is(found.title, 'Our aims')
    assert.equal(
      found.read.map(({ number }) => number),
      [1, 2],
    )
    assert.equal(outline(found), [
      'heading1: Our aims',
      'list: - Faster\n- Cheaper',
      'paragraph: Notes: Wait for questions.',
      'table: Year | Parcels\n2025 | 120',
    ])
  })

  test('a web page is its text, without what surrounds it and what runs in it', async () => {
    const found = await readPages(
      `<!doctype html><html lang="en"><head><title>Returns</title><script>alert(1)</script></head><body>
      <nav><a href="/">Home</a></nav><h1>Returns</h1><p>Send it back<br>within <b>30</b> days.</p>
      <ul><li>With its receipt<ul><li>or a copy</li></ul></li><li>Complete</li></ul>
      <pre>waggle ask\n  "refund"</pre><p style="display:none">Hidden instruction</p>
      <table><tr><th>Country</th><th>Days</th></tr><tr><td rowspan="2">France</td><td>3</td></tr><tr><td>4</td></tr></table>
      <dl><dt>Who pays?</dt><dd>We do.</dd></dl><footer>Imprint</footer></body></html>`,
      'returns.html',
    )
    assert.is(found.title, 'Returns')
    assert.equal(outline(found), [
      'heading1: Returns',
      'paragraph: Send it back\nwithin 30 days.',
      'list: - With its receipt\n  - or a copy\n- Complete',
      'code: waggle ask\n  "refund"',
      'table: Country | Days\nFrance | 3\nFrance | 4',
      'question: Who pays?',
      'answer: We do.',
    ])
  })

  test('of a long web page the article is read, with its headings', async () => {
    const article = Array.from(
      { length: 12 },
      (_, at) =>
        `<p>Sentence ${at} of the article tells, with commas, what a reader of it wants to know about parcels, and how long they take.</p>`,
    )
    const links = Array.from({ length: 40 }, (_, at) => `<a href="/${at}">Teaser ${at}</a> `)
    const found = await readPages(
      `<html><head><title>Parcels | Shop</title></head><body><div class="sidebar">${links.join('')}</div><article><h1>Parcels</h1>${article.join('')}<h2>Costs</h2><p>It costs four euros, or nothing from fifty euros on, in all countries of the union.</p></article></body></html>`,
      'page.html',
    )
    const lines = outline(found)
    assert.is(lines[0], 'heading1: Parcels')
    assert.ok(lines.includes('heading2: Costs'))
    assert.not.ok(
      lines.some((line) => line.includes('Teaser')),
      lines.join('\n'),
    )
  })

  test('a Markdown text keeps its wording; front matter is its metadata', async () => {
    const found = await readPages(
      '---\ntitle: Handbook\nauthor: Ana\n---\n# Refunds\n\nWe pay **within** 14 days, see [terms](t.md).\n\n- one\n- two\n\n| A | B |\n|---|---|\n| 1 | 2 |\n\n```sh\nnpm test\n```\n',
      'handbook.md',
    )
    assert.is(found.title, 'Handbook')
    assert.equal(found.metadata, { author: 'Ana' })
    assert.equal(outline(found), [
      'heading1: Refunds',
      'paragraph: We pay **within** 14 days, see [terms](t.md).',
      'list: - one\n- two',
      'table: A | B\n1 | 2',
      'code: npm test',
    ])
  })

  test('an e-mail is who, when, what is new, and what it quotes apart; attachments by name', async () => {
    const found = await readPages(
      [
        'From: Ana <ana@example.com>',
        'To: shop@example.com',
        'Subject: =?utf-8?q?Caf=C3=A9_order?=',
        'Date: Mon, 02 Mar 2026 10:00:00 +0000',
        'MIME-Version: 1.0',
        'Content-Type: multipart/mixed; boundary="b"',
        '',
        '--b',
        'Content-Type: text/plain; charset=utf-8',
        '',
        'Where is it?',
        '',
        'On Sun, 1 Mar 2026 at 09:00, Shop <shop@example.com> wrote:',
        '> It is on its way.',
        '',
        '--b',
        'Content-Type: application/pdf; name="bill.pdf"',
        'Content-Disposition: attachment; filename="bill.pdf"',
        '',
        '%PDF-1.4',
        '--b--',
      ].join('\r\n'),
      'mail.eml',
    )
    assert.equal(outline(found), [
      'heading1: Café order',
      'paragraph: From: "Ana" <ana@example.com>\nTo: shop@example.com\nDate: 2026-03-02T10:00:00.000Z',
      'paragraph: Where is it?',
      'heading2: Quoted message',
      'paragraph: On Sun, 1 Mar 2026 at 09:00, Shop <shop@example.com> wrote:\nIt is on its way.',
      'heading2: Attachments',
      'list: - bill.pdf (application/pdf, 8 bytes)',
    ])
  })

  test('tables of text are rows under their names; columns called question and answer are pairs', async () => {
    assert.equal(outline(await readPages('name;days\nFrance;3\n"Viet;nam";9\n', 'days.csv')), [
      'table: name | days\nFrance | 3\nViet;nam | 9',
    ])
    assert.equal(outline(await readPages('Question,Answer,Area\nWho pays?,We do.,returns\n', 'faq.csv')), [
      'question: Who pays?',
      'answer: We do.\nArea: returns',
    ])
  })

  test('records of JSON are blocks: pairs, sections, or their fields', async () => {
    assert.equal(
      outline(
        await readPages(
          '[{"question":"Who?","answer":"We."},{"title":"T","body":"B","n":1},{"a":{"b":[1,2]},"c":"d"}]',
          'x.json',
        ),
      ),
      ['question: Who?', 'answer: We.', 'heading2: T', 'paragraph: B', 'paragraph: n: 1', 'paragraph: a.b: 1, 2\nc: d'],
    )
    assert.equal(outline(await readPages('{"text":"one"}\n{"text":"two"}\n', 'x.jsonl')), [
      'paragraph: text: one',
      'paragraph: text: two',
    ])
  })

  test('questions and answers of a text are told apart, with their wording', async () => {
    assert.equal(
      outline(
        await readPages(
          'FREQUENT QUESTIONS\n\nQ: Who pays?\nA: We do.\n\nQ: How long?\n\nA: Ten days.\n\nAt most.',
          'faq.txt',
        ),
      ),
      [
        'heading2: FREQUENT QUESTIONS',
        'question: Q: Who pays?',
        'answer: A: We do.',
        'question: Q: How long?',
        'answer: A: Ten days.',
        'answer: At most.',
      ],
    )
  })

  test('texts in old encodings are read, and nothing is handed on that a database refuses', async () => {
    assert.equal(outline(await readPages(new Uint8Array([0x43, 0x61, 0x66, 0xe9]), 'x.txt')), ['paragraph: Café'])
    assert.equal(outline(await readPages(new Uint8Array([0xff, 0xfe, 0x41, 0, 0xe9, 0]), 'x.txt')), ['paragraph: Aé'])
    assert.equal(outline(await readPages('{"a":"x\\u0000y\\ud800z"}', 'x.json')), ['paragraph: a: x y\ufffdz'])
  })
})
