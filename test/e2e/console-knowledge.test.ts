/** Knowledge in the browser, before the whole stack: from a file to the passage that an answer quotes from it. */
import type { Page } from 'playwright-core'
import { startStackProcess } from '#test/kit/stack-process.ts'
import type { StackProcess } from '#test/kit/stack-process.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Desk, whole, words } from './console-desk.ts'

/** The stack has a database to make, and a handbook to read. */
const DEADLINE_MS = 60_000
const FACT = 'The Aurora desk lamp has a warranty of seven years.'
const FILE = `# Aurora lamps\n\nEvery lamp is tested twice.\n\n## Warranty\n\n${FACT} Its bulb is not covered.\n`

suite('knowledge in the console', (kit) => {
  const { before, after, afterEach } = kit
  const test: typeof kit.test = (title, body) => kit.test(title, body, { deadlineMs: DEADLINE_MS })
  let desk: Desk
  let stack: StackProcess
  before(async () => {
    desk = await Desk.open(async () => {
      stack = await startStackProcess()
      return {
        page: `${stack.url}/#token=${stack.token}`,
        question: 'How long is the warranty of the Aurora desk lamp?',
        answer: FACT,
        shows: [],
        tool: '',
        hold: () => {},
        advance: () => {},
        cut: () => {},
        close: async () => void (await stack.stop()),
      }
    })
  })
  after(() => desk?.close())
  afterEach(() => desk.closePages())

  const handbook = async (): Promise<Page> => {
    const page = await desk.page()
    await page.getByRole('link', { name: 'Knowledge' }).click()
    await page.getByRole('link', { name: 'The shop’s handbook' }).click()
    return page
  }

  test('a file becomes ready, is found, and the source of an answer opens it at the quoted words', async () => {
    const page = await handbook()
    const file = { name: 'aurora.md', mimeType: 'text/markdown', buffer: Buffer.from(FILE) }
    await page.getByLabel('Files to add').setInputFiles(file)
    const row = page.locator('.document', { hasText: 'aurora.md' })
    await row.and(page.locator('[data-state=ready]')).waitFor()
    assert.match(await row.innerText(), /Aurora lamps[\s\S]*Ready[\s\S]*1 passage/)

    await page.getByRole('link', { name: 'Try a question' }).click()
    await page.getByRole('textbox', { name: 'Question' }).fill(desk.stack.question)
    await page.keyboard.press('Enter')
    await page.getByText('an agent would answer from these').waitFor()
    const found = page.locator('.found-row').first()
    assert.match(await found.innerText(), /Aurora lamps[\s\S]*seven years/)
    await found.getByText('Every score').click()
    assert.match(await found.locator('.pairs').innerText(), /keyword\.score\s+[\d.]+[\s\S]*fused\s+[\d.]+/)

    await page.getByRole('button', { name: 'Chat and swarm' }).click()
    await page.getByLabel('Message', { exact: true }).fill(desk.stack.question)
    await page.keyboard.press('Enter')
    await whole(page)
    const chat = page.url()
    const sources = page.locator('.answer .sources').first()
    await sources.locator('summary').click()
    const quote = sources.locator('li', { hasText: 'seven years' }).first()
    assert.is(words(await quote.locator('blockquote').innerText()), FACT)
    await quote.getByRole('link').focus()
    await page.keyboard.press('Enter')
    const mark = page.locator('mark')
    await mark.waitFor()
    assert.is(await mark.innerText(), FACT)
    assert.match(page.url(), /#\/documents\/[^/]+\/1\/\d+-\d+$/)
    assert.match(
      await page.locator('.passage-text').innerText(),
      /Warranty[\s\S]*seven years[\s\S]*bulb is not covered/,
    )
    assert.is(await page.evaluate('document.activeElement.textContent'), 'Aurora lamps')

    // The address is enough to come back to it, and behind it the conversation is as it was left.
    await page.reload()
    await mark.waitFor()
    await page.getByRole('button', { name: 'Back to the chat' }).click()
    await whole(page)
    assert.is(page.url(), chat)
  })

  test('a file that cannot be read says why, and a removed document leaves the list and its links', async () => {
    const page = await handbook()
    await page.getByLabel('Files to add').setInputFiles({
      name: 'broken.docx',
      mimeType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      buffer: Buffer.from('PK\u0003\u0004 and nothing of an archive behind it'),
    })
    const row = page.locator('.document', { hasText: 'broken.docx' })
    await row.and(page.locator('[data-state=failed]')).waitFor()
    await row.locator('.field-error').waitFor()
    await row.getByRole('button', { name: 'Try again' }).waitFor()
    await row.getByRole('button', { name: 'Remove broken' }).click()
    await row.getByRole('button', { name: 'Remove for good' }).click()
    await row.waitFor({ state: 'detached' })

    // The page may complain of this one: what it asks for is refused, as it should be.
    const lost = await desk.browser.newPage()
    await lost.goto(desk.stack.page)
    await lost.goto(`${new URL(desk.stack.page).origin}/#/documents/gone/1/0-9`)
    await lost.getByRole('alert').getByText('This passage is not there any more').waitFor()
  })

  test('a question that nobody could answer is answered by a person, and the answer is counted', async () => {
    const question = 'Which gemstones does the Zanzibar observatory polish?'
    const page = await handbook()
    const ask = async (): Promise<void> => {
      const headers = { authorization: `Bearer ${stack.token}`, 'content-type': 'application/json' }
      const body = JSON.stringify({ question, collections: ['handbook'] })
      const response = await fetch(`${stack.url}/api/v1/query`, { method: 'POST', headers, body })
      assert.is(response.status, 200)
      await response.json()
    }
    await ask()
    await page.getByRole('link', { name: 'Unanswered' }).click()
    const open = page.getByRole('listitem', { name: question })
    await open.getByLabel('Answer').fill('Opals, on Mondays.')
    await open.getByRole('button', { name: 'Answer' }).click()
    await open.waitFor({ state: 'detached' })
    await ask()
    await page.getByRole('link', { name: 'Curated answers' }).click()
    const curated = page.getByRole('listitem', { name: question })
    await curated.getByText('said once').waitFor()
    assert.is(await curated.getByLabel('Answer').inputValue(), 'Opals, on Mondays.')
  })
})
