import type { BrowserContext, Page } from 'playwright-core'
import { openBrowser } from '#test/kit/browser.ts'
import type { TestBrowser } from '#test/kit/browser.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { startStack } from './console-stack.ts'
import type { Stack } from './console-stack.ts'

const WAIT_MS = 10_000

suite('console in a browser', ({ test, before, after, afterEach }) => {
  let stack: Stack
  let opened: TestBrowser
  let browser: BrowserContext
  let problems: string[] = []

  before(async () => {
    opened = await openBrowser()
    browser = opened.browser
    browser.setDefaultTimeout(WAIT_MS)
    stack = await startStack()
  })
  after(async () => {
    await opened?.close()
    await stack?.close()
  })
  afterEach(async () => {
    for (const page of browser.pages()) await page.close()
    const seen = problems
    problems = []
    assert.equal(seen, [], 'the page complained')
  })

  const openPage = async (address = stack.page): Promise<Page> => {
    const page = await browser.newPage()
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text())
    })
    await page.goto(address)
    await page.locator('.pill[data-status=live]').waitFor()
    return page
  }
  const ask = async (page: Page): Promise<void> => {
    await page.getByLabel('Message', { exact: true }).fill(stack.question)
    await page.keyboard.press('Enter')
    await page.locator('.tool').last().waitFor()
  }
  const answerText = (page: Page): Promise<string> => page.locator('.answer .text').last().innerText()
  const whole = (page: Page): Promise<void> => page.locator('.answer[data-status=complete]').last().waitFor()

  test('answers a question, and shows who speaks, the route, the tool call and the verdict', async () => {
    stack.hold()
    const page = await openPage()
    await ask(page)
    stack.advance(8)
    await page.locator('.bar-voice', { hasText: 'has the turn' }).waitFor()
    stack.advance()
    await whole(page)
    assert.match(await answerText(page), stack.answer)
    const answer = page.locator('.answer').last()
    assert.match(await answer.innerText(), /Order support/)
    assert.match(await answer.innerText(), /Routed to Order support: It asks about an order/)
    const tool = await answer.locator('.tool').innerText()
    assert.match(tool, /lookup_order_status/)
    assert.match(tool, /order_id\s+1042/)
    assert.match(tool, /done\s*38 ms/)
    assert.match(tool, /status\s+shipped/)
    assert.match(
      await answer.locator('.verdict').innerText(),
      /Personal data changed the tool’s result: A phone number was hidden\./,
    )
    assert.match(await page.locator('[role=status][aria-live=polite]').innerText(), stack.answer)
    assert.is(await page.getByRole('button', { name: 'Stop' }).count(), 0)
  })

  test('takes the token out of the address, and keeps the conversation in it', async () => {
    const page = await openPage()
    assert.not.match(page.url(), /token/)
    await ask(page)
    await page.waitForURL(/#c=/)
    stack.advance()
    await whole(page)
  })

  test('loses nothing and doubles nothing when the page is loaded again in mid-stream', async () => {
    stack.hold()
    const page = await openPage()
    await ask(page)
    stack.advance(12)
    await page.locator('.answer .text', { hasText: 'The parcel is' }).waitFor()
    const before = await answerText(page)
    await page.reload()
    await page.locator('.pill[data-status=live]').waitFor()
    assert.is(await answerText(page), before)
    assert.is(await page.locator('.question').count(), 1)
    stack.advance()
    await whole(page)
    assert.match(await answerText(page), stack.answer)
    assert.is(await page.locator('.question').count(), 1)
    assert.is(await page.locator('.answer').count(), 1)
    assert.is(await page.locator('.tool').count(), 1)
  })

  test('shows the same to a reader who comes by a link in mid-stream', async () => {
    stack.hold()
    const first = await openPage()
    await ask(first)
    stack.advance(12)
    await first.locator('.answer .text', { hasText: 'The parcel is' }).waitFor()
    const fragment = new URL(first.url()).hash.slice(1)
    const second = await openPage(`${stack.page}&${fragment}`)
    await second.locator('.answer .text', { hasText: 'The parcel is' }).waitFor()
    stack.advance()
    await Promise.all([whole(first), whole(second)])
    assert.is(await answerText(second), await answerText(first))
  })

  test('stops an answer by Escape, keeps what was said, and tells what had happened', async () => {
    stack.hold()
    const page = await openPage()
    await ask(page)
    stack.advance(6)
    await page.locator('.answer .text').waitFor()
    await page.keyboard.press('Escape')
    const notice = page.locator('.notice', { hasText: 'Stopped' })
    await notice.waitFor()
    assert.match(await notice.innerText(), /had already happened: lookup_order_status/)
    assert.match(await answerText(page), /^Your order/)
    assert.is(await page.locator('.caret').count(), 0)
    assert.is(await page.getByRole('button', { name: 'Stop' }).count(), 0)
  })

  test('says that the connection is gone, keeps what is written meanwhile, and catches up', async () => {
    stack.hold()
    const page = await openPage()
    await ask(page)
    stack.advance(4)
    await page.locator('.answer .text').waitFor()
    stack.cut()
    stack.advance()
    await page.locator('.banner', { hasText: 'Caught up' }).waitFor()
    await whole(page)
    assert.match(await answerText(page), stack.answer)
    assert.is(await page.locator('.answer').count(), 1)
  })

  test('shows the swarm: actors with state, events that can be filtered and paused, and a way to their conversation', async () => {
    const page = await openPage()
    await ask(page)
    stack.advance()
    await whole(page)
    const id = new URL(page.url()).hash
    const agent = page.locator('.actor-table tr', { hasText: 'technical' }).first()
    assert.match(await agent.innerText(), /agent[\s\S]*awake/)
    await page.getByRole('button', { name: 'tools', exact: true }).click()
    await page.locator('.event', { hasText: 'lookup_order_status(order_id: 1042)' }).waitFor()
    assert.is(await page.locator('.event', { hasText: 'turn:started' }).count(), 0)
    await page.getByLabel('Filter events').fill('no such thing')
    await page.getByText('No event fits the filter.').waitFor()
    await page.getByLabel('Filter events').fill('')

    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByRole('button', { name: 'New conversation' }).click()
    await page.getByText('What would you like to know?').waitFor()
    await ask(page)
    stack.advance()
    await whole(page)
    await page.getByRole('button', { name: /Go on \(\d+ new\)/ }).click()
    const first = page.locator('.event', { hasText: 'lookup_order_status(order_id: 1042)' }).first()
    await first.click()
    await page.locator('.event-detail').getByRole('button', { name: 'Conversation' }).click()
    await page.waitForURL((url) => url.hash === id)
    await page.goBack()
    await page.waitForURL((url) => url.hash !== id)
  })

  test('works by keyboard alone', async () => {
    const page = await openPage()
    assert.is(await page.locator('a, button, input, textarea').first().innerText(), 'Skip to the message box')
    await page.getByText('Skip to the message box').focus()
    await page.keyboard.press('Enter')
    assert.is(await page.evaluate('document.activeElement.id'), 'compose')
    await page.keyboard.type('one')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('two')
    assert.is(await page.getByLabel('Message', { exact: true }).inputValue(), 'one\ntwo')
    await page.keyboard.press('Enter')
    await page.locator('.question', { hasText: 'two' }).waitFor()
    stack.advance()
    await whole(page)
    await page.getByRole('listbox').focus()
    await page.keyboard.press('End')
    await page.locator('.event[aria-selected=true]').waitFor()
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Escape')
    await page.locator('.event[aria-selected=true]').waitFor({ state: 'detached' })
  })

  test('fits a narrow phone in both panes, and follows the dark mode of the system', async () => {
    const page = await openPage()
    await page.setViewportSize({ width: 360, height: 700 })
    await page.emulateMedia({ colorScheme: 'dark' })
    await ask(page)
    stack.advance()
    await whole(page)
    const surplus = (): Promise<unknown> =>
      page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    assert.is(await surplus(), 0)
    await page.getByRole('button', { name: 'Swarm' }).click()
    await page.locator('.event').nth(12).waitFor()
    assert.is(await surplus(), 0)
    const background = (): Promise<unknown> =>
      page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
    const dark = await background()
    await page.getByRole('button', { name: /Theme: auto/ }).click()
    assert.is.not(await background(), dark)
  })

  test('asks for a token when it has none, and says why one was refused', async () => {
    const page = await browser.newPage()
    await page.goto(stack.page.split('#')[0]!)
    await page.getByLabel('Token or API key').fill('nonsense')
    await page.getByRole('button', { name: 'Open the console' }).click()
    await page.getByRole('alert').getByText('No valid token').waitFor()
    await page.getByLabel('Token or API key').fill(new URLSearchParams(new URL(stack.page).hash.slice(1)).get('token')!)
    await page.getByRole('button', { name: 'Open the console' }).click()
    await page.locator('.pill[data-status=live]').waitFor()
  })
})
